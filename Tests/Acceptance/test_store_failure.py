"""Promise P1 when the store fails: no acknowledgement, the alarm goes out all the same, one row afterwards."""

import time

from crash_disk import CrashDisk
from full_disk import FullDisk
from jt808_terminal import Terminal, acknowledges
from site_under_test import eventually, received_at

# Presses that a nearly full disk may still take before the write-ahead log has to grow.
MOST_PRESSES_THAT_FIT = 400


class BrokenDisk:
    """Syncs that fail with an I/O error, by the preload library."""

    def __init__(self, site):
        self.disk = site.disk

    def fail(self):
        self.disk.set_mode("eio")

    def recover(self):
        self.disk.set_mode(None)


def test_full_disk(new_site, small_file_system, figure):
    site = new_site(state=small_file_system(6))
    check(site, FullDisk(site.state), "01785", figure)


def test_input_output_error(new_site, figure):
    site = new_site(disk=lambda directory: CrashDisk(directory / "state", directory / "undo"))
    check(site, BrokenDisk(site), "01786", figure)


def check(site, failure, prefix: str, figure):
    site.start()
    receiver = site.receivers["care-hub"]
    with Terminal.connect(site.port, f"{prefix}0000001") as first:
        assert first.request(first.sos()), "an SOS while the store works"
    assert site.status()["healthy"]

    failure.fail()
    fitted = 0
    while True:
        terminal = Terminal.connect(site.port, f"{prefix}{fitted + 2:07d}")
        request = terminal.sos()
        if terminal.request(request, 2) is None:
            break
        terminal.close()
        fitted += 1
        assert fitted < MOST_PRESSES_THAT_FIT, "the store still takes incidents: the failure was not made"

    # The alarm goes out all the same, and says that it is not on disk.
    def not_durable() -> list[dict]:
        return [
            event for event in receiver.events(kind="incident.opened")
            if event["event"]["data"]["terminal"] == terminal.terminal_id and event["verified"]]

    event = eventually(not_durable, 10, f"a webhook for terminal {terminal.terminal_id}; log {receiver.log}")[0]
    assert event["event"]["data"]["durable"] is False, event
    figure(f"{fitted} fitted; webhook {(received_at(event) - terminal.sent_at) * 1000:.0f} ms after the press")

    # A repetition is not acknowledged either, nor is a position.
    terminal.write(request.encode())
    assert terminal.wait_for(lambda frame: acknowledges(frame, request), 1.5) is None
    position = terminal.location()
    terminal.write(position.encode())
    # Positions have files of their own, which may have room for a while where incidents have none.
    if isinstance(failure, BrokenDisk):
        assert terminal.wait_for(lambda frame: acknowledges(frame, position), 1.5) is None

    status = site.status()
    assert status["not_durable"] >= 1 and not status["healthy"], status
    assert "\nyidiantong_incidents_not_durable 0\n" not in site.raw("GET", "/metrics")[2]
    assert any("store" in fault["code"] for fault in status["faults"]), status["faults"]
    assert site.process.poll() is None

    # Space returns, and the service with it: nothing is restarted, nothing is asked.
    failure.recover()
    recovered = time.monotonic()
    eventually(lambda: site.status()["not_durable"] == 0, 30, "the incident on disk after the store works again")
    assert "\nyidiantong_incidents_not_durable 0\n" in site.raw("GET", "/metrics")[2]
    figure(f"on disk {time.monotonic() - recovered:.1f} s after the store worked again")
    if terminal.closed_at is not None:
        terminal = Terminal.connect(site.port, terminal.phone)
    assert terminal.request(request), "the repeated SOS is acknowledged now"
    terminal.close()
    eventually(lambda: site.status()["healthy"], 30, "a healthy status")
    with Terminal.connect(site.port, f"{prefix}9999999") as last:
        assert last.request(last.sos())

    assert len(site.incidents_of(terminal.terminal_id)) == 1
    site.stop()
    site.start()
    assert len(site.incidents_of(terminal.terminal_id)) == 1
    doubled = [one["terminal"] for one in site.incidents()]
    assert len(doubled) == len(set(doubled)) == fitted + 3
