"""Runs `framereplay load` and keeps what it said."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# What framereplay calls its first terminal; the others count up.
FIRST_TERMINAL = 990_000_000_001
# The machine's limit of open files for one process, less what a process needs besides its terminals.
CONNECTIONS_PER_PROCESS = 19_900
# The gateway takes one UDP address for one connection and serves at most 32 terminals on it (SessionEnvironment), so many
# terminals need many sockets; the generator's loop takes about 1,000.
SOCKETS_PER_PROCESS = 1000
TERMINALS_PER_SOCKET = 32


@dataclass(frozen=True)
class Load:
    """One form of load."""

    terminals: int
    rate: int = 17_000
    sos: float = 0
    seconds: float = 5
    bearer: str = "tcp"
    in_flight: int = 1
    saturate: bool = False
    storm: float | None = None
    registers: bool = True
    timeout: float = 20

    def arguments(self, address: str, pid: int) -> list[str]:
        words = [
            f"--{self.bearer}", address, "--terminals", str(self.terminals), "--sos", str(self.sos), "--duration",
            str(self.seconds), "--in-flight", str(self.in_flight), "--timeout", str(self.timeout), "--pid", str(pid),
            "--json",
        ]
        words += ["--saturate"] if self.saturate else ["--rate", str(self.rate)]
        words += ["--storm", str(self.storm)] if self.storm is not None else []
        words += [] if self.registers else ["--no-register"]
        room = CONNECTIONS_PER_PROCESS
        if self.bearer == "udp":
            room = SOCKETS_PER_PROCESS * TERMINALS_PER_SOCKET
            words += ["--sockets", str(SOCKETS_PER_PROCESS)]
        if self.terminals > room:
            words += ["--processes", str(-(-self.terminals // room))]
        return words


class LoadFailed(AssertionError):
    """The generator could not do its work at all."""


def run(program: Path, load: Load, address: str, pid: int) -> dict:
    """The generator's JSON; a run with missing answers is a result, one without any is an error."""
    words = [program, "load", *load.arguments(address, pid)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=load.seconds + 10 * load.timeout + 120)
    if done.returncode not in (0, 3) or not done.stdout.startswith("{"):
        raise LoadFailed(f"framereplay load ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


@dataclass
class Rounds:
    """Several runs of one load against one server; the best round counts for costs, the worst for latency."""

    results: list[dict] = field(default_factory=list)

    def add(self, result: dict):
        self.results.append(result)

    @property
    def cost(self) -> float:
        """Microseconds of processor time of the server for each acknowledged frame."""
        return min(result["process"]["cpu_us_per_frame"] for result in self.results)

    @property
    def rate(self) -> float:
        return max(result["acknowledged_per_second"] for result in self.results)

    @property
    def generator_cost(self) -> float:
        return min(result["generator"]["cpu_us_per_frame"] for result in self.results)

    @property
    def missing(self) -> int:
        lanes = [result[lane] for result in self.results for lane in ("ordinary", "sos")]
        return sum(lane["unacknowledged"] + lane["refused"] + lane["not_sent"] for lane in lanes)

    @property
    def failed(self) -> int:
        return sum(result["setup"]["failed"] for result in self.results)

    @property
    def bottleneck(self) -> bool:
        """Every round says that the generator stood in its own way."""
        return all(result["generator"]["bottleneck"] for result in self.results)

    def latency(self, lane: str, percentile: str) -> float | None:
        """Milliseconds in the median round."""
        values = sorted(
            result[lane]["latency_ms"][percentile] for result in self.results if result[lane].get("latency_ms"))
        return values[len(values) // 2] if values else None

