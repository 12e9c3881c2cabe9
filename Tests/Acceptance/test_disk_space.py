"""A disk that fills up: a warning first, then positions stop, and alarms live on what was kept for them."""

from full_disk import FullDisk
from jt808_terminal import Terminal, acknowledges
from site_under_test import eventually

MEBIBYTES = 64
# A sixteenth of the disk, since the configured 64 MiB are more; and an eighth for the warning.
RESERVE = MEBIBYTES * 2**20 // 16
WARNING = MEBIBYTES * 2**20 // 8
# Fewer than the open incidents of strangers that one address may have.
PRESSES = 15


def faults(site) -> set[str]:
    return {fault["code"] for fault in site.status()["faults"]}


def test_alarms_live_on_the_reserve(new_site, small_file_system, figure):
    site = new_site(state=small_file_system(MEBIBYTES))
    disk = FullDisk(site.state)
    reserve = site.state / "reserve"
    site.start()
    terminal = Terminal.connect(site.port, "017870000001")
    assert terminal.request(terminal.location()), "a position while there is room"
    assert reserve.stat().st_blocks * 512 >= RESERVE
    assert "store_low" not in faults(site)

    # The warning comes before anything stops.
    disk.fail(leaving=(RESERVE * 3 // 2 + WARNING) // 2)
    eventually(lambda: "store_low" in faults(site), 5, "the warning")
    assert site.status()["healthy"]
    assert terminal.request(terminal.location())

    # What is left is for alarms.
    disk.fail(leaving=RESERVE // 2)
    eventually(lambda: not site.status()["healthy"] or refuses_positions(terminal), 5, "positions that stop")
    assert refuses_positions(terminal)
    with Terminal.connect(site.port, "017870000002") as second:
        assert second.request(second.sos()), "an SOS while positions have stopped"
    assert "store_full" in faults(site)

    # Others take the last byte: the reserve goes, and alarms are still stored and acknowledged.
    disk.fail()
    for number in range(PRESSES):
        with Terminal.connect(site.port, f"01788{number:07d}") as presser:
            assert presser.request(presser.sos()), f"SOS {number} on a full disk"
    assert site.status()["not_durable"] == 0
    eventually(lambda: not reserve.exists(), 5, "a reserve that was used")
    figure(f"{PRESSES} presses after the last byte, {disk.free / 1024:.0f} KiB of the reserve left")
    assert len([line for line in site.log.read_text().splitlines() if "nearly full" in line]) == 1, "said once"

    # Room comes back, and with it everything else.
    disk.recover()
    eventually(reserve.exists, 5, "a new reserve")
    eventually(lambda: terminal.request(terminal.location(), 2), 10, "positions again")
    eventually(lambda: site.status()["healthy"] and not faults(site) & {"store_low", "store_full"}, 5, "no fault")
    terminal.close()
    assert len(site.incidents()) == PRESSES + 1


def refuses_positions(terminal) -> bool:
    position = terminal.location()
    terminal.write(position.encode())
    return terminal.wait_for(lambda frame: acknowledges(frame, position), 1.5) is None
