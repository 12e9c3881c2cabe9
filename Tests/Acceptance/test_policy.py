"""Duty rosters, contacts and quiet hours through the real daemon, and `ydtctl policy test` beside what then happens."""

import json
import subprocess
from datetime import datetime, timedelta, timezone

from jt808_terminal import Terminal
from site_under_test import eventually, programs

SITE_CLOCK = timezone(timedelta(hours=8))
PERSON = {
    "name": "王桂英", "district": "furong", "consent_120": False,
    "contacts": [
        {"name": "李梅", "phone": "139 5555 0102", "relation": "女儿", "guardian": True},
        {"name": "邻居", "phone": "0731-5550103"},
    ],
}


def clock(hours: int) -> str:
    """The time of day on the site's clock, so many hours from now."""
    return (datetime.now(SITE_CLOCK) + timedelta(hours=hours)).strftime("%H:%M")


def rosters() -> str:
    return f"""
[[roster]]
name = "duty"
fallback = "care-hub"
shifts = [
    {{ target = "night", districts = ["furong"], from = "{clock(6)}", to = "{clock(8)}" }},
    {{ target = "furong", districts = ["furong"], from = "{clock(-2)}", to = "{clock(2)}" }},
]

[[policy]]
service = "emergency"
group = "rostered"
repeat_milliseconds = 3600000
steps = [{{ targets = ["duty", "dispatch"] }}, {{ after_milliseconds = 300, targets = ["family"] }}]

[[policy]]
service = "security_alarm"
group = "rostered"
repeat_milliseconds = 3600000
quiet_hours = [{{ from = "{clock(-1)}", to = "{clock(3)}" }}]
steps = [{{ targets = ["duty"] }}]
"""


def rehearsal(site, *arguments: str) -> dict:
    run = subprocess.run(
        [programs() / "ydtctl", "--socket", site.socket, "--json", "policy", "test", "--person", "P-1", *arguments],
        capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_what_the_policy_test_says_is_what_happens(new_site):
    site = new_site(
        targets=("care-hub", "furong", "night", "family"), emergency=("dispatch",), extra=rosters())
    text = site.configuration.read_text()
    site.configuration.write_text(text.replace(
        'name = "family"\nkind = "webhook"', 'name = "family"\nkind = "webhook"\nreaches = "guardians"'))
    site.start()
    phone = "018090000001"
    site.api("PUT", "/v1/people/P-1", PERSON | {"groups": ["rostered"]}, query={"operator": "op-1"})
    site.api(
        "PUT", f"/v1/terminals/{phone.removeprefix('0')}/assignment", {"operator": "op-1", "person": "P-1", "trust_by_id": True})

    shown = rehearsal(site)
    assert shown["group"] == "rostered" and not shown["fallback"], shown
    assert [(row["after_milliseconds"], row["outcome"], row["target"]) for row in shown["rows"]] == [
        (0, "withheld", "dispatch"), (0, "told", "furong"), (300, "told", "family")]
    assert "not commissioned" in shown["rows"][0]["detail"]
    assert [one["phone"] for one in shown["rows"][2]["recipients"]] == ["13955550102"]
    later = (datetime.now(SITE_CLOCK) + timedelta(hours=7)).isoformat()
    assert [row["target"] for row in rehearsal(site, "--at", later)["rows"] if row["outcome"] == "told"] == [
        "night", "family"]
    quiet = rehearsal(site, "--service", "security_alarm")["rows"]
    assert [row["outcome"] for row in quiet] == ["waits", "told"]
    assert 2 * 3_600_000 < quiet[1]["after_milliseconds"] <= 3 * 3_600_000

    with Terminal.connect(site.port, phone) as terminal:
        assert terminal.request(terminal.sos())
    incident = site.wait_incident(phone.lstrip("0"))
    site.receivers["furong"].wait_event(incident["id"], "incident.opened")
    called = site.receivers["family"].wait_event(incident["id"], "incident.escalated")
    assert [one["phone"] for one in called["event"]["data"]["recipients"]] == ["13955550102"]
    assert "recipients" not in site.receivers["furong"].events(incident["id"])[0]["event"]["data"]
    for silent in ("care-hub", "night", "dispatch"):
        assert site.receivers[silent].events(incident["id"]) == []
    entries = eventually(lambda: site.incident(incident["id"])["timeline"], 5, "a timeline")
    steps = [entry["detail"] for entry in entries if entry["kind"] == "ladder_step"]
    assert steps == ["round 1, step 0: furong", "round 1, step 1: family"]


def test_quiet_hours_for_an_emergency_are_refused(new_site):
    site = new_site(extra="""
[[policy]]
service = "emergency"
group = "x"
quiet_hours = [{ from = "22:00", to = "07:00" }]
steps = [{ targets = ["care-hub"] }]
""")
    run = subprocess.run(
        [programs() / "yidiantongd", "--config", site.configuration, "--check-config"], capture_output=True, text=True)
    assert run.returncode == 78
    assert 'quiet hours for "emergency"' in run.stderr and "saves lives" in run.stderr, run.stderr
