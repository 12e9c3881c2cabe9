"""Ports that systemd holds, the end by SIGTERM, and reloads: no terminal is refused and no acknowledged frame is lost."""

import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jt808_terminal import SocketLine, Terminal
from site_under_test import Site, eventually, free_port

PASS_SOCKETS = Path(__file__).with_name("pass_sockets.py")


class Manager:
    """Holds a listening socket, as systemd does, and passes it to whichever gateway runs."""

    def __init__(self, port: int):
        self.socket = socket.create_server(("127.0.0.1", port), backlog=4096)

    def start(self, site: Site, name: str = "listener"):
        descriptor = self.socket.fileno()
        site.start(
            wrapper=(sys.executable, PASS_SOCKETS, f"{name}:{descriptor}"), pass_fds=(descriptor,))


@pytest.fixture
def managed(new_site):
    site = new_site()
    manager = Manager(site.port)
    yield site, manager
    manager.socket.close()


def counter(site: Site, name: str) -> float:
    text = site.raw("GET", "/metrics")[2]
    return sum(float(value) for value in re.findall(rf"^yidiantong_{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def test_terminals_that_connect_while_no_gateway_runs_are_served_by_the_next(managed, figure):
    site, manager = managed
    early = [Terminal.connect(site.port, f"01806100{number:04}") for number in range(50)]
    for terminal in early:
        terminal.write(terminal.sos().encode())
    manager.start(site)
    for terminal in early:
        site.wait_incident(terminal.terminal_id)

    assert site.stop() == 0
    between = [Terminal.connect(site.port, f"01806101{number:04}") for number in range(200)]
    requests = []
    for terminal in between:
        requests.append(terminal.sos())
        terminal.write(requests[-1].encode())
    manager.start(site)
    began = time.monotonic()
    for terminal in between:
        site.wait_incident(terminal.terminal_id)
    figure(f"200 waiting terminals had their incidents {time.monotonic() - began:.2f} s after the start")
    assert counter(site, "connections_refused_total") == 0
    for terminal in (*early, *between):
        terminal.close()


def test_a_killed_gateway_leaves_the_port_to_the_next(managed):
    site, manager = managed
    manager.start(site)
    with Terminal.connect(site.port, "018061020001") as terminal:
        assert terminal.request(terminal.sos())
    site.kill()
    with Terminal.connect(site.port, "018061020002") as terminal:
        request = terminal.sos()
        terminal.write(request.encode())
        manager.start(site)
        site.wait_incident(terminal.terminal_id)
    assert len(site.incidents()) == 2


def test_what_is_passed_and_not_configured_is_told_and_the_rest_is_served(new_site):
    site = new_site()
    other = Manager(free_port())
    other.start(site)
    assert "no [[listener]]" in site.log.read_text()
    with Terminal.connect(site.port, "018061030001") as terminal:
        assert terminal.request(terminal.heartbeat())
    site.stop()
    other.start(site, name="something-else")
    assert "something-else" in site.log.read_text()
    other.socket.close()


def test_sigterm_answers_what_is_on_its_way_and_loses_no_acknowledged_frame(new_site, figure):
    """Positions and SOS stream in while the gateway is told to end; whatever was acknowledged is there afterwards."""
    site = new_site()
    site.start()
    site.import_people([
        {"id": f"P{number}", "name": "王梅", "terminals": f"1806200{number:04}"} for number in range(40)])
    terminals = [Terminal.connect(site.port, f"01806200{number:04}") for number in range(40)]
    acknowledged = {terminal.terminal_id: 0 for terminal in terminals}

    def press(terminal: Terminal):
        # A new press each time: with the alarm bit and without in turn.
        while terminal.closed_at is None:
            try:
                if not terminal.request(terminal.sos(), timeout=3):
                    return
                acknowledged[terminal.terminal_id] += 1
                if not terminal.request(terminal.location(), timeout=3):
                    return
            except OSError:
                return

    threads = [threading.Thread(target=press, args=(terminal,)) for terminal in terminals]
    for thread in threads:
        thread.start()
    eventually(lambda: sum(acknowledged.values()) > 200, 20, "200 acknowledged presses")
    began = time.monotonic()
    assert site.stop() == 0
    took = time.monotonic() - began
    for thread in threads:
        thread.join()
    figure(f"{sum(acknowledged.values())} presses acknowledged; the end took {took:.2f} s")
    assert took < 4, "the end waited for its deadline instead of for the disk"
    site.start()
    stored = {incident["terminal"]: incident["presses"] for incident in site.incidents()}
    lost = {one: (count, stored.get(one)) for one, count in acknowledged.items() if stored.get(one, 0) < count}
    assert not lost, f"acknowledged and stored presses: {lost}"
    for terminal in terminals:
        terminal.close()


def reload(site: Site):
    before = site.log.read_text().count("is in force")
    site.process.send_signal(signal.SIGHUP)
    eventually(lambda: site.log.read_text().count("is in force") > before, 10, f"a reload; log {site.log}")


class TLSLine:
    """A TLS connection as a line of bytes: a thread carries them between a pair of sockets and the gateway."""

    def __init__(self, port: int, context: ssl.SSLContext):
        raw = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.secured = context.wrap_socket(raw, server_hostname="127.0.0.1")
        self.secured.setblocking(False)
        ours, self.other = socket.socketpair()
        self.socket = ours
        self.descriptor = ours.fileno()
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self):
        try:
            while True:
                ready, _, _ = select.select([self.secured, self.other], [], [], 0.2)
                if self.other in ready:
                    data = self.other.recv(65536)
                    if not data:
                        break
                    self.secured.sendall(data)
                if self.secured in ready:
                    try:
                        data = self.secured.recv(65536)
                    except ssl.SSLWantReadError:
                        continue
                    if not data:
                        break
                    self.other.sendall(data)
        except OSError:
            pass
        self.secured.close()
        self.other.close()

    def write(self, data: bytes):
        self.socket.sendall(data)

    def shutdown(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.socket.close()


class Authority:
    """Issues certificates into a directory."""

    def __init__(self, directory: Path, name: str):
        self.directory, self.name = directory, name
        self.file = directory / f"{name}.pem"
        self._openssl("-subj", f"/CN={name}", "-keyout", directory / f"{name}.key", "-out", self.file)

    def issue(self, target: str):
        """TARGET.pem and TARGET.key, in the place of what was there."""
        self._openssl(
            "-subj", f"/CN={target}", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
            "basicConstraints=critical,CA:FALSE", "-CA", self.file, "-CAkey", self.directory / f"{self.name}.key",
            "-keyout", self.directory / f"{target}.key", "-out", self.directory / f"{target}.pem")

    def _openssl(self, *arguments):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", *arguments], check=True, capture_output=True)

    def trusted(self, client: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.file)
        if client:
            context.load_cert_chain(self.directory / f"{client}.pem", self.directory / f"{client}.key")
        return context


@pytest.fixture
def secured(new_site, tmp_path):
    """A site with a port with TLS beside the plain one, and the authority of its certificate."""
    authority = Authority(tmp_path, "authority")
    authority.issue("gateway")
    port = free_port()
    site = new_site(extra=f"""
[[listener]]
tls = "127.0.0.1:{port}"
certificate_file = "{tmp_path}/gateway.pem"
key_file = "{tmp_path}/gateway.key"
""")
    site.start()
    return site, port, authority


def test_a_terminal_speaks_tls_and_its_newest_connection_wins(secured):
    site, port, authority = secured
    phone = "018063000001"
    plain = Terminal.connect(site.port, phone)
    assert plain.request(plain.heartbeat())
    with Terminal(TLSLine(port, authority.trusted()), phone) as terminal:
        terminal.log_in()
        assert plain.wait_closed(5), "the older connection of the terminal stays open"
        assert terminal.request(terminal.sos())
        incident = site.wait_incident(terminal.terminal_id)
        site.acknowledge(incident["id"])
        assert terminal.wait_for(lambda frame: frame.message == 0x8203), "nobody told the terminal that help comes"
        with Terminal.connect(site.port, phone) as newest:
            assert newest.request(newest.heartbeat())
            assert terminal.wait_closed(5)
    assert counter(site, "handshakes_completed_total") == 1
    # The certificate of the test holds for two days.
    assert [fault["code"] for fault in site.status()["faults"]] == ["certificate_expires"]


def test_a_reload_drops_no_connection(secured, tmp_path, figure):
    """Limits, targets, certificates and ports change under 200 connections, a quarter of them with TLS."""
    site, port, authority = secured
    terminals = [
        Terminal(
            TLSLine(port, authority.trusted()) if number % 4 == 0 else SocketLine(site.port), f"01806310{number:04}")
        for number in range(200)]
    for terminal in terminals:
        assert terminal.request(terminal.heartbeat())
    text = site.configuration.read_text()
    other, third = Authority(tmp_path, "other"), free_port()
    other.issue("gateway")
    other.issue("terminal")
    secret = site.receivers["care-hub"].secret
    (tmp_path / "night.secret").write_bytes(secret.read_bytes())
    (tmp_path / "night.secret").chmod(0o600)
    changed = text.replace("[sessions]", "[sessions]\nidle_seconds = 600").replace(
        f'key_file = "{tmp_path}/gateway.key"',
        f'key_file = "{tmp_path}/gateway.key"\nclient_ca_file = "{tmp_path}/other.pem"')
    changed += f"""
[[listener]]
tcp = "127.0.0.1:{third}"
[reactor]
maximum_connections_per_address = 202
[[target]]
name = "night"
url = "{site.receivers["care-hub"].url}"
secret_files = ["{tmp_path}/night.secret"]
allow_addresses = ["127.0.0.1"]
"""
    site.configuration.write_text(changed)
    began = time.monotonic()
    reload(site)
    figure(f"reload under 200 connections in {time.monotonic() - began:.2f} s")
    assert "takes effect only after a restart" not in site.log.read_text()

    for terminal in terminals:
        assert terminal.request(terminal.heartbeat()), "a connection was dropped"
    # The new port, the new certificate with its new demand, and the new limit.
    with Terminal.connect(third, "018063200001") as terminal:
        assert terminal.request(terminal.sos())
    with Terminal(TLSLine(port, other.trusted("terminal")), "018063200002") as terminal:
        assert terminal.request(terminal.heartbeat())
    with pytest.raises((OSError, AssertionError)):
        TLSLine(port, authority.trusted())
    eventually(lambda: counter(site, "connections_open") == 200, 5, "the connections of before alone")
    kept = [Terminal.connect(third, f"01806330{number:04}") for number in range(2)]
    assert refuses(site.port), "the new limit of one address does not hold"
    for terminal in kept:
        terminal.close()

    # A certificate that cannot be used leaves everything as it is.
    (tmp_path / "gateway.pem").write_text("no certificate")
    site.process.send_signal(signal.SIGHUP)
    eventually(lambda: any(fault["code"] == "config_invalid" for fault in site.status()["faults"]), 10, "a fault")
    assert "certificate_file" in site.log.read_text()
    # A port goes; who came in by it stays.
    other.issue("gateway")
    site.configuration.write_text(changed.replace(f'[[listener]]\nprotocol = "jt808"\ntcp = "127.0.0.1:{site.port}"', ""))
    reload(site)
    eventually(lambda: not accepts(site.port), 5, "the removed port to be closed")
    for terminal in terminals:
        assert terminal.closed_at is None and terminal.request(terminal.heartbeat())
        terminal.close()


def refuses(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            return probe.recv(1) == b""
    except ConnectionError:
        return True


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
