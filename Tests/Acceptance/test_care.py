"""Reminders of `care_contact` through the real daemon: asked by the clock, answered by a key or a sign of life, missed."""

import sqlite3
import time

import pytest

from jt808_terminal import Terminal
from site_under_test import Site, eventually

PHONE = "017920000201"
ID = "17920000201"


def next_minute(at_least: float = 3) -> tuple[str, float]:
    """The next full minute on a clock at UTC that is not too near, as HH:MM, and when it is."""
    moment = (time.time() + at_least) // 60 * 60 + 60
    return time.strftime("%H:%M", time.gmtime(moment)), moment


def schedule(time_of_day: str, name: str = "morning", **keys: str) -> str:
    keys = {"groups": '["living_alone"]', "answer_within_seconds": "4", "repeat": "false", **keys}
    lines = [f'{key} = {value}' for key, value in keys.items()]
    return "\n".join(["", "[[care_contact]]", f'name = "{name}"', f'times = ["{time_of_day}"]', *lines, ""])


@pytest.fixture
def care_site(new_site):
    def make(extra: str) -> Site:
        site = new_site(
            rules="utc_offset_minutes = 0", extra='[[model]]\nname = "pendant"\ntrust_by_id = true\n' + extra)
        site.start()
        site.import_people([
            {"id": "P1", "name": "王奶奶", "terminals": PHONE, "model": "pendant", "groups": "living_alone"},
            {"id": "P2", "name": "李大爷", "terminals": "017920000202", "model": "pendant", "groups": "living_alone"},
            {"id": "P3", "name": "无终端", "groups": "living_alone"},
            {"id": "P4", "name": "不在组", "terminals": "017920000204", "model": "pendant"}])
        return site
    return make


def reminders(site: Site, **query) -> list[dict]:
    return site.api("GET", "/v1/care", query=query)["reminders"]


def state(site: Site, person: str) -> str | None:
    found = reminders(site, person=person)
    assert len(found) <= 1, "each person is asked once"
    return found[0]["state"] if found else None


def test_a_key_answers_and_silence_opens_an_incident(care_site):
    at, moment = next_minute()
    site = care_site(schedule(at))
    with Terminal.connect(site.port, PHONE) as awake, Terminal.connect(site.port, "017920000202") as silent, \
            Terminal.connect(site.port, "017920000204") as other:
        for terminal in (awake, silent, other):
            terminal.log_in()
        eventually(lambda: awake.texts() and silent.texts(), moment - time.time() + 10, "the reminders")
        assert "王奶奶" in awake.texts()[0] and at in awake.texts()[0]
        eventually(lambda: state(site, "P1") == "sent", 5, "the reminder left")
        key = awake.key(1)
        assert awake.request(key)
        eventually(lambda: state(site, "P1") == "confirmed", 5, "the key is the answer")
        # Her acknowledgement was lost: she says it once more.
        awake.received.clear()
        assert awake.request(key)
        # A machine's heartbeat is no key.
        assert silent.request(silent.heartbeat())
        incident = site.wait_incident("17920000202", 15, "care_contact")
        assert incident["causes"] == ["reminder_missed"]
        assert state(site, "P2") == "missed"
        assert other.texts() == []
        assert site.incidents_of(ID) == [], "an answer is no call for help"
        # The question is answered: the next key is a call for help again.
        assert awake.request(awake.key(1))
        site.wait_incident(ID, 5, "life_assistance")
    eventually(lambda: site.receivers["care-hub"].events(incident["id"]), 10, "the hub hears of it")
    missing = reminders(site, person="P3")
    assert missing[0]["state"] == "not_sent" and "no terminal" in missing[0]["detail"]
    table = site.ydtctl("care", "--state", "missed")
    assert "P2" in table and "P1" not in table
    site.ydtctl("close", incident["id"], "--disposition", "well", "--reason", "asked by phone", "--operator", "op-1")
    metrics = site.raw("GET", "/metrics")[2]
    assert 'yidiantong_care_contacts_total{outcome="missed"} 1' in metrics


def test_an_sos_is_an_sos_and_any_frame_is_a_sign_of_life(care_site):
    at, moment = next_minute()
    site = care_site(schedule(at, confirm='"sign_of_life"', text='"{name}, {time}?"', answer_within_seconds="6"))
    with Terminal.connect(site.port, PHONE) as first, Terminal.connect(site.port, "017920000202") as second:
        first.log_in()
        second.log_in()
        eventually(lambda: first.texts() and second.texts(), moment - time.time() + 10, "the reminders")
        assert first.texts() == [f"王奶奶, {at}?"]
        eventually(lambda: state(site, "P1") == "sent" == state(site, "P2"), 5, "both left")
        time.sleep(1)
        assert state(site, "P1") == "sent", "the machine's answer to the message is no sign of life"
        assert first.request(first.heartbeat())
        assert second.request(second.sos())
        site.wait_incident("17920000202", 5, "emergency")
        eventually(lambda: state(site, "P1") == "confirmed" == state(site, "P2"), 5, "both are alive")
        assert "SOS" in reminders(site, person="P2")[0]["detail"]
    assert [one for one in site.incidents() if one["service"] == "care_contact"] == []


def test_a_crash_neither_forgets_nor_repeats(care_site):
    at, moment = next_minute()
    site = care_site(schedule(at, repeat="true", answer_within_seconds="8"))
    with Terminal.connect(site.port, PHONE) as terminal:
        terminal.log_in()
        eventually(lambda: terminal.texts(), moment - time.time() + 10, "the reminder")
        eventually(lambda: state(site, "P1") == "sent", 5, "the reminder left")
    site.kill()
    site.start()
    with Terminal.connect(site.port, PHONE) as terminal:
        terminal.log_in()
        eventually(lambda: reminders(site, person="P1")[0]["attempts"] == 2, 20, "asked once more")
        eventually(lambda: state(site, "P1") == "sent", 5, "it left")
        assert len(terminal.texts()) == 1
        assert terminal.request(terminal.key(1))
        eventually(lambda: state(site, "P1") == "confirmed", 5, "answered")
        site.wait_incident("17920000202", 25, "care_contact")
    assert state(site, "P2") == "missed"
    assert "not there" in reminders(site, person="P2")[0]["detail"]
    assert site.incidents_of(ID) == []


def test_what_was_due_while_the_gateway_was_down(care_site):
    at, moment = next_minute()
    site = care_site(
        schedule(at, "soon", answer_within_seconds="600") + schedule(at, "stale", answer_within_seconds="1"))
    time.sleep(2)  # Both schedules have begun.
    assert site.stop() == 0
    time.sleep(max(0, moment + 3 - time.time()))
    site.start()
    found = eventually(lambda: [one for one in reminders(site, person="P1")] if len(reminders(site, person="P1")) == 2
                       else None, 10, "both are on record")
    states = {one["schedule"]: one for one in found}
    assert states["soon"]["state"] == "queued", "it is still time to ask"
    assert states["stale"]["state"] == "not_sent"
    assert "could not send it" in states["stale"]["detail"]
    assert site.incidents() == [], "nobody is blamed who was not asked"
    with sqlite3.connect(f"file:{site.state}/incidents.sqlite?mode=ro", uri=True) as database:
        assert database.execute("SELECT count(*) FROM care_contacts").fetchone() == (6,)
