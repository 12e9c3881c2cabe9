"""The siren by itself: real program, real ALSA library, real signals; what was heard is measured sample by sample."""

import tempfile
import threading
import time
from pathlib import Path

import pytest

from jt808_terminal import Terminal
from site_under_test import eventually
from siren_under_test import SirenUnderTest, SoundCard, pitches

LATCH_TO_SOUND_SECONDS = 1.0
GAP_WHEN_KILLED_SECONDS = 1.0
# RestartSec of the unit.
RESTART_SECONDS = 0.2


@pytest.fixture
def directory():
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture
def siren(directory):
    card = SoundCard(directory)
    siren = SirenUnderTest(directory, card)
    siren.start()
    yield siren
    siren.stop()
    card.stop()


def wait_for_sound(siren: SirenUnderTest, since: float) -> float:
    eventually(lambda: siren.card.heard_since(since), 5, "sound", interval=0.005)
    return next(at for at, _ in siren.card.arrivals if at >= since)


def wait_for_quiet(siren: SirenUnderTest):
    eventually(lambda: not siren.card.heard_since(time.monotonic() - 0.3), 5, "quiet")


def test_sounds_soon_after_the_latch_and_sweeps(siren, figure):
    time.sleep(0.5)
    assert not siren.card.arrivals, "sounds without a latch"
    begin = time.monotonic()
    siren.latch()
    first = wait_for_sound(siren, begin)
    figure(f"latch to sound {(first - begin) * 1000:.0f} ms")
    assert first - begin < LATCH_TO_SOUND_SECONDS
    time.sleep(9)
    end = time.monotonic()
    assert siren.card.longest_gap(first, end) < 0.2
    # A latch set by hand names no start: the siren wails, one sweep in four seconds between 650 and 1650 Hz.
    found = pitches(siren.card.samples(first, end))
    assert 630 < min(found) < 700
    assert 1600 < max(found) < 1670
    rises = sum(1 for before, after in zip(found, found[1:]) if before < 1150 <= after)
    assert rises in (2, 3)


def test_is_heard_again_within_a_second_when_it_is_killed(siren, figure):
    siren.latch()
    first = wait_for_sound(siren, 0)
    for _ in range(5):
        time.sleep(1.5)
        siren.kill()
        time.sleep(RESTART_SECONDS)
        siren.start()
    time.sleep(1.5)
    gap = siren.card.longest_gap(first, time.monotonic())
    figure(f"longest gap over 5 kills {gap * 1000:.0f} ms, of which {RESTART_SECONDS * 1000:.0f} ms are the manager's pause")
    assert gap < GAP_WHEN_KILLED_SECONDS


def test_rests_when_asked_and_a_new_press_ends_the_rest(siren):
    assert siren.call("silence", "--by", "li.na").returncode == 2
    siren.latch(1)
    wait_for_sound(siren, 0)
    answer = siren.call("silence", "--by", "li.na", "--seconds", "60")
    assert answer.returncode == 0, answer.stderr
    wait_for_quiet(siren)
    assert "silenced by li.na" in siren.call("status").stdout
    assert siren.call("silence", "--by", "li.na").returncode == 2, "a rest must not be prolonged"
    assert siren.call("silence", "--by", "li.na", "--seconds", "121").returncode == 64
    begin = time.monotonic()
    siren.latch(2)
    wait_for_sound(siren, begin)


def test_a_rest_ends_by_itself(siren):
    siren.latch()
    wait_for_sound(siren, 0)
    assert siren.call("silence", "--by", "li.na", "--seconds", "2").returncode == 0
    wait_for_quiet(siren)
    begin = time.monotonic()
    assert wait_for_sound(siren, begin) - begin < 3


def test_an_acknowledgement_at_the_siren_ends_the_sound_and_is_kept(siren):
    siren.latch(3, ("A346A887FA402C18",))
    wait_for_sound(siren, 0)
    answer = siren.call("acknowledge", "--by", "li.na", "--reason", "on the way")
    assert answer.stdout == "Acknowledged: A346A887FA402C18\n"
    wait_for_quiet(siren)
    line = (siren.durable / "acknowledgements").read_text().split("\t")
    assert line[1] == "li.na" and line[3:] == ["on the way", "A346A887FA402C18\n"]
    assert siren.call("acknowledge", "--by", "li.na", "--reason", "again").returncode == 2


def test_a_damaged_latch_sounds(siren):
    (siren.durable / "latch").write_bytes(b"\0" * 512)
    wait_for_sound(siren, 0)
    assert "damaged" in siren.call("status").stdout


def test_a_relay_is_switched_without_a_sound_card(directory):
    relay = directory / "relay"
    relay.write_text(f"#!/bin/sh\necho $1 >> {directory}/calls\n")
    relay.chmod(0o755)
    calls = directory / "calls"
    siren = SirenUnderTest(directory, options=("--command", str(relay)))
    siren.start()
    try:
        eventually(lambda: calls.exists() and calls.read_text() == "off\n", 5, "the relay is off at first")
        siren.latch()
        eventually(lambda: calls.read_text() == "off\non\n", 2, "the relay is switched on")
        # A siren program that ends while the latch is set leaves the relay on.
        siren.kill()
        assert calls.read_text() == "off\non\n"
        siren.start()
        eventually(lambda: calls.read_text() == "off\non\non\n", 5, "the relay is switched on again")
        siren.call("acknowledge", "--by", "li.na", "--reason", "x")
        eventually(lambda: calls.read_text().endswith("on\noff\n"), 5, "the relay is switched off")
    finally:
        siren.stop()


def test_a_card_that_is_lost_does_not_stop_the_other_output(directory):
    """The card does not exist; the relay works all the same and the log says why nothing is heard."""
    relay = directory / "relay"
    relay.write_text(f"#!/bin/sh\necho $1 >> {directory}/calls\n")
    relay.chmod(0o755)
    siren = SirenUnderTest(
        directory, options=("--command", str(relay), "--device", "hw:CARD=NotThere", "--mixer", "hw:CARD=NotThere"))
    siren.start()
    try:
        siren.latch()
        eventually(
            lambda: (directory / "calls").exists() and "on\n" in (directory / "calls").read_text(), 5, "the relay")
        eventually(
            lambda: "cannot be heard and is tried again" in (directory / "siren.log").read_text(), 5, "a log line")
    finally:
        siren.stop()


def test_the_self_test_is_heard(siren):
    answer = siren.call("test", "--device", "card", "--mixer", "none")
    assert answer.returncode == 0, answer.stdout
    found = pitches(siren.card.samples(0, time.monotonic()))
    assert found and all(990 < pitch < 1010 for pitch in found[5:-5])
    assert "self-test" in siren.call("status").stdout
    failing = siren.call("test", "--device", "hw:CARD=NotThere", "--mixer", "none")
    assert failing.returncode == 1 and "cannot be opened" in failing.stdout


# With the gateway


@pytest.fixture
def site_with_siren(new_site):
    """A gateway and its siren over one state directory, each a process of its own."""
    site = new_site()
    card = SoundCard(site.directory)
    siren = SirenUnderTest(site.directory, card)
    siren.durable = site.state / "siren"
    siren.volatile = site.directory / "siren"
    siren.durable.mkdir(exist_ok=True)
    siren.start()
    site.start()
    yield site, siren
    siren.stop()
    card.stop()


def press(site, number: str):
    with Terminal.connect(site.port, number) as terminal:
        terminal.log_in()
        assert terminal.request(terminal.sos()), "the SOS was not acknowledged"
    return site.wait_incident(number.lstrip("0"))


def test_sounds_without_a_gap_while_the_gateway_is_killed_twenty_times(site_with_siren, figure):
    site, siren = site_with_siren
    begin = time.monotonic()
    incident = press(site, "017700000191")
    first = wait_for_sound(siren, begin)
    figure(f"press to sound {(first - begin) * 1000:.0f} ms, connecting and registering included")
    for _ in range(20):
        site.kill()
        site.start()
    end = time.monotonic()
    gap = siren.card.longest_gap(first, end)
    figure(f"longest gap over 20 kills of the gateway, {end - first:.0f} s: {gap * 1000:.0f} ms")
    assert gap < 0.2
    site.acknowledge(incident["id"])
    wait_for_quiet(siren)


def test_the_gateway_has_the_siren_tested(site_with_siren):
    site, siren = site_with_siren
    begin = time.monotonic()
    assert "played on: alsa card" in site.ydtctl("siren", "test", "--operator", "li.na")
    found = pitches(siren.card.samples(begin, time.monotonic()))
    assert found and all(990 < pitch < 1010 for pitch in found[5:-5])
    # A press in the middle of the tone does not wait for more than the tone.
    test = threading.Thread(target=lambda: site.ydtctl("siren", "test", "--operator", "li.na"))
    test.start()
    wait_for_sound(siren, time.monotonic())
    siren.latch()
    latched = time.monotonic()
    # The wail begins low, below the tone of 1000 Hz, and is not one odd wave where they meet.
    eventually(
        lambda: sum(pitch < 900 for pitch in pitches(siren.card.samples(latched, time.monotonic()))) > 20, 2, "the wail")
    test.join()
    with pytest.raises(AssertionError, match="sounds already"):
        site.ydtctl("siren", "test", "--operator", "li.na")
    assert siren.call("acknowledge", "--by", "li.na", "--reason", "heard").returncode == 0
    wait_for_quiet(siren)
    siren.kill()
    with pytest.raises(AssertionError, match="No siren watches"):
        site.ydtctl("siren", "test", "--operator", "li.na")
    siren.start()
    time.sleep(1)
    assert not siren.card.heard_since(time.monotonic() - 0.5), "a wish that was taken back is not played later"


def test_only_the_last_acknowledgement_ends_the_sound(site_with_siren):
    site, siren = site_with_siren
    one = press(site, "017700000192")
    other = press(site, "017700000193")
    wait_for_sound(siren, 0)
    site.acknowledge(one["id"])
    time.sleep(1)
    assert siren.card.heard_since(time.monotonic() - 0.2)
    site.close(other["id"])
    wait_for_quiet(siren)


def test_an_acknowledgement_at_the_siren_reaches_the_incident(site_with_siren):
    """Also one that was given while no gateway ran: it is applied at the next start, with name and reason."""
    site, siren = site_with_siren
    running = press(site, "017700000194")
    wait_for_sound(siren, 0)
    siren.call("acknowledge", "--by", "li.na", "--reason", "on the way")
    wait_for_quiet(siren)
    eventually(lambda: site.incident(running["id"])["incident"]["state"] == "acknowledged", 5, "acknowledged")

    dead = press(site, "017700000195")
    wait_for_sound(siren, time.monotonic() - 0.2)
    site.kill()
    siren.call("acknowledge", "--by", "wang.wei", "--reason", "gateway is down, I go")
    wait_for_quiet(siren)
    site.start()
    detail = eventually(
        lambda: (found := site.incident(dead["id"]))["incident"]["state"] == "acknowledged" and found, 5, "acknowledged")
    assert detail["incident"]["acknowledged_by"] == "wang.wei"
    assert any("gateway is down, I go" in entry["detail"] for entry in detail["timeline"])
    time.sleep(0.5)
    assert not siren.card.heard_since(time.monotonic() - 0.3)


def test_a_lost_database_does_not_silence_the_siren(site_with_siren):
    """The incident is in no store any more; nobody has taken it over, so it goes on until a hand at the siren ends it."""
    site, siren = site_with_siren
    press(site, "017700000196")
    wait_for_sound(siren, 0)
    site.kill()
    for path in site.state.glob("incidents.sqlite*"):
        path.unlink()
    site.start()
    time.sleep(1)
    assert siren.card.heard_since(time.monotonic() - 0.2)
    siren.call("acknowledge", "--by", "li.na", "--reason", "on the way")
    wait_for_quiet(siren)


def test_a_disk_that_takes_nothing_does_not_silence_the_siren(site_with_siren):
    site, siren = site_with_siren
    site.kill()
    # The latch cannot be written: a file stands where its directory should be.
    for path in siren.durable.iterdir():
        path.unlink()
    siren.durable.rmdir()
    siren.durable.write_text("not a directory")
    site.start()
    begin = time.monotonic()
    incident = press(site, "017700000197")
    wait_for_sound(siren, begin)
    assert "siren_latch_failed" in site.log.read_text()
    site.acknowledge(incident["id"])
    wait_for_quiet(siren)
