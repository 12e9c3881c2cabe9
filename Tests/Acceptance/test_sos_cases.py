"""Promise P2: nothing mutes an SOS, and promise 'one press is one incident': each odd case has the right incident."""

import itertools
import time
from datetime import datetime, timedelta, timezone

import pytest

from jt808_terminal import Fix, Terminal, acknowledges
from site_under_test import Site, eventually

PHONES = itertools.count(1)
SEVERAL_TERMINALS = 60
QUIET_SECONDS = 0.7


@pytest.fixture(scope="module")
def site(new_shared_site):
    # The answer to a question where it is would be a report between the presses.
    site = new_shared_site(emergency=("dispatch-120",), extra="[chase]\ninterval_seconds = 0\n")
    site.start()
    site.import_people([
        {"id": f"P{number:03d}", "name": f"测试{number}", "phone": f"0731000{number:05d}",
         "services": "emergency;life_assistance", "consent_120": "yes", "terminals": f"1787{number:07d}"}
        for number in range(1, SEVERAL_TERMINALS)])
    site.commission()
    return site


@pytest.fixture
def terminal(site):
    with Terminal.connect(site.port, f"01787{next(PHONES):07d}") as terminal:
        terminal.log_in()
        yield terminal


def opened_events(site: Site, incident: dict) -> list[dict]:
    return site.receivers["care-hub"].events(incident["id"], "incident.opened")


def check_heard(site: Site, incident: dict, dispatch: bool):
    """The hub has it once; 120 has it or, after a fair wait, has it not."""
    event = site.receivers["care-hub"].wait_event(incident["id"], "incident.opened")
    assert event["verified"] and event["event"]["data"]["durable"]
    if dispatch:
        assert site.receivers["dispatch-120"].wait_event(incident["id"], "incident.opened")["verified"]
    else:
        time.sleep(QUIET_SECONDS)
        assert site.receivers["dispatch-120"].events(incident["id"]) == []
    assert len({event["id"] for event in opened_events(site, incident)}) == 1


def press(site: Site, terminal: Terminal, fix: Fix) -> dict:
    assert terminal.request(terminal.sos(fix)), "the SOS was not acknowledged"
    incidents = site.incidents_of(terminal.terminal_id)
    assert len(incidents) == 1, incidents
    incident = incidents[0]
    assert (incident["service"], incident["presses"]) == ("emergency", 1)
    assert "sos" in incident["causes"]
    opened = datetime.fromisoformat(incident["opened_at"])
    assert abs(opened - datetime.now(timezone.utc)) < timedelta(seconds=10), incident["opened_at"]
    return incident


def test_ordinary(site, terminal):
    incident = press(site, terminal, Fix())
    assert incident["trust"] == "verified" and incident["person"].startswith("P") and not incident["late"]
    assert incident["position"]["valid"]
    assert incident["position"]["latitude"] == pytest.approx(28.235567, abs=1e-6)
    check_heard(site, incident, dispatch=True)


def test_without_fix(site, terminal):
    # Asked at once where it is, it has no better answer; the gateway would rightly take one.
    terminal.fix = Fix(valid=False)
    incident = press(site, terminal, Fix(valid=False))
    assert not (incident.get("position") or {}).get("valid", False)
    check_heard(site, incident, dispatch=True)


def test_without_fix_keeps_the_last_known_place(site, terminal):
    assert terminal.request(terminal.location(Fix(latitude=28.2, longitude=112.9)))
    incident = press(site, terminal, Fix(latitude=0, longitude=0, valid=False))
    position = incident.get("position")
    assert position is None or abs(position["latitude"]) > 1, "0, 0 is no place"
    check_heard(site, incident, dispatch=True)


def test_zero_coordinates_with_the_fix_bit(site, terminal):
    terminal.fix = Fix(latitude=0, longitude=0, valid=True)
    incident = press(site, terminal, Fix(latitude=0, longitude=0, valid=True))
    assert not (incident.get("position") or {}).get("valid", False)
    check_heard(site, incident, dispatch=True)


@pytest.mark.parametrize("stamp", ["700101000000", "991231235959", "000000000000", "261399256199", "ffffffffffff"])
def test_impossible_time(site, terminal, stamp):
    incident = press(site, terminal, Fix(time=stamp))
    assert not incident["late"], "a clock that was never set says nothing about lateness"
    check_heard(site, incident, dispatch=True)
    # The broken clock does not poison what follows.
    assert terminal.request(terminal.location(Fix(latitude=28.3, longitude=112.8)))


def test_live_report_with_an_old_clock(site, terminal):
    """An SOS from a clock that is hours behind: whether it is late cannot be known, so it is heard in full."""
    incident = press(site, terminal, Fix(time=datetime.now(timezone.utc) - timedelta(hours=3)))
    assert site.receivers["care-hub"].wait_event(incident["id"], "incident.opened")["verified"]


@pytest.mark.parametrize("minutes,dispatch", [(3, True), (180, False)])
def test_stored_sos_in_a_batch(site, terminal, minutes, dispatch):
    """Stored on the terminal: late, and above the configured age 120 is left to a human."""
    now = datetime.now(timezone.utc)
    made = now - timedelta(minutes=minutes)
    fixes = [Fix(time=made), Fix(time=made + timedelta(seconds=30), alarms=1), Fix(time=now - timedelta(seconds=30))]
    assert terminal.request(terminal.batch(fixes))
    incident = site.wait_incident(terminal.terminal_id)
    assert incident["presses"] == 1 and incident["late"]
    check_heard(site, incident, dispatch)


def test_out_of_order(site, terminal):
    now = datetime.now(timezone.utc)
    assert terminal.request(terminal.location(Fix(time=now)))
    incident = press(site, terminal, Fix(time=now - timedelta(minutes=5)))
    check_heard(site, incident, dispatch=True)


def test_exact_retransmission(site, terminal):
    request = terminal.sos()
    assert terminal.request(request)
    for repetition in range(3):
        before = sum(acknowledges(frame, request) for frame in terminal.received)
        terminal.write(request.encode())
        eventually(
            lambda: sum(acknowledges(frame, request) for frame in terminal.received) > before, 5,
            f"an acknowledgement of repetition {repetition}")
    incident, = site.incidents_of(terminal.terminal_id)
    assert incident["presses"] == 1
    check_heard(site, incident, dispatch=True)


def test_retransmission_on_a_new_connection(site, terminal):
    request = terminal.sos()
    assert terminal.request(request)
    with Terminal.connect(site.port, terminal.phone) as again:
        assert again.request(request)
    incident, = site.incidents_of(terminal.terminal_id)
    assert incident["presses"] == 1
    check_heard(site, incident, dispatch=True)


def test_held_bit(site, terminal):
    incident = press(site, terminal, Fix())
    for number in range(5):
        assert terminal.request(terminal.sos(Fix(latitude=28.24 + number / 1000)))
    same, = site.incidents_of(terminal.terminal_id)
    assert (same["id"], same["presses"]) == (incident["id"], 1)
    site.acknowledge(incident["id"])
    for _ in range(3):
        assert terminal.request(terminal.sos())
    same, = site.incidents_of(terminal.terminal_id)
    assert (same["id"], same["presses"], same["state"]) == (incident["id"], 1, "acknowledged")
    check_heard(site, incident, dispatch=True)


def clock(kind: str):
    """Device times of three reports: a clock that goes, and one that stands still (the time of the last fix)."""
    start = datetime.now(timezone.utc) - timedelta(seconds=60)
    return [start + timedelta(seconds=0 if kind == "frozen" else 10 * number) for number in range(3)]


@pytest.mark.parametrize("kind", ["going", "frozen"])
def test_a_second_press_raises_attention_again(site, terminal, kind):
    pressed, released, again = clock(kind)
    incident = press(site, terminal, Fix(time=pressed))
    assert terminal.request(terminal.location(Fix(time=released)))
    assert terminal.request(terminal.sos(Fix(time=again)))
    same, = site.incidents_of(terminal.terminal_id)
    assert (same["id"], same["presses"]) == (incident["id"], 2)


@pytest.mark.parametrize("kind", ["going", "frozen"])
def test_a_press_after_closing_is_a_new_incident(site, terminal, kind):
    pressed, released, again = clock(kind)
    incident = press(site, terminal, Fix(time=pressed))
    assert terminal.request(terminal.location(Fix(time=released)))
    site.close(incident["id"])
    assert terminal.request(terminal.sos(Fix(time=again)))
    incidents = site.incidents_of(terminal.terminal_id)
    assert len(incidents) == 2, "the press after closing was muted"
    assert sorted(one["state"] == "closed" for one in incidents) == [False, True]


def test_the_terminal_cannot_close(site, terminal):
    """The bit goes away: that is a note at most (promise P4)."""
    incident = press(site, terminal, Fix())
    for _ in range(3):
        assert terminal.request(terminal.location())
    assert site.incident(incident["id"])["incident"]["state"] in ("open", "notified")


def test_known_terminal_without_its_code_is_claimed_and_not_sent_to_120(site):
    with Terminal.connect(site.port, f"01787{next(PHONES):07d}") as terminal:
        incident = press(site, terminal, Fix())
        assert incident["trust"] == "claimed" and incident["person"]
        check_heard(site, incident, dispatch=False)


def test_wrong_code_is_answered_1_and_the_sos_still_counts(site):
    with Terminal.connect(site.port, f"01787{next(PHONES):07d}") as terminal:
        code = terminal.log_in()
        assert terminal.request(terminal.authenticate(code[::-1] + b"x")).body[4] == 1
    with Terminal.connect(site.port, terminal.phone) as terminal:
        assert terminal.request(terminal.authenticate(b"wrong")).body[4] == 1
        incident = press(site, terminal, Fix())
        assert incident["trust"] == "claimed"
        check_heard(site, incident, dispatch=False)


@pytest.mark.parametrize("version", [None, 1])
def test_unknown_terminal(site, version):
    phone = "01788" + ("1" if version else "0") * 7
    with Terminal.connect(site.port, phone if version is None else phone.rjust(20, "0"), version) as terminal:
        incident = press(site, terminal, Fix())
        assert "person" not in incident and incident["trust"] == "unknown"
        check_heard(site, incident, dispatch=False)


@pytest.mark.parametrize("policy", ["quarantine", "refuse"])
def test_unknown_terminal_of_a_stricter_site(new_site, policy):
    site = new_site(emergency=("dispatch-120",), unknown=policy)
    site.start()
    site.commission()
    with Terminal.connect(site.port, "017890000001") as terminal:
        incident = press(site, terminal, Fix())
        assert "person" not in incident
        check_heard(site, incident, dispatch=False)


def test_before_commissioning_120_hears_nothing(new_site):
    site = new_site(emergency=("dispatch-120",))
    site.start()
    site.import_people([{
        "id": "P1", "name": "测试", "services": "emergency", "consent_120": "yes", "terminals": "17890000002"}])
    with Terminal.connect(site.port, "017890000002") as terminal:
        terminal.log_in()
        incident = press(site, terminal, Fix())
        check_heard(site, incident, dispatch=False)
    kinds = [entry["kind"] for entry in site.incident(incident["id"])["timeline"]]
    assert "withheld" in kinds, kinds


def test_without_consent_120_hears_nothing(new_site):
    site = new_site(emergency=("dispatch-120",))
    site.start()
    site.commission()
    site.import_people([{
        "id": "P1", "name": "测试", "services": "emergency", "consent_120": "no", "terminals": "17890000003"}])
    with Terminal.connect(site.port, "017890000003") as terminal:
        terminal.log_in()
        check_heard(site, press(site, terminal, Fix()), dispatch=False)


def test_the_evidence_is_the_frame_as_it_came(site, terminal):
    request = terminal.sos()
    assert terminal.request(request)
    incident, = site.incidents_of(terminal.terminal_id)
    evidence = site.incident(incident["id"])["evidence"]
    assert evidence[0]["frame"] in (request.encode().hex(), request.encode()[1:-1].hex())
    assert evidence[0]["event"]["alarms"] == ["sos"]
