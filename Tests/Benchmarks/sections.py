"""Each section measures one kind of figure and returns plain data; `page.py` turns it into words."""

import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import decode
import loads
from loads import FIRST_TERMINAL, Load, Rounds
from servers import Gateway, Reference, press_sos, settle
from pipeline import fences, fill_district


@dataclass
class Bench:
    """What all sections share."""

    programs: Path
    reference: Path
    scratch: Path
    # Rounds of each pair, and how long a round's reports go on, in seconds.
    rounds: int = 3
    seconds: float = 6
    # The long run that shows whether memory stays flat.
    soak_seconds: float = 600
    # Threads of the gateway's event loops and of the reference: one for each core.
    threads: int = os.cpu_count() or 1

    def run(self, load: Load, server, bearer: str | None = None) -> dict:
        address = server.address(load.bearer) if isinstance(server, Gateway) else server.address
        return loads.run(self.programs / "framereplay", load, address, server.pid)

    def against_reference(self, load: Load, echo: bool = False) -> dict:
        server = Reference(self.reference, load.bearer, self.threads, echo)
        try:
            return self.run(load, server)
        finally:
            server.stop()
            settle()

    def against_gateway(self, load: Load) -> dict:
        gateway = Gateway(self.threads)
        gateway.start()
        try:
            return self.run(load, gateway)
        finally:
            gateway.stop()
            settle()

    def pair(self, load: Load) -> tuple[Rounds, Rounds]:
        """Reference and gateway in turn, so that what disturbs the machine disturbs both."""
        reference, gateway = Rounds(), Rounds()
        for number in range(self.rounds):
            reference.add(self.against_reference(load))
            gateway.add(self.against_gateway(load))
            print(
                f"  {load.bearer} {load.terminals} round {number + 1}: C {reference.results[-1]['process']['cpu_us_per_frame']:.2f} us, "
                f"gateway {gateway.results[-1]['process']['cpu_us_per_frame']:.2f} us a frame", flush=True)
        return reference, gateway


def threads_of(rounds: Rounds) -> dict[str, float]:
    """The cheapest round's cost by thread."""
    best = min(rounds.results, key=lambda result: result["process"]["cpu_us_per_frame"])
    return best["process"]["thread_us_per_frame"]


def cost_row(bench: Bench, name: str, load: Load) -> dict:
    reference, gateway = bench.pair(load)
    return {
        "name": name, "bearer": load.bearer, "terminals": load.terminals, "in_flight": load.in_flight,
        "saturate": load.saturate, "rate": None if load.saturate else load.rate,
        "c_us": reference.cost, "gateway_us": gateway.cost, "ratio": gateway.cost / reference.cost,
        "c_rate": reference.rate, "gateway_rate": gateway.rate, "generator_us": gateway.generator_cost,
        "c_p99_ms": reference.latency("ordinary", "p99"), "gateway_p50_ms": gateway.latency("ordinary", "p50"),
        "gateway_p99_ms": gateway.latency("ordinary", "p99"), "missing": gateway.missing, "failed": gateway.failed,
        "threads_us": threads_of(gateway), "generator_is_bottleneck": gateway.bottleneck,
        "resident_bytes": min(result["process"]["resident_bytes_connected"] for result in gateway.results),
        "resident_bytes_before": min(result["process"]["resident_bytes_before"] for result in gateway.results),
    }


# MARK: The sections


def section_decode(bench: Bench) -> dict:
    """Bytes to values, in C and in Swift, with both forms of the byte finder."""
    best = decode.measure(decode.build(bench.scratch / "decode"))
    portable = decode.measure(decode.build(bench.scratch / "decode-portable", portable=True))
    return {"toolchain": decode.toolchain(), "sse2": best, "portable": portable}


def section_echo(bench: Bench) -> list[dict]:
    """How much the reference costs beyond a bare echo of the same reports."""
    rows = []
    for bearer, terminals in (("tcp", 1000), ("udp", 10_000)):
        load = Load(terminals, seconds=bench.seconds, bearer=bearer, registers=False)
        echo, reference = Rounds(), Rounds()
        for _ in range(bench.rounds):
            echo.add(bench.against_reference(load, echo=True))
            reference.add(bench.against_reference(load))
        rows.append({"bearer": bearer, "terminals": terminals, "echo_us": echo.cost, "c_us": reference.cost})
    return rows


def section_tcp(bench: Bench) -> list[dict]:
    """Processor time for each acknowledged position over TCP, at 17,000 positions/s and as fast as it goes."""
    rows = [
        cost_row(bench, f"{count} connections", Load(count, seconds=bench.seconds)) for count in (1000, 5000, 19_000)]
    rows.append(cost_row(bench, "1000 connections, 16 in flight", Load(1000, seconds=bench.seconds, in_flight=16)))
    rows.append(cost_row(bench, "1000 connections, saturated", Load(1000, seconds=bench.seconds, saturate=True)))
    rows.append(
        cost_row(
            bench, "1000 connections, 16 in flight, saturated",
            Load(1000, seconds=bench.seconds, in_flight=16, saturate=True)))
    return rows


def section_udp(bench: Bench) -> list[dict]:
    """The same over UDP. Terminals of the largest run do not register, so that a round takes seconds and not minutes."""
    return [
        cost_row(
            bench, f"{count} terminals",
            Load(count, seconds=max(bench.seconds, count / 17_000 * 1.2), bearer="udp", registers=count < 100_000))
        for count in (10_000, 100_000, 500_000)]


def section_sos(bench: Bench) -> list[dict]:
    """From the press to the acknowledgement of an incident that is on the disk."""
    long = bench.seconds * 5
    forms = [
        ("at rest", Load(19_000, rate=100, sos=5, seconds=long)),
        ("at 17,000 positions/s over TCP", Load(19_000, sos=5, seconds=long)),
        ("at 17,000 positions/s over UDP, 100,000 terminals", Load(100_000, sos=5, seconds=long, bearer="udp", registers=False)),
    ]
    rows = []
    for name, load in forms:
        result = bench.against_gateway(load)
        rows.append(latency_row(name, load, result))
    return rows


def latency_row(name: str, load: Load, result: dict) -> dict:
    process = result["process"]
    return {
        "name": name, "terminals": load.terminals, "rate": load.rate, "seconds": load.seconds, "sos": result["sos"],
        "ordinary": result["ordinary"], "missing": sum(
            result[lane][kind] for lane in ("ordinary", "sos") for kind in ("unacknowledged", "refused", "not_sent")),
        "closed": result["closed_connections"], "bottleneck": result["generator"]["bottleneck"],
        "cpu_us": process["cpu_us_per_frame"], "resident_bytes_series": process["resident_bytes_series"],
        "resident_bytes_peak": process["resident_bytes_peak"],
    }


def section_storm(bench: Bench) -> dict:
    """Every terminal loses its connection in the same moment and comes back with a registration."""
    load = Load(19_000, rate=2000, sos=50, seconds=15, storm=4)
    result = bench.against_gateway(load)
    return latency_row("storm", load, result) | {"storm": result["storm"], "setup": result["setup"]}


def section_soak(bench: Bench) -> dict:
    """The whole load for ten minutes: nothing is lost and memory does not grow."""
    load = Load(19_000, sos=5, seconds=bench.soak_seconds)
    return latency_row("soak", load, bench.against_gateway(load))


def section_slow_disk(bench: Bench) -> dict:
    """Each sync takes 20 ms and waits for the one before it: 50 a second for the whole process."""
    from slow_disk import SlowDisk

    gateway = Gateway(bench.threads, disk=SlowDisk)
    gateway.start()
    disk = gateway.site.disk
    load = Load(1000, sos=5, seconds=bench.seconds * 5, timeout=30)
    try:
        bench.run(Load(1000, rate=100, seconds=1), gateway)
        disk.set_milliseconds(20)
        before, began = disk.syncs, time.monotonic()
        slow = bench.run(load, gateway)
        syncs = (disk.syncs - before) / (time.monotonic() - began)
        disk.set_milliseconds(0)
        after = bench.run(Load(1000, rate=1000, sos=5, seconds=3), gateway)
    finally:
        gateway.stop()
    return latency_row("disk at 50 syncs/s", load, slow) | {
        "syncs_per_second": syncs, "after": latency_row("after", load, after)}


def section_district(bench: Bench) -> dict:
    """500,000 terminals over UDP in one process; every last position is there, and the same after a kill."""
    few, many = 10_000, 500_000
    gateway = Gateway(bench.threads)
    gateway.start()
    try:
        small = bench.run(Load(few, seconds=10, bearer="udp", registers=False), gateway)
        load = Load(many, sos=5, seconds=65, bearer="udp", registers=False)
        result = bench.run(load, gateway)
        print("  asks for positions of 1 % of them, kills it, starts it and asks again", flush=True)
        sample = {terminal: newest_position(gateway, terminal) for terminal in range(FIRST_TERMINAL, FIRST_TERMINAL + many, 100)}
        gateway.kill()
        restart = gateway.start()
        same = sum(position is not None and newest_position(gateway, terminal) == position for terminal, position in sample.items())
        with_position = terminals_on_disk(gateway)
    finally:
        gateway.stop()
    bytes_each = (result["process"]["resident_bytes_end"] - small["process"]["resident_bytes_end"]) / (many - few)
    return latency_row("500,000 terminals over UDP", load, result) | {
        "bytes_each": bytes_each, "resident_bytes_few": small["process"]["resident_bytes_end"],
        "resident_bytes_many": result["process"]["resident_bytes_end"], "with_position": with_position,
        "compared": len(sample), "same_after_kill": same, "restart_seconds": restart}


def newest_position(gateway: Gateway, terminal: int) -> dict | None:
    points = gateway.site.api("GET", f"/v1/terminals/{terminal}/track", query={"limit": 1})["points"]
    return points[-1] if points else None


def terminals_on_disk(gateway: Gateway) -> int:
    """Terminals with a position in the track files; a run around midnight has two."""
    found = set()
    for path in gateway.site.state.glob("tracks-*.sqlite"):
        with closing(sqlite3.connect(path)) as database:
            found.update(terminal for terminal, in database.execute("SELECT DISTINCT terminal FROM positions"))
    return len(found)


def section_fences(bench: Bench) -> dict:
    """One position against a person's own fences, and against those of the district."""
    return fences(bench.scratch / "decode")


def section_start(bench: Bench) -> dict:
    """From the start of the process to the first acknowledged frames, with everything a district has in the store."""
    district = fill_district(bench.scratch / "decode", bench.scratch / "district")
    rounds = []
    for _ in range(bench.rounds):
        with tempfile.TemporaryDirectory(dir=bench.scratch) as directory:
            state = Path(directory) / "state"
            shutil.copytree(district.directory, state)
            gateway = Gateway(bench.threads, state=state)
            try:
                began = time.monotonic()
                ready = gateway.start()
                press_sos(gateway, district.terminal, fix=district.inside_fence)
                acknowledged = time.monotonic() - began
                found = gateway.site.incidents(terminal=district.terminal, state="open")
                rounds.append({
                    "ready": ready, "acknowledged": acknowledged, "resident_bytes": gateway.site.resident_kibibytes() * 1024,
                    "person": any(one.get("person") for one in found), "services": sorted(one["service"] for one in found)})
            finally:
                gateway.stop()
    best = min(rounds, key=lambda one: one["acknowledged"])
    return best | {"terminals": district.terminals, "fences": district.fences, "incidents": district.incidents}
