"""After an SOS the terminal is asked for its position until the incident is closed, and each better place is told."""

import time

from jt808_terminal import Fix, Terminal
from site_under_test import eventually, received_at

CHASE = """
[chase]
interval_seconds = 5
period_seconds = 60
update_seconds = 1
"""


def tracking(terminal) -> list[tuple[int, int]]:
    """Interval and validity of each 0x8202 received."""
    return [
        (int.from_bytes(frame.body[:2], "big"), int.from_bytes(frame.body[2:6], "big"))
        for frame in terminal.received if frame.message == 0x8202]


def test_the_position_is_chased_until_closing(new_site, figure):
    site = new_site(extra=CHASE)
    site.start()
    hub = site.receivers["care-hub"]
    phone = "018091000001"
    with Terminal.connect(site.port, phone) as terminal:
        terminal.fix = Fix(latitude=28.2)
        began = time.time()
        assert terminal.request(terminal.sos(Fix(valid=False)))
        incident = site.wait_incident(terminal.terminal_id)
        hub.wait_event(incident["id"], "incident.opened")
        assert terminal.wait_for(lambda frame: frame.message == 0x8201), "asked where it is"
        # Its answer is the first valid place.
        first = hub.wait_event(incident["id"], "incident.updated")
        assert first["event"]["data"]["position"]["valid"]
        assert first["event"]["data"]["event"] == 2, "a further fact of the same incident"
        figure(f"first valid place at the hub {(received_at(first) - began) * 1000:.0f} ms after the press")
        eventually(lambda: tracking(terminal) == [(5, 60)], 5, "fast reports asked for")
        for step in range(1, 4):
            time.sleep(1.1)
            assert terminal.request(terminal.location(Fix(latitude=28.2 + step / 100)))
        updates = eventually(
            lambda: len(found := hub.events(incident["id"], "incident.updated")) >= 4 and found, 5, "better places")
        latitudes = [one["event"]["data"]["position"]["wgs84"]["latitude"] for one in updates]
        assert latitudes == sorted(latitudes) and latitudes[-1] == 28.23, latitudes
        site.acknowledge(incident["id"])
        terminal.wait_for(lambda frame: frame.message == 0x8203)
    site.kill()
    site.start()
    with Terminal.connect(site.port, phone) as terminal:
        terminal.log_in()
        eventually(lambda: (5, 60) in tracking(terminal), 40, "asked again after the restart, before the period ended")
        site.close(incident["id"])
        eventually(lambda: tracking(terminal)[-1][0] == 0, 5, "back to normal")
    assert len(site.incidents()) == 1


def test_a_terminal_that_never_answers_still_hears_that_help_comes(new_site, figure):
    site = new_site(extra=CHASE)
    site.start()
    with Terminal.connect(site.port, "018091000002", answers=False) as terminal:
        assert terminal.request(terminal.sos())
        incident = site.wait_incident(terminal.terminal_id)
        assert terminal.wait_for(lambda frame: frame.message == 0x8201)
        began = time.monotonic()
        site.acknowledge(incident["id"])
        assert terminal.wait_for(lambda frame: frame.message == 0x8203, 3), "it waits behind the unanswered 0x8201"
        figure(f"0x8203 {(time.monotonic() - began) * 1000:.0f} ms after the acknowledgement, 0x8201 unanswered")
