"""What is handed over is followed to its end: reminded, raised again when it is overdue, closed with a known word, counted."""

import json
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from jt808_terminal import Terminal
from site_under_test import StatusError, programs

SUPERVISION = """
[supervision]
remind_seconds = 2
overdue_seconds = 60

[[service]]
name = "life_assistance"
dispositions = ["delivered", "declined"]
due_seconds = 4
"""


def report(site) -> dict:
    run = subprocess.run(
        [programs() / "ydtctl", "--socket", site.socket, "--json", "report"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return {one["service"]: one for one in json.loads(run.stdout)["services"]}


def test_a_job_is_followed_to_its_end(new_site):
    site = new_site(extra=SUPERVISION)
    site.start()
    hub = site.receivers["care-hub"]
    with Terminal.connect(site.port, "018092000001") as terminal:
        assert terminal.request(terminal.key(2))
        incident = site.wait_incident(terminal.terminal_id, service="life_assistance")
        identifier = incident["id"]
        handed = site.api(
            "POST", f"/v1/incidents/{identifier}/handover", {"operator": "op-1", "to": "helper-3", "reason": "rice"})
        assert handed["state"] == "handed_over" and "due_at" in handed, "the service's own time"
        hub.wait_event(identifier, "incident.due")
        # The time runs on while the gateway is dead.
        site.kill()
        site.start()
        hub.wait_event(identifier, "incident.escalated")
        assert site.incident(identifier)["incident"]["state"] in ("open", "notified")
        with pytest.raises(StatusError) as refused:
            site.close(identifier, "rice")
        assert refused.value.status == 409
        problem = json.loads(refused.value.body)
        assert problem["code"] == "unknown_disposition" and "delivered, declined" in problem["detail"], problem
        site.close(identifier, "delivered")
    kinds = [entry["kind"] for entry in site.incident(identifier)["timeline"]]
    assert "reminder" in kinds and "overdue" in kinds
    with Terminal.connect(site.port, "018092000002") as terminal:
        assert terminal.request(terminal.sos())
        emergency = site.wait_incident(terminal.terminal_id)["id"]
        due = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
        site.api(
            "POST", f"/v1/incidents/{emergency}/handover",
            {"operator": "op-1", "to": "ambulance", "reason": "there", "due_at": due})
        site.close(emergency)
    figures = report(site)
    assert figures["life_assistance"] == {
        "service": "life_assistance", "opened": 1, "answered": 1, "answered_within_60_s": 1,
        "answered_within_180_s": 1, "closed": 1, "supervised": 1, "closed_on_time": 0, "overdue": 1}
    assert figures["emergency"]["closed_on_time"] == 1 and figures["emergency"]["overdue"] == 0
    metrics = site.raw("GET", "/metrics")[2]
    assert 'yidiantong_incidents_due_total{service="emergency",outcome="on_time"} 1' in metrics
    assert 'yidiantong_incidents_due_total{service="life_assistance",outcome="late"} 1' in metrics
    assert 'yidiantong_incidents_answered_total{service="emergency",within="60s"} 1' in metrics
