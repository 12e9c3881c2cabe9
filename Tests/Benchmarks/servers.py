"""What is measured: the gateway on a state directory of its own, and the bare C server beside it."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests" / name) for name in ("Acceptance", "Crash")]

from jt808_terminal import Fix, Terminal  # noqa: E402
from site_under_test import Site, free_port  # noqa: E402


class Reference:
    """The C server: frames found and checked, acknowledged, nothing else; or a bare echo."""

    def __init__(self, program: Path, bearer: str, threads: int, echo: bool = False):
        self.port = free_port()
        arguments = [program, bearer, str(self.port), str(threads)] + (["echo"] if echo else [])
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{program} did not start")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Gateway:
    """yidiantongd as a district would run it: positions acknowledged after they are on the disk, a receiver for alarms."""

    def __init__(self, threads: int, extra: str = "", disk=None, state: Path | None = None):
        self.udp_port = free_port()
        # One address stands for a whole mobile network here, and the load comes in a moment, not over a day.
        settings = f"""
[[listener]]
protocol = "jt808"
udp = "127.0.0.1:{self.udp_port}"

[reactor]
threads = {threads}
maximum_connections_per_address = 60000
{extra}
"""
        self.site = Site(unknown="accept", extra=settings, disk=disk, state=state)

    def start(self) -> float:
        return self.site.start(timeout=120)

    def address(self, bearer: str) -> str:
        return f"127.0.0.1:{self.udp_port if bearer == 'udp' else self.site.port}"

    @property
    def pid(self) -> int:
        return self.site.process.pid

    def kill(self):
        self.site.kill()

    def stop(self):
        """Ends it as a system would, and takes its files away."""
        try:
            self.site.stop(timeout=60)
        finally:
            self.site.discard()


def press_sos(gateway: Gateway, terminal: str, fix: Fix):
    """One terminal presses its key; returns when that is acknowledged."""
    with Terminal.connect(gateway.site.port, terminal.rjust(12, "0")) as line:
        if line.request(line.sos(fix), timeout=60) is None:
            raise AssertionError(f"the SOS of {terminal} was not acknowledged; see {gateway.site.log}")


def settle(seconds: float = 1.0):
    """Lets the machine finish what a run left behind: closed connections, written pages."""
    time.sleep(seconds)
