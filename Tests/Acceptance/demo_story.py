"""The story of the gateway, once, with real parts: told as it happens, step by step, with times.

Run by scripts/demo. Everything stays on this machine: the daemon listens on loopback, both receivers are processes
here that verify signatures with the PyPI package `standardwebhooks`, and the "120" of the story is one of them.
"""

import argparse
import json
import re
import sys
import time
from contextlib import contextmanager

from jt808_terminal import Fix, Terminal
from site_under_test import Site, eventually, received_at

PHONE = "017700000108"
HOME = (28.228209, 112.938814)
OUTSIDE = (28.240000, 112.938814)
PERSON = {
    "id": "P-0101", "name": "王秀英", "sex": "female", "birth_date": "1941-05-06",
    "address": "长沙市芙蓉区人民路1号3栋201", "landmark": "粮店对面", "conditions": "下肢瘫痪;高血压",
    "medicines": "氨氯地平", "blood_type": "O", "allergies": "青霉素", "phone": "073100000101",
    "contacts": "王小明|073100000102|女儿|guardian",
    "groups": "living_alone", "services": "emergency;life_assistance;fence_watch", "consent_120": "yes",
    "terminals": PHONE.lstrip("0"), "model": "PA-100", "utc_offset_minutes": "480",
}
FENCE = {
    "type": "FeatureCollection",
    "features": [{
        "type": "Feature", "id": "home-500m",
        "geometry": {"type": "Point", "coordinates": [HOME[1], HOME[0]]},
        "properties": {
            "name": "家周围500米", "rule": "outside_forbidden", "datum": "wgs84", "radius_m": 500,
            "persons": ["P-0101"], "hysteresis_m": 20, "confirmations": 2, "confirmations_of": 3},
    }],
}
BOLD, GREEN, RED, PLAIN = ("\033[1m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 4


class Failed(Exception):
    pass


class Story:
    """Numbers the steps and says, when one fails, which and what was expected."""

    def __init__(self):
        self.number = 0
        self.began = time.monotonic()

    @contextmanager
    def step(self, title: str):
        self.number += 1
        print(f"\n{BOLD}{self.number:2d}. {title}{PLAIN}", flush=True)
        try:
            yield
        except (AssertionError, OSError, KeyError, IndexError, ValueError) as error:
            raise Failed(f"step {self.number} ({title}): {error or type(error).__name__}") from error

    def tell(self, text: str):
        print(f"    {time.monotonic() - self.began:7.3f} s  {text}", flush=True)


def expect(condition, expected: str):
    if not condition:
        raise AssertionError(f"expected {expected}")
    return condition


def milliseconds_since(terminal: Terminal, event: dict) -> float:
    return (received_at(event) - terminal.sent_at) * 1000


def tell_story(site: Site, story: Story):
    hub, dispatch = site.receivers["care-hub"], site.receivers["dispatch-120"]

    with story.step("The daemon starts on an empty directory"):
        story.tell(f"ready after {site.start() * 1000:.0f} ms; terminals at 127.0.0.1:{site.port}")
        expect(not site.status()["commissioned"], "a site that is not commissioned yet")
        story.tell("not commissioned: no emergency service can be reached yet")

    with story.step("The demo site is commissioned, a person card and a fence are imported"):
        reason = "demo: 120 is a process on this machine"
        site.ydtctl("commission", "--operator", "demo", "--reason", reason)
        expect(site.status()["commissioned"], "a commissioned site")
        story.tell(f"ydtctl commission: \"{reason}\" (logged)")
        site.import_people([PERSON])
        story.tell(f"person card: {PERSON['name']}, {PERSON['address']}, {PERSON['conditions']}")
        report = site.api("POST", "/v1/import/fences", FENCE, "application/geo+json")
        expect(report["stored"] == 1, f"one fence stored, found {report}")
        story.tell(f"fence: {FENCE['features'][0]['properties']['name']}")

    with Terminal.connect(site.port, PHONE) as terminal:
        terminal.fix = Fix(*HOME)
        with story.step("Her terminal registers, authenticates and reports"):
            code = terminal.log_in()
            story.tell(f"0x0100 -> 0x8100 with a random code of {len(code)} bytes; 0x0102 -> 0x8001")
            for _ in range(3):
                expect(terminal.request(terminal.location(Fix(*HOME))), "0x8001 for a position at home")
            story.tell("three positions at home stored and acknowledged")
        tell_rice(site, story, terminal, hub)
        tell_fence(site, story, terminal, hub)
        incident = tell_sos(site, story, terminal, hub, dispatch)
        tell_answer(site, story, terminal, hub, incident)
    tell_crash(site, story, incident)


def tell_rice(site: Site, story: Story, terminal: Terminal, hub):
    with story.step("She has run out of rice and presses any key"):
        press = terminal.key(2)
        sent = terminal.write(press.encode())
        answer = expect(
            terminal.wait_for(lambda frame: frame.message == 0x8001 and frame.body[2:4] == b"\x03\x01"),
            "0x8001 for the key event 0x0301")
        story.tell(f"key 2 acknowledged after {(answer.at - sent) * 1000:.1f} ms")
        incident = site.wait_incident(terminal.terminal_id, service="life_assistance")
        event = hub.wait_event(incident["id"], "incident.opened")
        expect(event["verified"], "a webhook with a good signature")
        card = event["event"]["data"]["person"]
        expect(card["name"] == PERSON["name"] and card["address"] == PERSON["address"], "her card in the webhook")
        story.tell(
            f"the hub has incident {incident['id']} after {milliseconds_since(terminal, event):.0f} ms, "
            "signature verified")
        story.tell(f"her card: {card['name']}, {card['address']} ({card['landmark']}), 电话 {card['phone']}")
        expect(not site.receivers["dispatch-120"].events(incident["id"]), "120 left alone")


def tell_fence(site: Site, story: Story, terminal: Terminal, hub):
    with story.step("She is taken out of the ground she is meant to stay on"):
        for number in range(3):
            place = Fix(OUTSIDE[0] + number / 10000, OUTSIDE[1], speed_kmh=4.0)
            expect(terminal.request(terminal.location(place)), "0x8001 for a position outside")
        incident = site.wait_incident(terminal.terminal_id, service="fence_watch")
        event = hub.wait_event(incident["id"], "incident.opened")
        expect(event["verified"], "a webhook with a good signature")
        causes = ", ".join(incident["causes"])
        story.tell(f"incident {incident['id']}: {causes}, fence {incident.get('fence')}; hub told")


def tell_sos(site: Site, story: Story, terminal: Terminal, hub, dispatch) -> dict:
    with story.step("She falls and presses SOS"):
        press = terminal.sos(Fix(OUTSIDE[0], OUTSIDE[1]))
        sent = terminal.write(press.encode())
        answer = expect(
            terminal.wait_for(
                lambda frame: frame.message == 0x8001 and frame.body[:2] == press.flow.to_bytes(2, "big")),
            "0x8001 for the SOS")
        story.tell(f"machine acknowledgement (after the commit to disk): {(answer.at - sent) * 1000:.1f} ms")
        incident = site.wait_incident(terminal.terminal_id)
        story.tell(f"incident number {incident['id']}, trust {incident['trust']}")
        for receiver in (dispatch, hub):
            event = receiver.wait_event(incident["id"], "incident.opened")
            expect(event["verified"], f"a webhook at {receiver.name} with a good signature")
            data = event["event"]["data"]
            expect(data["position"]["gcj02"], "the position in GCJ-02 as well")
            story.tell(
                f"{receiver.name}: webhook {event['id']} {milliseconds_since(terminal, event):.0f} ms after the press, "
                f"signature verified, {data['person']['name']}, call back {data['call_back_number']}")
        return incident


def tell_answer(site: Site, story: Story, terminal: Terminal, hub, incident: dict):
    with story.step("An operator takes over with ydtctl"):
        listed = json.loads(site.ydtctl("incidents", "--json"))
        rows = listed["incidents"] if isinstance(listed, dict) else listed
        expect(any(row["id"] == incident["id"] for row in rows), "the incident in `ydtctl incidents --json`")
        began = time.monotonic()
        site.ydtctl("ack", incident["id"], "--operator", "li.na", "--reason", "救护车已派出")
        state = site.incident(incident["id"])["incident"]
        expect(state["state"] == "acknowledged" and state["acknowledged_by"] == "li.na", f"acknowledged, found {state}")
        story.tell("ydtctl ack: acknowledged by li.na")
        confirm = expect(terminal.wait_for(lambda frame: frame.message == 0x8203), "0x8203 at the terminal")
        expect(confirm.body[5] & 1, "the emergency bit in 0x8203")
        expect(terminal.wait_for(lambda frame: frame.message == 0x8300), "0x8300 at the terminal")
        text = terminal.texts()[-1]
        expect(re.search("[\u4e00-\u9fff]", text), f"a Chinese text, found {text!r}")
        story.tell(f"the terminal has 0x8203 after {(confirm.at - began) * 1000:.0f} ms and says aloud: “{text}”")

        def confirmed() -> bool:
            commands = site.api("GET", f"/v1/terminals/{terminal.terminal_id}/commands")["commands"]
            done = [one for one in commands if one["outcome"] == "confirmed"]
            return len(done) >= 2

        eventually(confirmed, 10, "both commands confirmed by the terminal's own 0x0001")
        story.tell("both confirmed by the terminal's own 0x0001")
        event = hub.wait_event(incident["id"], "incident.acknowledged")
        expect(event["verified"], "the news at the hub with a good signature")
        story.tell("the hub knows that a human has taken over")


def tell_crash(site: Site, story: Story, incident: dict):
    with story.step("kill -9 of the daemon, and a new start"):
        before = sorted((one["id"], one["state"]) for one in site.incidents())
        site.kill()
        took = site.start()
        after = sorted((one["id"], one["state"]) for one in site.incidents())
        expect(after == before, f"the same incidents as before {before}, found {after}")
        detail = site.incident(incident["id"])
        expect(detail["incident"]["acknowledged_by"] == "li.na", "the acknowledgement still there")
        story.tell(f"serving again after {took * 1000:.0f} ms; all {len(after)} incidents are there")
        for entry in detail["timeline"]:
            print(f"        {entry['at']}  {entry['kind']:<13} {entry['actor']:<14} {entry['detail']}")
    with story.step("SIGTERM: an orderly end"):
        code = site.stop()
        expect(code == 0, f"exit code 0, found {code}")
        story.tell("the daemon has ended with 0")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep the directory of the site afterwards")
    arguments = parser.parse_args()
    story = Story()
    site = Site(targets=("care-hub",), emergency=("dispatch-120",))
    failed = True
    try:
        tell_story(site, story)
        failed = False
    except Failed as failure:
        print(f"\n{RED}FAILED at {failure}{PLAIN}", file=sys.stderr)
        print(f"Logs and databases are kept in {site.directory}:", file=sys.stderr)
        print(f"  daemon    {site.log}", file=sys.stderr)
        for receiver in site.receivers.values():
            print(f"  receiver  {receiver.log}", file=sys.stderr)
    finally:
        site.discard(keep=failed or arguments.keep)
    if not failed:
        print(f"\n{GREEN}All {story.number} steps were seen, in {time.monotonic() - story.began:.1f} s.{PLAIN}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
