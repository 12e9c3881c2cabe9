"""The USB sockets of a simulated machine: adapters that are plugged in and pulled out, each with a pseudo-terminal behind it.

umockdev simulates udev and sysfs for the daemon, which must run under `machine.wrapper`; the tty of an adapter is real.
"""

import os
import shlex
import subprocess
import tempfile
import tty
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "Tests" / "Peers" / "usb_ports.c"


@dataclass
class Adapter:
    """One adapter in one socket. `master` is the wire behind it."""

    node: str
    socket: str
    vendor: str = "1a86"
    product: str = "7523"
    serial: str | None = None
    interface: str = "0"
    driver: str = "ch341-uart"
    tags: str | None = None
    master: int = field(default=-1)
    slave: int = field(default=-1)


class Machine:
    """Sockets without adapters at first."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="yidiantong-usb-"))
        program = self.directory / "usb_ports"
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "umockdev-1.0"], check=True, capture_output=True, text=True).stdout
        subprocess.run(["cc", "-O1", "-Wall", "-Werror", "-o", program, SOURCE, *shlex.split(flags)], check=True)
        self.process = subprocess.Popen(
            ["umockdev-wrapper", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.root = Path(self.process.stdout.readline().strip())

    @property
    def wrapper(self) -> tuple:
        """In front of a program that is to see this machine."""
        return ("env", f"UMOCKDEV_DIR={self.root}", "umockdev-wrapper")

    def _say(self, *words: str):
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"{words}: {answer}"

    def plug(self, adapter: Adapter) -> Adapter:
        """Makes a new wire for the adapter, then the device: from here on udev has told of it."""
        adapter.master, adapter.slave = os.openpty()
        tty.setraw(adapter.slave)
        device = self.root / "dev" / adapter.node
        device.parent.mkdir(exist_ok=True)
        device.unlink(missing_ok=True)
        device.symlink_to(os.ttyname(adapter.slave))
        minor = str(int("".join(filter(str.isdigit, adapter.node))))
        self._say(
            "plug", adapter.node, adapter.socket, adapter.vendor, adapter.product, adapter.serial or "-",
            adapter.interface, adapter.driver, minor, f":{adapter.tags}:" if adapter.tags else "-")
        return adapter

    def hang_up(self, adapter: Adapter):
        """The wire is cut, as the kernel does it before udev hears of it."""
        (self.root / "dev" / adapter.node).unlink(missing_ok=True)
        for name in ("slave", "master"):
            if getattr(adapter, name) >= 0:
                try:
                    os.close(getattr(adapter, name))
                except OSError:
                    pass
                setattr(adapter, name, -1)

    def pull(self, adapter: Adapter):
        self.hang_up(adapter)
        self._say("pull", adapter.node)

    def change(self, adapter: Adapter):
        self._say("change", adapter.node)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
