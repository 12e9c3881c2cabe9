"""Many terminals silent, lost or back at once are one incident, and so are ever new strangers, through the real daemon."""

import contextlib
import threading

import pytest

from jt808_terminal import SocketLine, Terminal
from site_under_test import Site, eventually

SITE = "fffd000000000000000000"
COUNT = 12


@pytest.fixture
def make_site(new_site):
    def make(silence: int) -> Site:
        site = new_site(
            rules=f"silence_seconds = {silence}\nmass_event_terminals = 10\nmass_event_window_seconds = 2")
        site.start()
        site.import_people([
            {"id": f"P{number}", "name": "很多人", "terminals": phone(number)} for number in range(COUNT)])
        return site
    return make


def phone(number: int) -> str:
    return f"0179400001{number:02}"


def connect(site: Site, stack: contextlib.ExitStack, numbers=range(COUNT)) -> list[Terminal]:
    terminals = [stack.enter_context(Terminal.connect(site.port, phone(number))) for number in numbers]
    for terminal in terminals:
        assert terminal.request(terminal.location())
    return terminals


def mass(site: Site) -> list[dict]:
    return [one for one in site.incidents() if one["terminal"] == SITE]


def silent(site: Site) -> set[str]:
    return {one["terminal"] for one in site.incidents() if one["causes"] == ["silence"]}


class Beating:
    """Terminals that go on saying that they are there."""

    def __init__(self, terminals: list[Terminal]):
        self.terminals = terminals
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(0.5):
            for terminal in self.terminals:
                terminal.write(terminal.heartbeat().encode())

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def metric(site: Site, line: str) -> bool:
    return line in site.raw("GET", "/metrics")[2].splitlines()


def test_a_silent_district_is_one_incident_and_nobody_is_swallowed(make_site):
    site = make_site(silence=4)
    hub = site.receivers["care-hub"]
    with contextlib.ExitStack() as stack:
        terminals = connect(site, stack)
        incident = eventually(lambda: mass(site), 20, "one incident for all")[0]
        assert incident["causes"] == ["mass_silence"] and incident["service"] == "security_alarm"
        assert incident["affected_terminals"] >= 10 and "person" not in incident
        opened = hub.wait_event(incident["id"], "incident.opened")["event"]["data"]
        assert opened["affected_terminals"] >= 10 and opened["person"] is None
        detail = site.incident(incident["id"])["timeline"][0]["detail"]
        assert "terminals are silent" in detail and "for example 179400001" in detail
        # Who presses in the midst of it is an emergency of one's own.
        assert terminals[0].request(terminals[0].sos())
        emergency = site.wait_incident(terminals[0].terminal_id)
        hub.wait_event(emergency["id"], "incident.opened")
        assert silent(site) == set()
        assert metric(site, 'yidiantong_mass_events_total{cause="mass_silence"} 1')
        # The same silence after a crash belongs to the same incident.
        site.kill()
        site.start()
        notes = len(site.incident(incident["id"])["timeline"])
        eventually(lambda: len(site.incident(incident["id"])["timeline"]) > notes, 20, "they are silent again")
        assert len(mass(site)) == 1 and silent(site) == set()
    with contextlib.ExitStack() as stack:
        back = connect(site, stack, range(COUNT - 2))
        with Beating(back):
            lost = {phone(number).lstrip("0") for number in range(COUNT - 2, COUNT)}
            eventually(lambda: silent(site) == lost, 20, "those that did not come back have incidents of their own")
            end = [entry["detail"] for entry in site.incident(incident["id"])["timeline"]
                   if "get incidents of their own" in entry["detail"]]
            assert len(end) == 1 and "2 still silent" in end[0], end
            assert metric(site, "yidiantong_mass_silent_terminals 0")
    assert len(mass(site)) == 1 and mass(site)[0]["state"] in ("open", "notified"), "only a human closes"
    assert len(site.incident(incident["id"])["timeline"]) < 20


def test_few_silent_terminals_are_incidents_of_their_own(make_site):
    site = make_site(silence=4)
    with contextlib.ExitStack() as stack:
        connect(site, stack, range(5))
        eventually(lambda: len(silent(site)) == 5, 20, "one each")
        assert mass(site) == []


def test_lost_and_renewed_connections_are_one_incident(make_site):
    site = make_site(silence=0)
    with contextlib.ExitStack() as stack:
        connect(site, stack)
        # What is usual is learnt for two windows; strangers make no event of themselves.
        threading.Event().wait(5)
        with contextlib.ExitStack() as strangers:
            for number in range(20):
                stranger = strangers.enter_context(Terminal.connect(site.port, f"01795000{number:04}"))
                assert stranger.request(stranger.location())
        threading.Event().wait(0.5)
        assert mass(site) == []
    incident = eventually(lambda: mass(site), 10, "the lost connections are seen")[0]
    assert incident["causes"] == ["mass_disconnect"]
    with contextlib.ExitStack() as stack:
        terminals = connect(site, stack)
        eventually(lambda: mass(site)[0]["causes"] == ["mass_disconnect", "mass_reconnect"], 10, "and that they are back")
        assert terminals[3].request(terminals[3].sos())
        site.wait_incident(terminals[3].terminal_id)
        # The gateway's own stop and start are no events.
        before = len(site.incident(incident["id"])["timeline"])
        site.stop()
        site.start()
    with contextlib.ExitStack() as stack:
        connect(site, stack)
        threading.Event().wait(1)
        assert len(mass(site)) == 1
        assert len(site.incident(incident["id"])["timeline"]) <= before + 4
    site.acknowledge(incident["id"])
    site.close(incident["id"], "repaired")


def test_a_sender_of_ever_new_ids_fills_no_list_and_no_press_is_lost(new_site):
    site = new_site(rules="unidentified_incidents_per_address = 3")
    site.start()
    hub = site.receivers["care-hub"]
    for number in range(8):
        with Terminal.connect(site.port, f"01796000{number:04}") as stranger:
            assert stranger.request(stranger.sos()), "each press is stored and acknowledged"
    incidents = site.incidents(service="emergency")
    assert len(incidents) == 4, "three of their own and one for the rest"
    shared = incidents[0]
    evidence = site.incident(shared["id"])["evidence"]
    assert {entry["event"]["terminal"] for entry in evidence} == {f"1796000{number:04}" for number in range(3, 8)}
    # The hub hears of the first at once, and of the number when it grows, at most once in raise_interval_seconds.
    eventually(lambda: [event for event in hub.events(shared["id"])
                        if event["event"]["data"].get("gathered_terminals", 0) >= 1], 10, "the hub sees the count")
    # Another address has room of its own.
    with Terminal(SocketLine(site.port, "127.0.0.9"), "017960000099") as other:
        assert other.request(other.sos())
    assert len(site.incidents(service="emergency")) == 5
