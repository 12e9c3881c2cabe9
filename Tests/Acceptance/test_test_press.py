"""Test presses through the real daemon: the whole way to real receivers, never to the emergency service."""

import json
import time

import pytest

from jt808_terminal import Terminal
from site_under_test import Site, StatusError, eventually


@pytest.fixture
def site(new_site) -> Site:
    site = new_site(
        targets=("care-hub",), emergency=("dispatch",), repeat_milliseconds=1000, rules="test_press_days = 30",
        extra='[[model]]\nname = "pendant"\ntrust_by_id = true\n')
    site.start()
    site.import_people([
        {"id": f"P{number}", "name": "测试", "terminals": f"01793000010{number}", "model": "pendant", "consent_120": "yes",
         "groups": "living_alone" if number < 3 else "disabled"}
        for number in range(1, 5)] + [{"id": "P9", "name": "没有终端"}])
    site.commission()
    return site


def press(site: Site, number: int) -> dict:
    before = len(site.incidents_of(f"1793000010{number}"))
    with Terminal.connect(site.port, f"01793000010{number}") as terminal:
        terminal.log_in()
        # A report without the bit ends the press before.
        assert terminal.request(terminal.location())
        assert terminal.request(terminal.sos()), "the terminal hears that its press is stored"
    eventually(lambda: len(site.incidents_of(f"1793000010{number}")) > before, 10, "an incident of its own")
    return site.incidents_of(f"1793000010{number}")[0]


def told(site: Site, target: str, incident: dict) -> list[dict]:
    return site.receivers[target].events(incident["id"])


def due(site: Site, *arguments: str) -> list[str]:
    return [one["person"] for one in json.loads(site.ydtctl("test-press", "due", "--json", *arguments))["people"]]


def start(site: Site, person: str, minutes: int = 10) -> dict:
    return site.api("POST", f"/v1/people/{person}/test-press", {"operator": "op-1", "minutes": minutes})


def metric(site: Site, name: str) -> float | None:
    lines = [line for line in site.raw("GET", "/metrics")[2].splitlines() if line.startswith(name + " ")]
    return float(lines[0].split()[1]) if lines else None


def test_a_test_press_goes_the_whole_way_but_to_no_emergency_service(site):
    assert due(site) == ["P1", "P2", "P3", "P4"], "all were never tested; P9 has no terminal"
    assert "is a test, announced by op-1" in site.ydtctl("test-press", "start", "P1", "--operator", "op-1")
    # The announcement outlives a crash.
    site.kill()
    site.start()
    assert site.api("GET", "/v1/people/P1/test-press")["window"]["pressed"] is False
    assert metric(site, "yidiantong_test_presses_due") == 4
    test = press(site, 1)
    assert test["test_press"] is True and test["drill"] is True
    # Whoever was not announced is real at the same time.
    real = press(site, 2)
    assert "test_press" not in real
    eventually(lambda: told(site, "dispatch", real), 10, "the ambulance service hears of the real one")
    eventually(lambda: len(told(site, "care-hub", test)) >= 3, 10, "rounds of the ladder at the hub")
    for event in told(site, "care-hub", test):
        assert event["event"]["data"]["test_press"] is True and event["event"]["data"]["drill"] is True
    assert told(site, "care-hub", test)[0]["event"]["data"]["withheld"] == {"dispatch": "it is a test press"}
    assert "TEST" in site.ydtctl("incidents")
    assert "it is no test" not in site.ydtctl("incidents", test["id"])
    assert site.api("GET", "/v1/people/P1/test-press")["window"]["pressed"] is True
    assert "last" not in site.api("GET", "/v1/people/P1/test-press"), "nobody has answered yet"
    # A crash in the middle, and the site commissioned anew, open no way.
    site.kill()
    site.start()
    site.commission()
    count = len(told(site, "care-hub", test))
    eventually(lambda: len(told(site, "care-hub", test)) >= count + 2, 10, "the ladder goes on")
    site.acknowledge(test["id"])
    last = eventually(lambda: site.api("GET", "/v1/people/P1/test-press").get("last"), 10, "the test is passed")
    assert last["terminal"] == "17930000101" and last["accepted"] == ["care-hub"]
    assert last["acknowledged_by"] == "op-1" and 0 <= last["seconds_to_acknowledgement"] < 60
    site.close(test["id"], "test")
    eventually(lambda: told(site, "care-hub", test)[-1]["type"] == "incident.closed", 10, "the hub hears the end")
    assert due(site) == ["P2", "P3", "P4"]
    assert due(site, "--group", "living_alone") == ["P2"]
    page = site.api("GET", "/v1/test-presses", query={"limit": 3})
    assert [one["person"] for one in page["people"]] == ["P2", "P3", "P4"] and page["people"][0]["due"] is True
    rest = site.api("GET", "/v1/test-presses", query={"limit": 3, "after": page["next"]})
    assert [one["person"] for one in rest["people"]] == ["P1"] and "next" not in rest
    assert rest["people"][0]["due"] is False
    assert [one["person"] for one in site.api("GET", "/v1/test-presses", query={"due": "false"})["people"]] == ["P1"]
    report = site.api("GET", "/v1/report")
    assert report["test_presses"] == {"days": 30, "due": 3, "never": 3}
    assert [row["opened"] for row in report["services"] if row["service"] == "emergency"] == [1], "tests are left out"
    assert "3 people are due" in site.ydtctl("report")
    # The window served once: what she presses now is real, also while its time is not over.
    again = press(site, 1)
    assert "test_press" not in again
    eventually(lambda: told(site, "dispatch", again), 10, "the ambulance service hears of it")
    assert told(site, "dispatch", test) == [], "in the whole story of the test"


def test_what_is_refused_and_taken_back(site):
    with pytest.raises(StatusError) as unknown:
        start(site, "P77")
    assert unknown.value.status == 404
    with pytest.raises(StatusError, match="no terminal") as none:
        start(site, "P9")
    assert none.value.status == 409
    real = press(site, 3)
    with pytest.raises(StatusError, match="close it first") as is_open:
        start(site, "P3")
    assert is_open.value.status == 409
    site.close(real["id"])
    start(site, "P3")
    assert "every press is real" in site.ydtctl("test-press", "stop", "P3", "--operator", "op-1")
    again = press(site, 3)
    assert "test_press" not in again
    eventually(lambda: told(site, "dispatch", again), 10, "the ambulance service hears of it")


def test_it_is_real_when_a_human_says_so_and_is_forgotten_with_the_person(site):
    start(site, "P4")
    test = press(site, 4)
    assert test["test_press"] is True
    eventually(lambda: told(site, "care-hub", test), 10, "the hub has it")
    site.ydtctl("real", test["id"], "--reason", "she has fallen", "--operator", "op-1")
    event = eventually(lambda: told(site, "dispatch", test), 10, "the ambulance service hears of it now")[0]
    assert event["event"]["data"]["drill"] is False and "test_press" not in event["event"]["data"]
    site.close(test["id"])
    assert "last" not in site.api("GET", "/v1/people/P4/test-press"), "an emergency is no test"
    # One that is passed, and then forgotten with the person.
    start(site, "P1")
    passed = press(site, 1)
    eventually(lambda: told(site, "care-hub", passed), 10, "the hub has it")
    site.acknowledge(passed["id"])
    eventually(lambda: site.api("GET", "/v1/people/P1/test-press").get("last"), 10, "the test is passed")
    site.close(passed["id"], "test")
    site.ydtctl("people", "erase", "P1", "--yes", "--operator", "op-1")
    with pytest.raises(StatusError) as gone:
        site.api("GET", "/v1/people/P1/test-press")
    assert gone.value.status == 404
    assert "P1" not in [one["person"] for one in site.api("GET", "/v1/test-presses")["people"]]
    time.sleep(1)
    assert told(site, "dispatch", passed) == []
