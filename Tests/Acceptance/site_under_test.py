"""One gateway with everything around it: directory, configuration, process, webhook receivers, status socket.

The programs are taken from $YIDIANTONG_PROGRAMS, else from whichever of .build/release and .build/debug is newer.
"""

import base64
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parents[2]
RECEIVER = ROOT / "Tests" / "Peers" / "webhook_receiver.py"
ONE_HOUR_MILLISECONDS = 3_600_000


def programs() -> Path:
    if chosen := os.environ.get("YIDIANTONG_PROGRAMS"):
        return Path(chosen)
    built = [ROOT / ".build" / kind / "yidiantongd" for kind in ("release", "debug")]
    built = [program for program in built if program.exists()]
    if not built:
        raise AssertionError(f"yidiantongd is not built in {ROOT / '.build'}; run swift build first")
    return max(built, key=lambda program: program.stat().st_mtime).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, timeout: float = 10, what: str = "a condition", interval: float = 0.02):
    """The first true value of `condition()`; AssertionError with `what` after the time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(interval)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float = 30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class StatusError(AssertionError):
    """The status socket did not answer 2xx."""

    def __init__(self, method: str, path: str, status: int, body: str):
        super().__init__(f"{method} {path}: {status} {body}")
        self.status = status
        self.body = body


class Receiver:
    """A webhook receiver process and the events it has logged."""

    def __init__(
        self, name: str, directory: Path, status: str = "200", delay_milliseconds: int = 0,
        environment: dict | None = None,
    ):
        self.name = name
        self.secret = directory / f"{name}.secret"
        self.log = directory / f"{name}.jsonl"
        self.secret.write_text("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        self.secret.chmod(0o600)
        self.log.touch()
        self.position = 0
        self.parsed: list[dict] = []
        self.options = ["--status", status, "--delay-ms", str(delay_milliseconds)]
        self.environment = os.environ | (environment or {})
        self.port = 0
        self.start()

    def start(self):
        """Also begins again after `stop`, on the same port."""
        self.process = subprocess.Popen(
            [sys.executable, RECEIVER, "--port", str(self.port), "--secret", self.secret, "--log", self.log,
             *self.options], stdout=subprocess.PIPE, text=True, env=self.environment)
        self.port = int(self.process.stdout.readline().split()[-1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.name}"

    def events(self, incident: str | None = None, kind: str | None = None) -> list[dict]:
        """All requests logged so far, without those that were cut off; of one incident and of one type if asked."""
        with open(self.log, encoding="utf-8") as log:
            log.seek(self.position)
            while (line := log.readline()).endswith("\n"):
                entry = json.loads(line)
                # The sender was killed in the middle of a request: no body, nothing was delivered.
                if entry["event"] is not None:
                    self.parsed.append(entry)
                self.position = log.tell()
        return [
            event for event in self.parsed
            if (incident is None or incident_of(event) == incident)
            and (kind is None or event["type"] == kind)]

    def wait_event(self, incident: str | None = None, kind: str | None = None, timeout: float = 10) -> dict:
        return eventually(
            lambda: self.events(incident, kind), timeout,
            f"{kind or 'an event'} of incident {incident or '(any)'} at {self.name}; log {self.log}")[0]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def incident_of(event: dict) -> str | None:
    """The incident that a webhook speaks of; None for a heartbeat."""
    return event["event"]["data"].get("incident_id")


def received_at(event: dict) -> float:
    """Seconds since 1970 when the receiver had the request."""
    return datetime.fromisoformat(event["received"]).timestamp()


class Site:
    """A directory with a configuration, and the daemon that runs on it."""

    def __init__(
        self, targets=("care-hub",), emergency=(), unknown: str = "accept", serial: str | None = None,
        state: Path | None = None, disk=None, repeat_milliseconds: int = ONE_HOUR_MILLISECONDS, extra: str = "",
        sessions: str = "", rules: str = "", receiver_options: dict | None = None, heartbeat_seconds: int = 0,
        daemon: str = "yidiantongd", environment: dict | None = None,
    ):
        self.daemon = daemon
        self.environment = environment or {}
        self.directory = Path(tempfile.mkdtemp(prefix="yidiantong-")).resolve()
        self.disk = disk(self.directory) if disk else None
        self.state = state or (self.disk.directory if self.disk else self.directory / "state")
        self.state.mkdir(exist_ok=True)
        self.socket = self.directory / "status.sock"
        self.log = self.directory / "gateway.log"
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.start_seconds: list[float] = []
        self.receivers = {
            name: Receiver(
                name, self.directory, environment=self.environment, **(receiver_options or {}).get(name, {}))
            for name in (*emergency, *targets)}
        everyone = json.dumps([*emergency, *targets])
        sections = [
            f"""
[gateway]
name = "acceptance"
state_directory = "{self.state}"
socket = "{self.socket}"
log_level = "info"

[[listener]]
protocol = "jt808"
tcp = "127.0.0.1:{self.port}"

[sessions]
unknown_terminals = "{unknown}"
{sessions}

[rules]
{rules}
""",
            f'[[serial]]\npath = "{serial}"\nbaud = 115200\nprotocol = "jt808"\n' if serial else "",
        ]
        for name, receiver in self.receivers.items():
            sections.append(f"""
[[target]]
name = "{name}"
kind = "webhook"
url = "{receiver.url}"
secret_files = ["{receiver.secret}"]
emergency_services = {str(name in emergency).lower()}
allow_addresses = ["127.0.0.1"]
heartbeat_seconds = {heartbeat_seconds}
""")
        sections.append(f"""
[[policy]]
service = "emergency"
repeat_milliseconds = {repeat_milliseconds}
steps = [{{ after_milliseconds = 0, targets = {everyone} }}]
""")
        for service in ("life_assistance", "fence_watch", "security_alarm", "care_contact"):
            sections.append(f"""
[[policy]]
service = "{service}"
repeat_milliseconds = {repeat_milliseconds}
steps = [{{ after_milliseconds = 0, targets = {json.dumps(list(targets))} }}]
""")
        sections.append(extra)
        self.configuration = self.directory / "yidiantong.toml"
        self.configuration.write_text("".join(sections))

    # The process

    def start(self, wrapper: tuple = (), timeout: float = 30, pass_fds: tuple = ()) -> float:
        """Starts the daemon and waits until it says that it is ready; returns the seconds that took."""
        began = time.monotonic()
        environment = os.environ | self.environment | (self.disk.environment() if self.disk else {})
        notify_path = self.directory / "notify.sock"
        notify_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.log, "ab") as log:
            notify.bind(str(notify_path))
            notify.settimeout(0.05)
            environment["NOTIFY_SOCKET"] = str(notify_path)
            self.process = subprocess.Popen(
                [*wrapper, programs() / self.daemon, "--config", self.configuration], env=environment, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, pass_fds=pass_fds)
            while not self.is_ready():
                if self.process.poll() is not None:
                    raise AssertionError(f"yidiantongd ended with {self.process.returncode}; see {self.log}")
                if time.monotonic() - began > timeout:
                    raise AssertionError(f"yidiantongd was not ready within {timeout:g} s; see {self.log}")
                try:
                    notify.recv(4096)
                except TimeoutError:
                    pass
        took = time.monotonic() - began
        self.start_seconds.append(took)
        return took

    def is_ready(self) -> bool:
        connection = UnixConnection(self.socket, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self):
        """kill -9, and what the disk had not been told to keep is gone if this site has a crash disk."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout: float = 15) -> int:
        """Asks the daemon to end, as systemd would; returns its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"yidiantongd did not end within {timeout:g} s of SIGTERM; see {self.log}") from None

    def resident_kibibytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def discard(self, keep: bool = False):
        """Ends everything; the directory goes unless it is to be kept for a look."""
        try:
            if self.process and self.process.poll() is None:
                self.kill()
        finally:
            for receiver in self.receivers.values():
                receiver.stop()
            if not keep:
                shutil.rmtree(self.directory, ignore_errors=True)

    # The status socket

    def raw(self, method: str, path: str, body=None, content_type: str = "application/json", query=None):
        """Status, headers and body."""
        if query:
            path += "?" + urlencode(query)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        connection = UnixConnection(self.socket)
        try:
            headers = {"Content-Type": content_type} if body is not None else {}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def api(self, method: str, path: str, body=None, content_type: str = "application/json", query=None):
        status, _, text = self.raw(method, path, body, content_type, query)
        if not 200 <= status <= 299:
            raise StatusError(method, path, status, text)
        return json.loads(text) if text else None

    def status(self) -> dict:
        return self.api("GET", "/v1/status")

    def incidents(self, **query) -> list[dict]:
        """All incidents, closed ones too, page after page."""
        found, query = [], {"limit": 500, "state": "all", **query}
        while True:
            page = self.api("GET", "/v1/incidents", query=query)
            found += page["incidents"]
            if not page.get("next"):
                return found
            query["after"] = page["next"]

    def incidents_of(self, terminal: str) -> list[dict]:
        return self.incidents(terminal=terminal)

    def wait_incident(self, terminal: str, timeout: float = 10, service: str = "emergency") -> dict:
        return eventually(
            lambda: [one for one in self.incidents_of(terminal) if one["service"] == service], timeout,
            f"an incident of service {service} of terminal {terminal}; log {self.log}")[0]

    def incident(self, identifier: str) -> dict:
        return self.api("GET", f"/v1/incidents/{quote(identifier)}")

    def acknowledge(self, identifier: str, operator: str = "op-1") -> dict:
        return self.api(
            "POST", f"/v1/incidents/{quote(identifier)}/acknowledge", {"operator": operator, "reason": "on my way"})

    def close(self, identifier: str, disposition: str = "helped") -> dict:
        return self.api(
            "POST", f"/v1/incidents/{quote(identifier)}/close",
            {"operator": "op-1", "disposition": disposition, "reason": "test"})

    def import_people(self, rows: list[dict]) -> dict:
        columns = (
            "id,name,sex,birth_date,address,landmark,conditions,medicines,blood_type,allergies,phone,contacts,"
            "groups,services,consent_120,terminals,model,utc_offset_minutes").split(",")
        lines = [",".join(columns)]
        for row in rows:
            cells = [str(row.get(column, "")) for column in columns]
            lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
        report = self.api("POST", "/v1/import/people", "\r\n".join(lines) + "\r\n", "text/csv")
        assert report["rejected"] == 0, report
        return report

    def commission(self):
        return self.api("POST", "/v1/commission", {"operator": "op-1", "reason": "loopback-only test site"})

    def ydtctl(self, *arguments: str) -> str:
        result = subprocess.run(
            [programs() / "ydtctl", *arguments, "--socket", self.socket], capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            raise AssertionError(f"ydtctl {' '.join(arguments)}: exit {result.returncode}\n{result.stderr}")
        return result.stdout
