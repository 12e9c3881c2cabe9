"""An EV07B pendant through the whole gateway: position, SOS, incident, webhook, acknowledgement, help is coming."""

import time

import pytest

from ev07b_terminal import CONFIGURATION, DATA, FALL, SERVICES, SIDE_KEY_1, SOS, SOS_CANCELLED, Frame, Pendant
from jt808_terminal import SocketLine
from site_under_test import Site, eventually, free_port

IMEI = "999910000000029"

MODEL = """
[[listener]]
protocol = "ev07b"
tcp = "127.0.0.1:{port}"

[[model]]
name = "EV-07B"
trust_by_id = true

[[model]]
name = "EV-07B-CHECK"
trust_by_id = true
alarm_codes = {{ 13 = "welfare", 10 = "fall" }}
"""


@pytest.fixture
def site(new_site) -> Site:
    port = free_port()
    site = new_site(emergency=("dispatch-120",), extra=MODEL.format(port=port))
    site.pendants = port
    site.start()
    site.import_people([
        {"id": "P1", "name": "王梅", "phone": "073100000001", "services": "emergency;life_assistance",
         "consent_120": "yes", "terminals": IMEI, "model": "EV-07B"}])
    site.commission()
    return site


def pendant(site: Site, imei: str = IMEI, **options) -> Pendant:
    return Pendant(SocketLine(site.pendants), imei, **options)


def test_from_the_press_to_help_is_coming(site):
    with pendant(site) as terminal:
        answer = terminal.request(terminal.time_request())
        assert answer.command == SERVICES
        assert abs(int.from_bytes(answer.value(0x12), "little") - time.time()) < 5
        assert terminal.is_acknowledged(terminal.heartbeat())
        assert terminal.is_acknowledged(terminal.report())
        assert site.incidents_of(IMEI) == []

        press = terminal.report(SOS)
        assert terminal.is_acknowledged(press)
        # Acknowledged means stored: the incident is there now.
        incident, = site.incidents_of(IMEI)
        assert (incident["service"], incident["causes"], incident["presses"]) == ("emergency", ["sos"], 1)
        assert incident["trust"] == "by_id" and incident["person"] == "P1"
        assert incident["position"]["latitude"] == pytest.approx(28.235567, abs=1e-6)
        for receiver in ("care-hub", "dispatch-120"):
            event = site.receivers[receiver].wait_event(incident["id"], "incident.opened")
            assert event["verified"] and event["event"]["data"]["durable"]

        # The same frame again is acknowledged and is no press.
        for _ in range(2):
            assert terminal.is_acknowledged(press)
        assert site.incidents_of(IMEI)[0]["presses"] == 1

        site.ydtctl("ack", incident["id"], "--operator", "op-1", "--reason", "on my way")
        spoken = terminal.wait_for(lambda frame: frame.value(0x1F) is not None)
        assert spoken and "已接警" in terminal.texts()[0]

        # A new press after the acknowledgement is one of the same incident and raises attention again.
        time.sleep(1.1)
        assert terminal.is_acknowledged(terminal.report(SOS))
        again, = site.incidents_of(IMEI)
        assert again["presses"] == 2

        # Over on the terminal is a note; a human closes.
        assert terminal.is_acknowledged(terminal.report(SOS_CANCELLED))
        assert site.incidents_of(IMEI)[0]["state"] != "closed"
        site.close(incident["id"])
        time.sleep(1.1)
        assert terminal.is_acknowledged(terminal.report(SOS))
        assert len(site.incidents_of(IMEI)) == 2


def test_a_fall_is_an_emergency_and_a_side_key_asks_for_help(site):
    with pendant(site) as terminal:
        assert terminal.is_acknowledged(terminal.report(FALL))
        incident = site.wait_incident(IMEI)
        assert incident["causes"] == ["fall"]
        assert site.receivers["dispatch-120"].wait_event(incident["id"], "incident.opened")["verified"]
        assert terminal.is_acknowledged(terminal.report(SIDE_KEY_1))
        assert site.wait_incident(IMEI, service="life_assistance")["keys"] == [1]


def test_the_model_says_what_a_bit_means(site):
    imei = "999910000000037"
    site.import_people([{"id": "P2", "name": "李雷", "terminals": imei, "model": "EV-07B-CHECK"}])
    with pendant(site, imei) as terminal:
        assert terminal.is_acknowledged(terminal.report(SIDE_KEY_1))
        assert site.wait_incident(imei, service="life_assistance")["causes"] == ["welfare"]
        assert terminal.is_acknowledged(terminal.report(1 << 10))
        assert site.wait_incident(imei)["causes"] == ["fall"]


def test_an_unknown_pendant_never_dials_120(site):
    imei = "999910000000045"
    with pendant(site, imei) as terminal:
        assert terminal.is_acknowledged(terminal.report(SOS, fix=False))
        incident = site.wait_incident(imei)
        assert incident["trust"] == "unknown"
        assert site.receivers["care-hub"].wait_event(incident["id"], "incident.opened")["verified"]
        time.sleep(0.7)
        assert site.receivers["dispatch-120"].events(incident["id"]) == []


def test_commands_reach_the_pendant_and_their_answers_come_back(site):
    with pendant(site) as terminal:
        assert terminal.is_acknowledged(terminal.heartbeat())

        def outcome(body: dict) -> dict:
            command = site.api("POST", f"/v1/terminals/{IMEI}/commands", {"operator": "op-1", **body})
            return eventually(
                lambda: next(
                    (one for one in site.api("GET", f"/v1/terminals/{IMEI}/commands")["commands"]
                     if one["id"] == command["id"] and one["outcome"] not in ("queued", "sent")), None),
                10, f"an outcome of {body}")

        assert outcome({"command": "locate"})["outcome"] == "confirmed"
        assert terminal.wait_for(lambda frame: frame.command == DATA and frame.blocks == [(0x12, b"")])
        assert outcome({"command": "track", "interval_seconds": 10, "duration_seconds": 600})["outcome"] == "confirmed"
        assert terminal.wait_for(
            lambda frame: frame.command == CONFIGURATION and frame.value(0x45) == bytes.fromhex("0a005802"))
        assert terminal.wait_for(lambda frame: frame.command == DATA and frame.blocks == [(0x13, b"")])


def test_damage_on_the_line_costs_only_the_damaged_frame(site):
    with pendant(site) as terminal:
        broken = bytearray(terminal.report(SOS).encode())
        broken[20] ^= 1
        good = terminal.report(SOS)
        terminal.write(b"\xab\x10\xff\x0f" + bytes(broken) + bytes([0xAB] * 40))
        assert terminal.is_acknowledged(good)
        assert terminal.count_answers(Frame(DATA, [], good.sequence - 1)) == 0
        assert site.incidents_of(IMEI)[0]["presses"] == 1
