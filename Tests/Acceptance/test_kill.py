"""Promise P1 under kill -9: what was acknowledged is there, once, and is delivered."""

import os
import random
import time

import pytest

from crash_disk import CrashDisk
from kill_loop import check_databases, check_every_press, missing_and_doubled, press_under_kills
from press_fleet import PressFleet

SECONDS = float(os.environ.get("SECONDS_TO_RUN", "20"))


def seed() -> int:
    return int(os.environ.get("CRASH_SEED", random.randrange(1 << 30)))


def crash_disk(directory) -> CrashDisk:
    return CrashDisk(directory / "state", directory / "undo")


def test_every_acknowledged_sos_survives_kill_9(new_site, figure):
    site = new_site()
    fleet = press_under_kills(site, SECONDS, seed(), "1780", figure)
    check_every_press(site, fleet, figure)
    check_databases(site)


def test_every_acknowledged_sos_survives_the_loss_of_unsynced_bytes(new_site, figure):
    site = new_site(disk=crash_disk)
    fleet = press_under_kills(site, SECONDS, seed(), "1781", figure, torn=True)
    check_every_press(site, fleet, figure)
    check_databases(site)


def test_a_gateway_that_does_not_sync_is_found_out(new_site, figure):
    """The check of the check: with syncs that do nothing, the same loop must find acknowledged SOS missing."""
    site = new_site(disk=crash_disk)
    site.start()
    fleet = PressFleet(site.port, 50, prefix="1782")
    fleet.start()
    time.sleep(1)
    site.disk.set_mode("ignore")
    time.sleep(2)
    assert not fleet.finish(20)
    site.kill()
    site.disk.set_mode(None)
    site.disk.roll_back()
    site.start()
    missing, _ = missing_and_doubled(site, fleet)
    figure(f"{len(missing)} of {len(fleet.presses)} acknowledged SOS were lost, as they must be")
    assert missing, "syncs did nothing and yet no acknowledged SOS was lost: this test would not find a missing sync"


def test_a_kill_before_the_first_sos_leaves_a_store_that_opens(new_site):
    site = new_site(disk=crash_disk)
    for number in range(3):
        site.start()
        site.kill()
        site.disk.roll_back(None if number == 0 else number)
    site.start()
    assert site.incidents() == []


@pytest.mark.parametrize("restart", ["kill", "stop"])
def test_an_open_incident_is_open_after_a_restart(new_site, restart):
    from jt808_terminal import Terminal

    site = new_site()
    site.start()
    with Terminal.connect(site.port, "017830000001") as terminal:
        assert terminal.request(terminal.sos())
    before = site.wait_incident("17830000001")
    getattr(site, restart)()
    site.start()
    after = site.wait_incident("17830000001")
    assert (after["id"], after["presses"]) == (before["id"], 1)
    assert after["state"] in ("open", "notified")
