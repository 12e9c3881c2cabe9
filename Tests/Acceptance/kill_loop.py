"""SOS under kill -9: shared by the short form in the suite and by `scripts/test-crash long`."""

import collections
import random
import time
from pathlib import Path

from press_fleet import PressFleet, percentile
from site_under_test import Site, eventually, incident_of

RATE = 100.0
SHORTEST_LIFE, LONGEST_LIFE = 1.0, 5.0


def press_under_kills(site: Site, seconds: float, seed: int, prefix: str, report, torn: bool = False) -> PressFleet:
    """Presses for so long while the daemon is killed at random times; returns when every press was acknowledged."""
    chance = random.Random(seed)
    report(f"seed {seed}")
    site.start()
    fleet = PressFleet(site.port, RATE, seed=seed, prefix=prefix)
    fleet.start()
    end = time.monotonic() + seconds
    kills, lost = 0, collections.Counter()
    while (life := chance.uniform(SHORTEST_LIFE, LONGEST_LIFE)) and time.monotonic() + life < end:
        time.sleep(life)
        site.kill()
        kills += 1
        if site.disk:
            lost.update(site.disk.roll_back(chance.randrange(1 << 30) if torn and kills % 2 == 0 else None))
        site.start()
    time.sleep(max(0.0, end - time.monotonic()))
    unanswered = fleet.finish()
    restarts = site.start_seconds[1:]
    again = sum(1 for press in fleet.presses if press.attempts > 1)
    report(
        f"{len(fleet.presses)} SOS in {seconds:g} s, {kills} kills, {again} sent more than once, "
        f"p50 of first answers {percentile([p.latency for p in fleet.acknowledged()], 0.5) * 1000:.1f} ms")
    if restarts:
        report(
            f"serving after a kill: median {percentile(restarts, 0.5) * 1000:.0f} ms, "
            f"longest {max(restarts) * 1000:.0f} ms")
    if site.disk:
        report(f"unsynced changes thrown away: {dict(lost) or 'none'}")
    assert kills > 0
    assert not unanswered, (
        f"seed {seed}: {len(unanswered)} SOS were never acknowledged, for example of terminal "
        f"{unanswered[0].terminal} after {unanswered[0].attempts} attempts; see {site.log}")
    return fleet


def missing_and_doubled(site: Site, fleet: PressFleet) -> tuple[list[str], dict[str, int]]:
    """Terminals whose acknowledged press is no incident, and those with more than one."""
    count = collections.Counter(incident["terminal"] for incident in site.incidents())
    pressed = {press.terminal for press in fleet.acknowledged()}
    strangers = set(count) - {press.terminal for press in fleet.presses}
    assert not strangers, f"incidents of terminals that never pressed: {sorted(strangers)[:5]}"
    return sorted(pressed - set(count)), {terminal: n for terminal, n in count.items() if n > 1}


def check_every_press(site: Site, fleet: PressFleet, report):
    """Every acknowledged SOS is exactly one incident, and the receiver has it."""
    missing, doubled = missing_and_doubled(site, fleet)
    assert not missing, f"{len(missing)} acknowledged SOS are no incident: {missing[:5]}; see {site.log}"
    assert not doubled, f"more than one incident for one press: {dict(list(doubled.items())[:5])}; see {site.log}"
    expected = {incident["id"] for incident in site.incidents()}
    receiver = next(iter(site.receivers.values()))

    def delivered() -> list[str]:
        return [incident_of(event) for event in receiver.events(kind="incident.opened") if event["verified"]]

    eventually(
        lambda: expected <= set(delivered()), 60,
        f"all {len(expected)} incidents at the receiver; log {receiver.log}", interval=0.25)
    bad = [event["error"] for event in receiver.events() if not event["verified"]]
    assert not bad, f"{len(bad)} webhooks with a wrong signature: {bad[0]}"
    report(f"{len(expected)} incidents, each delivered; {len(delivered()) - len(expected)} deliveries were repeated")


def check_databases(site: Site):
    """The database files are whole after the daemon has ended."""
    import sqlite3

    site.stop()
    files = sorted(Path(site.state).glob("*.sqlite"))
    assert files, f"no database in {site.state}"
    for path in files:
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), path
