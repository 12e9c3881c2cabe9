"""Promises P5 and P6: peers that misbehave cost the others nothing, and memory stays where it was."""

import json
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

from jt808_terminal import Messages, Terminal, acknowledges, noise
from press_fleet import PressFleet, percentile

SECONDS = 5.0
PRESSES_A_SECOND = 50
# Two cores are shared with the load itself: below this, a ratio says nothing.
NOISE_FLOOR_SECONDS = 0.040
ATTEMPTS = 3
MOST_GROWTH_KIBIBYTES = 8 * 1024
MOST_UNREAD_FRAMES = 2_000_000


def sos_p99(site, prefix: str) -> float:
    fleet = PressFleet(site.port, PRESSES_A_SECOND, prefix=prefix)
    fleet.start()
    time.sleep(SECONDS)
    unanswered = fleet.finish(20)
    assert not unanswered, f"{len(unanswered)} SOS of good terminals were not acknowledged"
    assert all(press.attempts == 1 for press in fleet.presses), "an SOS of a good terminal had to be sent again"
    return percentile([press.latency for press in fleet.presses], 0.99)


def beside_hostile_peers(site, prefix: str, seed: int, elsewhere=None) -> tuple[float, dict]:
    """The p99 of good terminals at `site` while the bad peers are there, or at another gateway of this machine."""
    peers = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("hostile_peers.py"), "--port", str((elsewhere or site).port),
         "--seconds", str(SECONDS), "--seed", str(seed)], stdout=subprocess.PIPE, text=True)
    slowest = sos_p99(site, prefix)
    output, _ = peers.communicate(timeout=60)
    assert peers.returncode == 0
    return slowest, json.loads(output)


def test_good_terminals_do_not_notice_bad_peers(new_site, figure):
    site, other = new_site(), new_site()
    site.start()
    seed = random.randrange(1 << 30)
    results, resident, prefixes = [], [], iter(range(1800, 1840))
    for attempt in range(ATTEMPTS):
        clean = sos_p99(site, f"{next(prefixes)}")
        hostile, counts = beside_hostile_peers(site, f"{next(prefixes)}", seed + attempt)
        resident.append(site.resident_kibibytes())
        figure(
            f"seed {seed + attempt}: SOS p99 {clean * 1000:.1f} ms clean, {hostile * 1000:.1f} ms beside {counts}; "
            f"resident {resident[-1]} KiB")
        assert counts["noisy_frames"] > 0 and counts["noisy_acknowledged"] == counts["noisy_frames"], counts
        assert counts["random_strings"] >= 9_900 and counts["half_open"] == 200, counts
        good = hostile <= max(2 * clean, NOISE_FLOOR_SECONDS)
        if not good:
            # The bad peers cost this machine processor time too: the same peers at another gateway tell that apart.
            if other.process is None:
                other.start()
            control, _ = beside_hostile_peers(site, f"{next(prefixes)}", seed + attempt, elsewhere=other)
            figure(f"SOS p99 {control * 1000:.1f} ms with the same peers at another gateway of this machine")
            good = hostile <= max(2 * control, NOISE_FLOOR_SECONDS)
        results.append(good)
        if good and len(results) > 1:
            break
    assert any(results)
    growth = resident[-1] - resident[0]
    assert growth < MOST_GROWTH_KIBIBYTES, f"resident memory grew by {growth} KiB from one round to the next"


def test_garbage_between_frames_costs_only_itself(new_site):
    site = new_site()
    site.start()
    source = random.Random(808)
    with Terminal.connect(site.port, "017960000001") as terminal:
        for number in range(300):
            frame = terminal.location() if number % 3 else terminal.heartbeat()
            broken = bytearray(terminal.location().encode())
            broken[source.randrange(1, len(broken) - 1)] ^= 1 << source.randrange(8)
            terminal.write(noise(source, 60) + bytes(broken) + frame.encode())
            assert terminal.wait_for(lambda answer: acknowledges(answer, frame), 5), f"frame {number} after garbage"
        assert terminal.request(terminal.sos())


def test_a_frame_in_single_bytes_is_a_frame(new_site):
    site = new_site()
    site.start()
    with Terminal.connect(site.port, "017960000002") as terminal:
        request = terminal.sos()
        for byte in request.encode():
            terminal.write(bytes([byte]))
            time.sleep(0.002)
        assert terminal.request(request)
    assert len(site.incidents_of("17960000002")) == 1


def test_a_peer_that_never_reads_is_let_go(new_site, figure):
    """Its answers fill the kernel's buffers and then ours, which have a limit."""
    site = new_site()
    site.start()
    before = site.resident_kibibytes()
    messages, sent = Messages("017960000007"), 0
    wire = b"".join(messages.heartbeat().encode() for _ in range(2000))
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(2)
        peer.connect(("127.0.0.1", site.port))
        try:
            while sent < MOST_UNREAD_FRAMES:
                peer.sendall(wire)
                sent += 2000
        except (ConnectionError, TimeoutError):
            pass
    grown = site.resident_kibibytes() - before
    figure(f"let go or held after {sent} frames; resident memory grew by {grown} KiB")
    assert sent < MOST_UNREAD_FRAMES, "a peer that never reads was served without end"
    assert grown < 32 * 1024
    with Terminal.connect(site.port, "017960000008") as terminal:
        assert terminal.request(terminal.sos())


def test_stalled_peers_are_let_go(new_site):
    """Nothing in the first seconds, or a frame that does not end: the connection is closed, not kept for ever."""
    site = new_site(sessions="first_frame_seconds = 2\nframe_completion_seconds = 2\nidle_seconds = 10")
    site.start()
    wire = Messages("017960000003").location().encode()
    with Terminal.connect(site.port, "017960000003") as silent, Terminal.connect(site.port, "017960000004") as stalled:
        stalled.write(wire[:20])
        assert silent.wait_closed(6), "a silent connection is still open"
        assert stalled.wait_closed(6), "a connection with half a frame is still open"


def test_the_newest_connection_of_a_terminal_wins(new_site):
    site = new_site()
    site.start()
    with Terminal.connect(site.port, "017960000005") as old, Terminal.connect(site.port, "017960000005") as new:
        assert old.request(old.heartbeat())
        assert new.request(new.heartbeat())
        assert old.wait_closed(5), "the old connection is still open"
        assert new.request(new.heartbeat())


def test_no_endless_frame(new_site):
    """A run without an end is dropped at a limit, and the line or at least the gateway goes on."""
    site = new_site()
    site.start()
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as endless:
        try:
            for _ in range(400):
                endless.sendall(b"\x7e" * 1 + b"\x55" * 8191)
                endless.sendall(b"\x55" * 8192)
        except ConnectionError:
            pass
    with Terminal.connect(site.port, "017960000006") as terminal:
        assert terminal.request(terminal.sos())
