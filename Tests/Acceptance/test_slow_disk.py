"""A disk with 50 syncs a second: alarms keep their bound, positions are answered later, nothing is lost, and it recovers.

SLOW_DISK_RATE and SLOW_DISK_SECONDS change the load; without them a release build gets 17,000 positions a second and a
debug build, which is many times slower, gets 1,000.
"""

import json
import os
import subprocess
import time

from site_under_test import eventually, programs
from slow_disk import SlowDisk

SYNC_MILLISECONDS = 20
# The bound that a site is promised (DESIGN section 9); a debug build shares the machine with its own tests.
SOS_P99_MILLISECONDS = {"release": 100, "debug": 1000}
RATE = {"release": 17_000, "debug": 1_000}
SECONDS = int(os.environ.get("SLOW_DISK_SECONDS", "15"))
TERMINALS = 1_000
MOST_MEBIBYTES = 400


def load(site, rate: int, sos: float, seconds: int, first: int) -> dict:
    done = subprocess.run(
        [programs() / "framereplay", "load", "--tcp", f"127.0.0.1:{site.port}", "--terminals", str(TERMINALS), "--rate",
         str(rate), "--sos", str(sos), "--duration", str(seconds), "--first-terminal", str(first), "--timeout", "20",
         "--json"], capture_output=True, text=True, timeout=seconds + 120)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def metric(site, name: str) -> float:
    for line in site.raw("GET", "/metrics")[2].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def test_slow_disk(new_site, figure):
    site = new_site(disk=SlowDisk)
    site.start()
    build = "release" if programs().name == "release" or "release" in programs().parts else "debug"
    rate = int(os.environ.get("SLOW_DISK_RATE", RATE[build]))

    # Everybody registers while the disk is as it is; then it becomes slow.
    load(site, 100, 0, 1, 990_000_000_001)
    before = site.resident_kibibytes()
    site.disk.set_milliseconds(SYNC_MILLISECONDS)
    began = time.monotonic()
    result = load(site, rate, 5, SECONDS, 990_000_000_001)
    slow_seconds = time.monotonic() - began
    positions, alarms = result["ordinary"], result["sos"]
    grown = (site.resident_kibibytes() - before) / 1024
    window = metric(site, 'yidiantong_store_commit_window_seconds{database="tracks"}')
    figure(
        f"{build}, {rate} positions/s: SOS p50 {alarms['latency_ms']['p50']:.0f} ms, p99 {alarms['latency_ms']['p99']:.0f} ms; "
        f"positions p50 {positions['latency_ms']['p50']:.0f} ms, p99 {positions['latency_ms']['p99']:.0f} ms; "
        f"{site.disk.syncs / slow_seconds:.0f} syncs/s; memory +{grown:.0f} MiB; window {window * 1000:.0f} ms")

    assert site.disk.syncs > SECONDS * 1000 / SYNC_MILLISECONDS / 10, "the disk was not slow"
    for lane in (positions, alarms):
        assert lane["sent"] > 0 and lane["acknowledged"] == lane["sent"], result
        assert lane["refused"] == lane["not_sent"] == 0, result
    assert result["closed_connections"] == 0, "terminals were disconnected"
    assert grown < MOST_MEBIBYTES
    assert alarms["latency_ms"]["p99"] <= SOS_P99_MILLISECONDS[build], result

    # It is fast again by itself when the disk is.
    site.disk.set_milliseconds(0)
    assert load(site, 100, 1, 2, 990_000_000_001)["sos"]["unacknowledged"] == 0
    assert site.status()["healthy"]
    eventually(
        lambda: metric(site, 'yidiantong_queue_depth{stage="writes"}') == 0, 10, "empty queues")

    # What was acknowledged is there: every SOS is an incident or attached to one, after a kill as well.
    site.kill()
    site.start()
    assert len(site.incidents()) > 0
    heard = sum(len(site.incident(one["id"])["evidence"]) for one in site.incidents()[:50])
    assert heard >= min(50, alarms["acknowledged"]), "evidence of each press"
