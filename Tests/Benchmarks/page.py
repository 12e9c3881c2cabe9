"""Turns the results of the sections into docs/performance.md."""

import os
import platform
import re
from pathlib import Path

from decode import PROTOCOLS

HEAD = """# Performance

Written by `scripts/bench`; do not edit by hand. Every figure is one of this machine and of the day below; what travels is
the **ratio** to a bare C server that was measured in turn with the gateway, minutes apart: an epoll loop that finds frames
between 7E flags, checks their XOR, answers 0x8001 and stores nothing (`Tests/Benchmarks/Reference/acknowledger.c`). The
gateway of the same run decodes, keeps sessions, looks at fences and open incidents, and acknowledges a position only after
it is on the disk.

To repeat: `make bench` (about an hour, no root needed), one section alone with `scripts/bench SECTION`, and
`scripts/bench short` for the counts that CI gates. Load comes from `framereplay load` on the same machine: an open loop, whose
reports have their times before the first one leaves, so that waiting is counted; `--pid` reads the server's processor time and
memory from /proc. A figure stands for the cheapest of several rounds.

"""


def machine() -> str:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal: *(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 2**20
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return (
        f"{os.cpu_count()} cores ({processor.group(1) if processor else platform.machine()}), {memory:.0f} GiB, "
        f"{system.group(1) if system else platform.system()}, kernel {platform.release().split('-')[0]}")


def table(head: list[str], rows: list[list]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def number(value, decimals: int = 2) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"


def mebibytes(count) -> str:
    return number(count / 2**20, 0)


def verdict(reached: bool) -> str:
    return "yes" if reached else "**no**"


def text(results: dict) -> str:
    parts = [HEAD, f"Machine: {machine()}. Measured: {days(results)}. {company(results)}\n"]
    if note := results.get("note"):
        parts.append(note + "\n")
    for name, write in WRITERS.items():
        if name in results:
            parts.append(write(results[name]))
    parts.append(growth(results))
    return "\n".join(parts)


def days(results: dict) -> str:
    return ", ".join(sorted(set(results.get("measured", {}).values())))


def company(results: dict) -> str:
    """How busy the machine was with other things when a section began."""
    loads = [f"{name} {load:.1f}" for name, load in results.get("load_average", {}).items() if name in results]
    return f"Load average of the machine when each section began: {', '.join(loads)}." if loads else ""


# MARK: One writer for each section


def decode(result: dict) -> str:
    base = result["sse2"]["c"]
    rows = []
    for form, name in (("sse2", "SSE2 finder"), ("portable", "portable finder")):
        for variant in ("c", "swift", "events"):
            figures = result[form][variant]
            own = result[form]["c"]
            rows.append([
                f"{variant}, {name}", number(figures["ns"], 1), number(figures["ns"] / own["ns"]),
                number(figures["instructions"], 0), number(figures["instructions"] / own["instructions"]),
                number(figures["allocations"], 4)])
    swift = result["sse2"]["swift"]
    reached = (
        swift["ns"] <= 1.25 * base["ns"] and swift["instructions"] <= 1.5 * base["instructions"]
        and swift["allocations"] == 0)
    return (
        "## Decoding\n\n1,000 different 0x0200 reports of 60 bytes on average, one in ten escaped; `swift` finds, checks and reads "
        "fields and items as `c` does (same digest), `events` makes the values that are stored. Ratios are to C with the "
        f"same finder. Swift {result['toolchain']}.\n\n"
        + table(["", "ns", "x C", "instructions", "x C", "allocations"], rows)
        + f"\nGoal: at most 1.25 x C in ns, 1.5 x in instructions, no allocation. Reached: {verdict(reached)}.\n"
        + protocols(result["sse2"]))


def protocols(measured: dict) -> str:
    """Bytes to events, of each protocol beside JT/T 808."""
    if "gt06" not in measured:
        return ""
    base = measured["events"]
    rows = []
    for name, variant in PROTOCOLS.items():
        figures = measured[variant]
        ratio = (figures["instructions"] / figures["bytes"]) / (base["instructions"] / base["bytes"])
        rows.append([
            name, number(figures["bytes"], 0), number(figures["ns"], 0), number(figures["ns"] / figures["bytes"], 1),
            number(figures["instructions"], 0), number(figures["instructions"] / figures["bytes"], 1), number(ratio),
            number(figures["allocations"], 2), number(figures["allocations"] / figures["bytes"], 4)])
    return (
        "\n### All protocols\n\n1,000 different position reports of each, found, checked and made into events as a session "
        "does it. The goal is at most 3 x the instructions of JT/T 808 a byte.\n\n"
        + table(
            ["", "bytes", "ns", "ns a byte", "instructions", "a byte", "x jt808", "allocations", "a byte"], rows))


def echo(result: list[dict]) -> str:
    rows = [
        [row["bearer"], row["terminals"], number(row["echo_us"]), number(row["c_us"]), number(row["c_us"] / row["echo_us"])]
        for row in result]
    return (
        "## The reference itself\n\nThe C server beside a bare echo of the same bytes, microseconds of processor time a frame.\n\n"
        + table(["bearer", "terminals", "echo", "reference", "ratio"], rows))


def costs(title: str, note: str):
    def write(result: list[dict]) -> str:
        rows = [
            [row["name"], "as fast as it goes" if row["saturate"] else f"{row['rate']:,}/s",
             number(row["gateway_rate"], 0), number(row["c_us"]), number(row["gateway_us"]), number(row["ratio"]),
             number(row["generator_us"]), number(row["gateway_p50_ms"], 1), number(row["gateway_p99_ms"], 1),
             row["missing"] + row["failed"]]
            for row in result]
        head = [
            "", "offered", "acknowledged/s", "C us", "gateway us", "x C", "generator us", "p50 ms", "p99 ms", "missing"]
        where = [
            f"- {row['name']}: " + ", ".join(f"{thread} {cost:.2f}" for thread, cost in list(row["threads_us"].items())[:7])
            for row in result]
        limits = [row["name"] for row in result if row["generator_is_bottleneck"]]
        warning = f"\nThe generator called itself the bottleneck in: {', '.join(limits)}.\n" if limits else ""
        return (
            f"## {title}\n\n{note}\n\n" + table(head, rows) + warning
            + "\nWhere the gateway's microseconds go, by thread:\n\n" + "\n".join(where) + "\n")
    return write


def latency(row: dict, lane: str) -> list[str]:
    found = row[lane].get("latency_ms") or {}
    return [number(found.get(percentile), 2) for percentile in ("p50", "p99", "p99.9", "max")]


def sos(result: list[dict]) -> str:
    rows = [
        [row["name"], row["sos"]["acknowledged"], *latency(row, "sos"), number((row["ordinary"].get("latency_ms") or {}).get("p99"), 1),
         row["missing"], "generator" if row["bottleneck"] else ""]
        for row in result]
    return (
        "## From the press to the acknowledgement\n\nMilliseconds from the time that an SOS was due to the acknowledgement of an "
        "incident that is on the disk.\n\n"
        + table(["", "SOS", "p50", "p99", "p99.9", "max", "positions p99", "missing", "limited by"], rows)
        + "\nGoal: p99 at most 20 ms at 17,000 positions/s. Memory from second to second, MiB:\n\n"
        + "\n".join(f"- {row['name']}: {series(row['resident_bytes_series'])}" for row in result) + "\n")


def series(values: list[int]) -> str:
    """At most ten points."""
    step = max(1, len(values) // 10)
    return " ".join(mebibytes(value) for value in values[::step]) or "-"


def storm(result: dict) -> str:
    served, sos_ms = result["storm"].get("served_ms") or {}, result["storm"].get("sos_ms") or {}
    reached = served.get("max", 1e9) <= 3000 and sos_ms.get("p99", 1e9) <= 100
    return (
        f"## The storm\n\n{result['terminals']:,} TCP terminals lose their connections in the same moment and come back, each with a "
        "registration and an authentication; reports that come due meanwhile are sent afterwards.\n\n"
        + table(
            ["", "count", "p50 ms", "p99 ms", "max ms"],
            [["served again after", result["storm"]["served"], *(number(served.get(key), 0) for key in ("p50", "p99", "max"))],
             ["SOS, leaving to acknowledgement", "", *(number(sos_ms.get(key), 1) for key in ("p50", "p99", "max"))]])
        + f"\nMissing: {result['missing']}. Goal: all served in 3 s, SOS p99 at most 100 ms. Reached: {verdict(reached)}.\n")


def soak(result: dict) -> str:
    series_ = result["resident_bytes_series"]
    later = series_[len(series_) // 4:]
    found = result["sos"].get("latency_ms") or {}
    flat = bool(later) and max(later) <= 1.1 * min(later)
    reached = found.get("p99", 1e9) <= 20 and result["missing"] == 0 and flat
    return (
        f"## {result['seconds'] / 60:.0f} minutes of everything\n\n{result['terminals']:,} TCP terminals, {result['rate']:,} positions/s and 5 SOS/s.\n\n"
        + table(
            ["SOS", "p50 ms", "p99", "p99.9", "max", "positions p99", "missing", "us a frame"],
            [[result["sos"]["acknowledged"], *latency(result, "sos"), latency(result, "ordinary")[1], result["missing"], number(result["cpu_us"])]])
        + f"\nMemory, MiB: {series(series_)}.\n\nGoal: SOS p99 at most 20 ms, nothing unanswered, memory flat after the first quarter "
        f"(within 10 %). Reached: {verdict(reached)}.\n")


def slow_disk(result: dict) -> str:
    found = result["sos"].get("latency_ms") or {}
    reached = found.get("p99", 1e9) <= 100 and result["missing"] == 0 and result["closed"] == 0
    return (
        f"## A disk with 50 syncs a second\n\nEach fsync and fdatasync of the process takes 20 ms, one after the other "
        f"({number(result['syncs_per_second'], 0)}/s happened). {result['terminals']:,} terminals, {result['rate']:,} positions/s, 5 SOS/s for {result['seconds']:.0f} s.\n\n"
        + table(
            ["", "SOS p50 ms", "p99", "max", "positions p50", "p99", "missing", "closed", "resident MiB at most"],
            [[name, latency(row, "sos")[0], latency(row, "sos")[1], latency(row, "sos")[3], *latency(row, "ordinary")[:2], row["missing"],
              row["closed"], mebibytes(row["resident_bytes_peak"])]
             for name, row in (("slow", result), ("fast again", result["after"]))])
        + f"\nGoal: SOS p99 at most 100 ms, no loss, nobody disconnected, recovers by itself. Reached: {verdict(reached)}.\n")


def district(result: dict) -> str:
    found = result["sos"].get("latency_ms") or {}
    reached = (
        found.get("p99", 1e9) <= 20 and result["bytes_each"] <= 512 and result["with_position"] == result["terminals"]
        and result["same_after_kill"] == result["compared"] and result["missing"] == 0)
    return (
        f"## A district in one process\n\n{result['terminals']:,} UDP terminals, {result['rate']:,} positions/s, 5 SOS/s for {result['seconds']:.0f} s.\n\n"
        + table(["", ""], [
            ["SOS p50 / p99 / p99.9 / max, ms", " / ".join(latency(result, "sos"))],
            ["positions p50 / p99, ms", " / ".join(latency(result, "ordinary")[:2])],
            ["missing answers", result["missing"]],
            ["resident with 10,000 terminals, MiB", mebibytes(result["resident_bytes_few"])],
            ["resident with 500,000 terminals, MiB", mebibytes(result["resident_bytes_many"])],
            ["bytes for each further terminal", number(result["bytes_each"], 0)],
            ["terminals with a position on the disk", f"{result['with_position']:,}"],
            ["last positions asked for before and after kill -9, and the same", f"{result['compared']:,}, {result['same_after_kill']:,}"],
            ["ready again after the kill, s", number(result["restart_seconds"])]])
        + f"\nGoal: SOS p99 at most 20 ms, 512 B a terminal, every last position there and the same after a kill. Reached: {verdict(reached)}.\n")


def start(result: dict) -> str:
    reached = result["acknowledged"] <= 2 and result["person"] and "fence_watch" in result["services"]
    return (
        f"## Start\n\n{result['terminals']:,} terminals with their people's cards, {result['fences']:,} fences and {result['incidents']:,} "
        "open incidents in the store; then the first SOS arrives from inside a forbidden fence.\n\n"
        + table(["", ""], [
            ["ready, s", number(result["ready"])],
            ["first SOS acknowledged, s", number(result["acknowledged"])],
            ["its incidents", ", ".join(result["services"])],
            ["with the person's card", "yes" if result["person"] else "no"],
            ["resident, MiB", mebibytes(result["resident_bytes"])]])
        + f"\nGoal: 2 s. Reached: {verdict(reached)}.\n")


def fences(result: dict) -> str:
    return (
        "## Fences\n\nOne position, nanoseconds.\n\n"
        + table(["", "ns"], [[name, number(value, 0)] for name, value in result.items()])
        + "\nGoal: 1,000 ns against a person's own fences, 5,000 ns with 100,000 of the district.\n")


def growth(results: dict) -> str:
    """The rows that other sections make."""
    tcp = {row["name"]: row for row in results.get("tcp", [])}
    rows = []
    first, last = tcp.get("1000 connections"), tcp.get("19000 connections")
    if first and last:
        ratio = last["ratio"] / first["ratio"]
        rows.append(["ratio to C at 19,000 against 1,000 connections", f"{ratio:.2f} x", "1.3 x", verdict(ratio <= 1.3)])
        ratio = last["gateway_p99_ms"] / first["gateway_p99_ms"]
        rows.append(["latency p99 at 19,000 against 1,000 connections", f"{ratio:.2f} x", "2 x", verdict(ratio <= 2)])
        rows.append(["C, 1,000 connections, one frame a write", f"{first['ratio']:.2f} x", "1.6 x", verdict(first["ratio"] <= 1.6)])
        bytes_each = (last["resident_bytes"] - first["resident_bytes"]) / (last["terminals"] - first["terminals"])
        rows.append(["resident bytes a further TCP terminal", f"{bytes_each:,.0f}", "512", verdict(bytes_each <= 512)])
    pipelined = tcp.get("1000 connections, 16 in flight")
    if pipelined:
        limit = max(4, 5 * pipelined["c_us"])
        rows.append(["16 in flight, us a frame", number(pipelined["gateway_us"]), f"{limit:.2f}", verdict(pipelined["gateway_us"] <= limit)])
    if not rows:
        return ""
    return "## Goals that follow from the tables\n\n" + table(["", "measured", "goal", "reached"], rows)


WRITERS = {
    "decode": decode,
    "echo": echo,
    "tcp": costs(
        "TCP: processor time for each acknowledged position",
        "`gateway us` is all threads of the gateway together, the disk's included, user and kernel; `C us` the same of the reference."),
    "udp": costs("UDP: the same", "Terminals share a few sockets of the generator."),
    "sos": sos,
    "soak": soak,
    "storm": storm,
    "district": district,
    "slow_disk": slow_disk,
    "start": start,
    "fences": fences,
}
