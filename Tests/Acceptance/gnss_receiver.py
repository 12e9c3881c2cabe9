"""Satellite receivers for tests: NMEA 0183 sentences for Changsha, on pseudo-terminals that a real gpsd reads.

Source: NMEA 0183 version 4.10, sentences GGA, GSA and RMC.
"""

import os
import subprocess
import threading
import time
import tty
from datetime import datetime, timedelta, timezone

CHANGSHA = (28.23, 112.94)


def sentence(body: str) -> str:
    check = 0
    for character in body:
        check ^= ord(character)
    return f"${body}*{check:02X}\r\n"


def degrees(value: float, width: int) -> str:
    """Degrees and minutes as NMEA writes them."""
    whole = int(abs(value))
    return f"{whole:0{width}d}{(abs(value) - whole) * 60:07.4f}"


def epoch(at: datetime, place=CHANGSHA, has_fix: bool = True, hdop: float = 0.9) -> str:
    """What a receiver sends in one second."""
    clock, day = at.strftime("%H%M%S.%f")[:9], at.strftime("%d%m%y")
    if not has_fix:
        return (
            sentence(f"GPGGA,{clock},,,,,0,00,99.9,,,,,,") + sentence("GPGSA,A,1,,,,,,,,,,,,,99.9,99.9,99.9")
            + sentence(f"GPRMC,{clock},V,,,,,,,{day},,,N"))
    latitude = f"{degrees(place[0], 2)},{'N' if place[0] >= 0 else 'S'}"
    longitude = f"{degrees(place[1], 3)},{'E' if place[1] >= 0 else 'W'}"
    return (
        sentence(f"GPGGA,{clock},{latitude},{longitude},1,09,{hdop},61.0,M,-17.0,M,,")
        + sentence(f"GPGSA,A,3,02,05,07,12,13,15,20,25,29,,,,{hdop * 1.6:.1f},{hdop},{hdop * 1.3:.1f}")
        + sentence(f"GPRMC,{clock},A,{latitude},{longitude},0.0,0.0,{day},,,A"))


def log(start: datetime, seconds: int) -> str:
    """A recording for gpsfake."""
    return "".join(epoch(start + timedelta(seconds=second)) for second in range(seconds))


class Receiver:
    """One receiver that speaks once a second until it is closed; what it says can be changed at any time."""

    def __init__(self, place=CHANGSHA, hdop: float = 0.9):
        self.place, self.hdop = place, hdop
        self.has_fix = True
        self.speaks = True
        self.offset = timedelta()
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        # gpsd gives up root's rights before it opens a device again.
        os.chmod(self.path, 0o666)
        os.set_blocking(self.master, False)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._speak, daemon=True)
        self.thread.start()

    def _speak(self):
        while not self.stopping.wait(1 - time.time() % 1):
            if not self.speaks:
                continue
            at = datetime.now(timezone.utc).replace(microsecond=0) + self.offset
            try:
                os.write(self.master, epoch(at, self.place, self.has_fix, self.hdop).encode())
                while os.read(self.master, 4096):
                    pass
            except BlockingIOError:
                pass

    def close(self):
        self.stopping.set()
        self.thread.join()
        os.close(self.master)
        os.close(self.slave)


class GPSDaemon:
    """A real gpsd on a port of the loopback."""

    def __init__(self, port: int, *receivers: Receiver):
        self.port = port
        self.receivers = receivers
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/gpsd", "-N", "-n", "-S", str(self.port), *(receiver.path for receiver in self.receivers)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()
