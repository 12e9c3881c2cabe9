"""Drills, and the caps on calls to emergency services, through the real daemon and real receivers on loopback."""

import time

import pytest

from jt808_terminal import Terminal
from site_under_test import Site, eventually


@pytest.fixture
def site(new_site) -> Site:
    site = new_site(
        targets=("care-hub",), emergency=("dispatch",), repeat_milliseconds=1000,
        rules="emergency_calls_per_incident = 2\nemergency_calls_per_hour = 3",
        extra='[[model]]\nname = "pendant"\ntrust_by_id = true\n')
    site.start()
    site.import_people([
        {"id": f"P{number}", "name": "演练", "terminals": f"01792000010{number}", "model": "pendant", "consent_120": "yes",
         "groups": "living_alone" if number < 3 else "disabled"}
        for number in range(1, 5)])
    site.commission()
    return site


def press(site: Site, number: int) -> dict:
    with Terminal.connect(site.port, f"01792000010{number}") as terminal:
        terminal.log_in()
        assert terminal.request(terminal.sos())
    return site.wait_incident(f"1792000010{number}")


def told(site: Site, target: str, incident: dict) -> list[dict]:
    """The ladder's news: what calls somebody."""
    return [event for event in site.receivers[target].events(incident["id"])
            if event["type"] in ("incident.opened", "incident.escalated")]


def test_a_drill_reaches_everybody_but_emergency_services(site):
    with pytest.raises(AssertionError, match="nobody is in group"):
        site.ydtctl("drill", "start", "--group", "livng_alone", "--operator", "op-1")
    assert "drill" not in site.status()
    assert "until" in site.ydtctl("drill", "start", "--minutes", "30", "--group", "living_alone", "--operator", "op-1")
    assert site.status()["drill"]["group"] == "living_alone"
    drill = press(site, 1)
    assert drill["drill"] is True
    eventually(lambda: len(told(site, "care-hub", drill)) >= 2, 10, "two rounds at the hub")
    assert all(event["event"]["data"]["drill"] is True for event in told(site, "care-hub", drill))
    assert told(site, "care-hub", drill)[0]["event"]["data"]["withheld"] == {"dispatch": "it is a drill"}
    # Whoever does not take part is real.
    real = press(site, 3)
    assert "drill" not in real
    eventually(lambda: told(site, "dispatch", real), 10, "the ambulance service hears of the real one")
    # The drill outlives a crash.
    site.kill()
    site.start()
    assert site.status()["drill"]["started_by"] == "op-1"
    assert press(site, 2)["drill"] is True
    assert "DRILL" in site.ydtctl("incidents")
    assert told(site, "dispatch", drill) == []
    # She has really fallen.
    site.ydtctl("real", drill["id"], "--reason", "she has fallen", "--operator", "op-1")
    event = eventually(lambda: told(site, "dispatch", drill), 10, "the ambulance service hears of it now")[0]
    assert event["event"]["data"]["drill"] is False
    with pytest.raises(AssertionError, match="real already"):
        site.ydtctl("real", drill["id"], "--reason", "again", "--operator", "op-1")
    counted = [row for row in site.api("GET", "/v1/report")["services"] if row["service"] == "emergency"]
    assert counted[0]["opened"] == 2, "the one that is still a drill is left out"
    assert "every press is real" in site.ydtctl("drill", "stop", "--operator", "op-1")
    assert "drill" not in site.status()


def test_calls_are_capped_and_a_human_is_asked(site):
    first = press(site, 1)
    held = eventually(
        lambda: [event for event in told(site, "care-hub", first) if "withheld" in event["event"]["data"]], 15,
        "the hub hears that it must call")[0]
    assert "a human must call" in held["event"]["data"]["withheld"]["dispatch"]
    assert len(told(site, "dispatch", first)) == 2
    second = press(site, 2)
    eventually(lambda: len(told(site, "care-hub", second)) >= 3, 15, "the ladder goes on")
    assert len(told(site, "dispatch", second)) == 1, "the third call of the hour is the last"
    site.kill()
    site.start()
    third = press(site, 3)
    eventually(lambda: len(told(site, "care-hub", third)) >= 2, 15, "the hub hears of the third")
    time.sleep(1)
    assert told(site, "dispatch", third) == [], "a crash gains no calls"
    assert len(told(site, "dispatch", first)) == 2
