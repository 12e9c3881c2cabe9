"""The served OpenAPI document is true: schemathesis asks what it allows and what it does not."""

import os
import subprocess
import sys
from pathlib import Path

from jt808_terminal import Terminal
from unix_bridge import UnixBridge

# Requests an operation and phase; the long form takes more.
EXAMPLES = os.environ.get("OPENAPI_EXAMPLES", "15")


def test_schemathesis_finds_no_violation(new_site, figure):
    site = new_site(emergency=("dispatch-120",))
    site.start()
    site.import_people([{"id": "P1", "name": "测试", "services": "emergency", "terminals": "17970000001"}])
    with Terminal.connect(site.port, "017970000001") as terminal, UnixBridge(site.socket) as bridge:
        terminal.log_in()
        assert terminal.request(terminal.sos())
        result = subprocess.run(
            [Path(sys.executable).with_name("st"), "run", f"http://127.0.0.1:{bridge.port}/v1/openapi.json",
             "--checks", "all", "--max-examples", EXAMPLES, "--exclude-path", "/v1/events", "--request-timeout", "10",
             # Python 3.11 parses source in one thread at a time only, and the generator does so in each worker.
             "--generation-deterministic", "--workers", "1", "--continue-on-failure"],
            capture_output=True, text=True, cwd=site.directory, timeout=1200)
    (site.directory / "schemathesis.txt").write_text(result.stdout + result.stderr)
    summary = [line for line in result.stdout.splitlines() if "tested" in line.lower() or "generated" in line.lower()]
    figure("; ".join(line.strip() for line in summary[-3:]))
    assert result.returncode == 0, result.stdout[-12000:] + result.stderr[-2000:]
    assert site.process.poll() is None, "the gateway ended"
    assert site.is_ready()


def test_events_are_served_as_they_happen(new_site):
    """/v1/events, which never ends, by hand."""
    from site_under_test import UnixConnection

    site = new_site()
    site.start()
    connection = UnixConnection(site.socket, timeout=10)
    connection.request("GET", "/v1/events", headers={"Accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/event-stream")
    with Terminal.connect(site.port, "017970000002") as terminal:
        assert terminal.request(terminal.sos())
    text = ""
    while "incident" not in text:
        line = response.fp.readline().decode()
        assert line, f"the stream ended: {text}"
        text += line
    connection.close()
