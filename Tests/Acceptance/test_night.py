"""A night at a hub, from ten in the evening to six, with twenty people, a hub that fails and a power cut in the middle.

Daemon, siren, receivers and sockets are real; only the daemon's clock runs faster. NIGHT_PACE=60 takes eight minutes, the usual 100 five.
"""

import os
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest

from compressed_clock import CompressedClock
from dc09_panel import Panel
from jt808_terminal import Fix, SocketLine, Terminal
from siren_under_test import SirenUnderTest, SoundCard
from site_under_test import Site, eventually, free_port

PACE = int(os.environ.get("NIGHT_PACE", "100"))
CHINA = timezone(timedelta(hours=8))
EVENING = datetime(2026, 3, 13, 22, 0, tzinfo=CHINA)
# Kernel time that machine and network may take for anything, as seconds of the night.
SLACK = 1.2 * PACE
# Accounts of alarm panels at home, by person.
PANELS = {19: "7001", 20: "7002"}
HOME = (28.228209, 112.938814)
SERVICES = ";".join("emergency life_assistance care_contact security_alarm fence_watch elder_location child_location".split())

POLICIES = """
[[policy]]
service = "emergency"
group = "night"
repeat_milliseconds = 600000
steps = [
    { targets = ["dispatch-120", "care-hub"] },
    { after_milliseconds = 120000, targets = ["family"] },
    { after_milliseconds = 300000, targets = ["second-hub"] },
]

[[policy]]
service = "life_assistance"
group = "night"
repeat_milliseconds = 900000
steps = [{ targets = ["care-hub"] }, { after_milliseconds = 300000, targets = ["second-hub"] }]

[[policy]]
service = "fence_watch"
group = "night"
repeat_milliseconds = 1800000
steps = [{ targets = ["care-hub", "family"] }]

[[policy]]
service = "care_contact"
group = "night"
repeat_milliseconds = 1800000
steps = [{ targets = ["care-hub"] }]

[[care_contact]]
name = "late-greeting"
people = ["P07", "P08", "P09"]
times = "23:30"
answer_within_seconds = 600
repeat = false

[supervision]
remind_seconds = 600
overdue_seconds = 900

[chase]
interval_seconds = 30
period_seconds = 600
"""


def clock_time(text: str) -> datetime:
    """`"22:05"` or `"22:05:30"` of the night."""
    hours, minutes, *seconds = map(int, text.split(":"))
    moment = EVENING.replace(hour=hours, minute=minutes, second=seconds[0] if seconds else 0)
    return moment if moment >= EVENING else moment + timedelta(days=1)


@dataclass
class Step:
    """What must stand in a timeline: its kind, when, by whom or with which words."""

    kind: str
    when: str
    words: str = ""
    slack: float = SLACK

    def is_shown_by(self, entry: dict) -> bool:
        told = f"{entry['actor']} {entry['detail']}"
        return entry["kind"] == self.kind and re.search(self.words, told) is not None and abs(
            (datetime.fromisoformat(entry["at"]) - clock_time(self.when)).total_seconds()) <= self.slack


class Night:
    def __init__(self, new_site):
        self.clock = CompressedClock.starting(PACE, EVENING)
        self.panel_port = free_port()
        self.site: Site = new_site(
            targets=("care-hub", "second-hub", "family"), emergency=("dispatch-120",), daemon="compressed-yidiantongd",
            environment=self.clock.environment, repeat_milliseconds=600_000, sessions="idle_seconds = 86400",
            extra=POLICIES + f"""
[[listener]]
protocol = "dc09"
tcp = "127.0.0.1:{self.panel_port}"

[[model]]
name = "panel"
trust_by_id = true

[[model]]
name = "bedside"
silence_seconds = 1800
""")
        self.card = SoundCard(self.site.directory)
        self.siren = SirenUnderTest(self.site.directory, self.card)
        self.siren.durable = self.site.state / "siren"
        self.siren.volatile = self.site.directory / "siren"
        self.siren.durable.mkdir(exist_ok=True)
        self.terminals: dict[int, Terminal] = {}
        self.stories: dict[str, tuple[str, list[Step]]] = {}

    def begin(self):
        self.siren.start()
        self.site.start()
        self.site.commission()
        self.site.import_people([
            {"id": f"P{number:02}", "name": f"夜班{number:02}", "address": f"长沙市测试路{number}号", "services": SERVICES,
             "consent_120": "true", "terminals": PANELS.get(number) or self.phone(number).lstrip("0"),
             "groups": "night", "model": "panel" if number in PANELS else "bedside" if number == 14 else ""}
            for number in range(1, 21)])
        self.site.api("PUT", "/v1/fences/home", {
            "type": "Feature", "geometry": {"type": "Point", "coordinates": [HOME[1], HOME[0]]},
            "properties": {"name": "家周围500米", "rule": "outside_forbidden", "radius_m": 500, "persons": ["P03"]},
        }, "application/geo+json")
        self.connect()

    @staticmethod
    def phone(number: int) -> str:
        return f"0179100000{number:02}"

    def connect(self):
        """Everybody but the panels, which connect for each event."""
        for number in range(1, 19):
            terminal = Terminal.connect(self.site.port, self.phone(number))
            terminal.fix = self.fix()
            terminal.log_in()
            self.terminals[number] = terminal

    def fix(self, north: float = 0, **options) -> Fix:
        return Fix(HOME[0] + north, HOME[1], time=lambda: self.clock.now(CHINA), **options)

    def at(self, text: str):
        self.clock.sleep_until(clock_time(text))
        late = self.clock.time() - clock_time(text).timestamp()
        assert late < SLACK, f"the script itself is {late:.0f} s late at {text}: take a smaller NIGHT_PACE"

    def press(self, number: int, service: str = "emergency", frame=None, story: str = "") -> str:
        terminal = self.terminals[number]
        assert terminal.request(frame or terminal.sos(self.fix()))
        return self.tell(story, self.site.wait_incident(terminal.terminal_id, service=service)["id"])

    def tell(self, story: str, incident: str) -> str:
        self.stories[story] = (incident, [])
        return incident

    def expect(self, story: str, *steps: Step):
        self.stories[story][1].extend(steps)

    def sounds(self) -> bool:
        return self.card.heard_since(time.monotonic() - 0.3)

    def post(self, incident: str, action: str, **body):
        return self.site.api("POST", f"/v1/incidents/{incident}/{action}", {"operator": "li.na", **body})

    def acknowledge(self, story: str):
        self.post(self.stories[story][0], "acknowledge", reason="heard")

    def close(self, story: str, disposition: str = "helped"):
        self.post(self.stories[story][0], "close", disposition=disposition, reason="seen to its end")

    def panel(self, number: int, event: str, story: str, service: str):
        with Panel(SocketLine(self.panel_port), PANELS[number]) as panel:
            ahead = self.clock.time() - time.time()
            assert panel.request(panel.contact_id(event, clock=ahead)).name == "ACK"
        self.tell(story, self.site.wait_incident(PANELS[number], service=service)["id"])

    def receivers_of(self, incident: str) -> set[str]:
        return {name for name, receiver in self.site.receivers.items() if receiver.events(incident)}

    def power_cut(self):
        """Everything dies at once; what was not on the disk is gone."""
        self.site.kill()
        self.siren.kill()
        for terminal in self.terminals.values():
            terminal.close()

    def end(self):
        for terminal in self.terminals.values():
            terminal.close()
        self.siren.stop()
        self.card.stop()


@pytest.fixture
def night(new_site):
    night = Night(new_site)
    night.begin()
    yield night
    night.end()


def test_a_night_at_the_hub(night, figure):
    site, clock = night.site, night.clock

    # A press in the bathroom: 120 and the hub at once, the family after two minutes, and a human before the third step.
    night.at("22:05")
    night.press(1, story="bathroom")
    eventually(night.sounds, 5, "the siren")
    night.at("22:08")
    night.acknowledge("bathroom")
    eventually(lambda: not night.sounds(), 5, "quiet after the acknowledgement")
    eventually(lambda: "已接警" in "".join(night.terminals[1].texts()), 5, "the wearer is told")
    night.expect(
        "bathroom", Step("opened", "22:05"), Step("ladder_step", "22:05", "dispatch-120.*care-hub"),
        Step("accepted", "22:05", "dispatch-120"), Step("accepted", "22:05", "care-hub"),
        Step("ladder_step", "22:07", "family"), Step("accepted", "22:07", "family"),
        Step("acknowledged", "22:08", "li.na"), Step("closed", "22:40", "hospital"))

    # Rice has run out: a helper takes the job, is late, and the hub hears of it again.
    night.at("22:12")
    rice = night.press(2, "life_assistance", night.terminals[2].key(2), "rice")
    site.api("POST", f"/v1/terminals/{night.terminals[2].terminal_id}/commands",
             {"operator": "li.na", "command": "call-back", "number": "073155550100"})
    assert night.terminals[2].wait_for(lambda frame: frame.message == 0x8400), "called back"
    night.at("22:20")
    night.post(rice, "handover", to="helper-3", reason="rice and oil", due_at=clock_time("22:50").isoformat())

    # A confused man leaves the ground he is meant to stay on.
    night.at("22:25")
    for north in (0, 0, 0.01, 0.01, 0.01):
        assert night.terminals[3].request(night.terminals[3].location(night.fix(north)))
    night.tell("garden", site.wait_incident(night.terminals[3].terminal_id, service="fence_watch")["id"])
    night.at("22:40")
    night.close("bathroom", "hospital")
    # Ten minutes before the job is due.
    night.at("22:45")
    night.acknowledge("garden")
    night.expect(
        "garden", Step("opened", "22:25"), Step("ladder_step", "22:25", "care-hub.*family"),
        Step("acknowledged", "22:45"), Step("closed", "23:10", "returned"))

    # Somebody is made to switch the alarm off.
    night.at("22:55")
    night.panel(20, "121", "duress", "security_alarm")
    night.at("23:00")
    night.acknowledge("duress")
    night.expect(
        "duress", Step("opened", "22:55"), Step("accepted", "22:55", "care-hub"), Step("acknowledged", "23:00"),
        Step("closed", "05:40", "police"))

    # Where is the child, and where does grandfather walk?
    child = night.terminals[5]
    child.fix = night.fix(0.002)
    site.api("POST", f"/v1/terminals/{child.terminal_id}/commands", {"operator": "li.na", "command": "locate"})
    eventually(
        lambda: abs((site.api("GET", f"/v1/terminals/{child.terminal_id}").get("last_event") or {})
                    .get("position", {}).get("latitude", 0) - HOME[0] - 0.002) < 1e-5, 5, "the child's place")
    night.at("23:10")
    night.close("garden", "returned")
    night.close("rice", "delivered")
    night.expect(
        "rice", Step("opened", "22:12"), Step("ladder_step", "22:12", "care-hub"), Step("handed_over", "22:20", "helper-3"),
        Step("reminder", "22:40"), Step("overdue", "22:50"), Step("ladder_step", "22:50", "care-hub"),
        Step("closed", "23:10", "delivered"))
    walker = night.terminals[6]
    site.api("POST", f"/v1/terminals/{walker.terminal_id}/commands",
             {"operator": "li.na", "command": "track", "interval_seconds": 60, "duration_seconds": 600})
    assert walker.wait_for(lambda frame: frame.message == 0x8202), "tracked"
    for step in range(5):
        assert walker.request(walker.location(night.fix(step / 10_000)))
    track = site.api("GET", f"/v1/terminals/{walker.terminal_id}/track")
    assert len(track["points"]) >= 5

    # The late greeting: one presses a key, one presses SOS, and one does not answer.
    night.at("23:32")
    for number in (7, 8, 9):
        eventually(lambda: "".join(night.terminals[number].texts()), 5, f"person {number} is greeted")
    assert night.terminals[7].request(night.terminals[7].key(1))
    night.press(8, story="greeted")
    night.acknowledge("greeted")
    night.expect("greeted", Step("opened", "23:32"), Step("acknowledged", "23:32"), Step("closed", "05:40"))
    night.at("23:45")
    quiet = site.wait_incident(night.terminals[9].terminal_id, service="care_contact")
    assert quiet["causes"] == ["reminder_missed"]
    night.tell("no answer", quiet["id"])
    night.acknowledge("no answer")
    night.close("no answer", "well")
    night.expect(
        "no answer", Step("opened", "23:40", "late-greeting"), Step("accepted", "23:40", "care-hub"),
        Step("closed", "23:45", "well"))
    assert not site.incidents_of(night.terminals[7].terminal_id), "an answer is no call for help"
    states = {one["person"]: one["state"] for one in site.api("GET", "/v1/care")["reminders"]}
    assert states == {"P07": "confirmed", "P08": "confirmed", "P09": "missed"}

    # The hub's receiver dies at midnight; nobody there hears the press at ten past, others do, and the hub hears it as
    # soon as it lives.
    night.at("00:00")
    site.receivers["care-hub"].stop()
    night.at("00:10")
    stairs = night.press(10, story="stairs")
    site.receivers["dispatch-120"].wait_event(stairs, timeout=5)
    night.at("00:40")
    site.receivers["care-hub"].start()
    site.receivers["care-hub"].wait_event(stairs, timeout=20)
    night.at("00:50")
    night.acknowledge("stairs")
    night.expect(
        "stairs", Step("opened", "00:10"), Step("accepted", "00:10", "dispatch-120"), Step("attempt", "00:10", "care-hub"),
        Step("accepted", "00:12", "family"), Step("accepted", "00:15", "second-hub"),
        Step("ladder_step", "00:20", "round 2"), Step("ladder_step", "00:30", "round 3"),
        Step("withheld", "00:40", "dispatch-120"), Step("ladder_step", "00:40", "round 4"),
        Step("acknowledged", "00:50"), Step("closed", "05:40"))

    # A fall, and the power goes before anybody has answered.
    night.at("01:30")
    fall = night.press(11, story="fall")
    eventually(night.sounds, 5, "the siren")
    night.at("01:33")
    night.power_cut()
    night.at("01:36")
    site.start()
    night.siren.start()
    eventually(night.sounds, 5, "the siren after the power cut")
    night.connect()
    bed = night.terminals[14]
    assert bed.request(bed.heartbeat())
    night.at("01:50")
    assert site.incident(fall)["incident"]["state"] in ("open", "notified")
    night.acknowledge("fall")
    night.expect(
        "fall", Step("opened", "01:30"), Step("accepted", "01:30", "care-hub"), Step("accepted", "01:32", "family"),
        Step("ladder_step", "01:37", "second-hub", slack=SLACK + 120), Step("ladder_step", "01:40", "round 2", slack=SLACK + 120),
        Step("acknowledged", "01:50"), Step("closed", "05:40"))

    # The call point at home, an unknown terminal, a pendant whose battery ends.
    night.at("02:00")
    night.panel(19, "101", "call point", "emergency")
    assert site.incident(night.stories["call point"][0])["person"]["address"] == "长沙市测试路19号"
    night.at("02:05")
    night.acknowledge("call point")
    night.expect("call point", Step("opened", "02:00"), Step("acknowledged", "02:05"), Step("closed", "05:40"))
    night.at("02:30")
    with Terminal.connect(site.port, "017910000099") as stranger:
        assert stranger.request(stranger.sos(night.fix()))
    unknown = night.tell("stranger", site.wait_incident("17910000099")["id"])
    night.at("02:40")
    night.acknowledge("stranger")
    assert "dispatch-120" not in night.receivers_of(unknown), "a stranger never reaches 120 by itself"
    night.expect("stranger", Step("opened", "02:30"), Step("acknowledged", "02:40"), Step("closed", "05:40"))
    night.at("03:00")
    battery = night.terminals[13].location(night.fix(alarms=1 << 7))
    assert night.terminals[13].request(battery)

    # A second press while a human deals with the first: attention again, the same incident.
    night.at("03:30")
    night.press(15, story="twice")
    night.at("03:35")
    night.acknowledge("twice")
    night.at("03:45")
    assert night.terminals[15].request(night.terminals[15].location(night.fix()))
    assert night.terminals[15].request(night.terminals[15].sos(night.fix()))
    eventually(night.sounds, 5, "the siren again")
    night.at("03:55")
    night.acknowledge("twice")
    night.expect(
        "twice", Step("opened", "03:30"), Step("acknowledged", "03:35"), Step("raised_again", "03:45"),
        Step("acknowledged", "03:55"), Step("closed", "05:40"))

    night.at("05:40")
    night.close("duress", "police")
    for story in ("greeted", "stairs", "fall", "call point", "stranger", "twice"):
        night.close(story)
    for story, number in (("battery", 13), ("silent bed", 14)):
        terminal = night.phone(number).lstrip("0")
        night.tell(story, site.wait_incident(terminal, service="life_assistance")["id"])
        night.close(story, "other")
    night.expect("battery", Step("opened", "03:00", "battery low"), Step("closed", "05:40"))
    night.expect(
        "silent bed", Step("opened", "22:31", "no frame since", slack=SLACK + 60),
        Step("cancel_claimed", "01:37", "heard again"),
        Step("closed", "05:40"))

    night.at("06:00")
    assert not night.sounds()
    faults = check(night)
    assert not faults, "\n".join(faults)
    assert {one["id"] for one in site.incidents()} == {incident for incident, _ in night.stories.values()}
    figures = {one["service"]: one for one in site.api("GET", "/v1/report", query={
        "from": EVENING.isoformat(), "to": clock_time("06:00").isoformat()})["services"]}
    assert figures["life_assistance"]["overdue"] == 1
    figure(f"{len(night.stories)} incidents of 8 hours in {8 * 3600 / PACE:.0f} s, each step of their timelines in its time")


def check(night: Night) -> list[str]:
    """Prints every timeline, and says what is missing in it or stands in another order."""
    faults = []
    for story, (incident, steps) in night.stories.items():
        timeline = night.site.incident(incident)["timeline"]
        print(f"\n{story}, {incident}")
        for entry in timeline:
            moment = datetime.fromisoformat(entry["at"]).astimezone(CHINA)
            print(f"  {moment:%H:%M:%S}  {entry['kind']:13} {entry['actor']}: {entry['detail']}")
        for step in steps:
            if not any(step.is_shown_by(entry) for entry in timeline):
                faults.append(f"{story}: no {step.kind} with {step.words!r} at {step.when}")
        if not night.receivers_of(incident):
            faults.append(f"{story}: nobody was told")
    for name, receiver in night.site.receivers.items():
        faults += [f"{name}: {one['error']}" for one in receiver.events() if not one["verified"]]
    return faults
