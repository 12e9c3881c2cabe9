"""The real siren program with ALSA's file plugin into a FIFO that is drained at the pace of a sound card.

ALSA's null and file plugins take samples as fast as they come; only a slow reader makes them wait like a card does. The
times at which samples arrive are those at which a loudspeaker would be given them.
"""

import array
import fcntl
import os
import subprocess
import threading
import time
from pathlib import Path

from site_under_test import programs

RATE = 48_000
BYTES_PER_SECOND = RATE * 2
F_SETPIPE_SZ = 1031
# A quarter of this lies in the pipe, as in a card's buffer.
PIPE_BYTES = 8_192
CHUNK_BYTES = 1_920


class SoundCard:
    """Drains the FIFO and remembers what was heard and when."""

    def __init__(self, directory: Path):
        self.fifo = directory / "sound"
        os.mkfifo(self.fifo)
        self.configuration = directory / "asound.conf"
        self.configuration.write_text(
            'pcm.card { type file; slave.pcm { type null }; file "%s"; format "raw" }\n' % self.fifo)
        # Open for writing too, so that the reader outlives each siren process.
        self.reader = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.reader, F_SETPIPE_SZ, PIPE_BYTES)
        self.arrivals: list[tuple[float, bytes]] = []
        self.stopping = False
        self.thread = threading.Thread(target=self._drain, daemon=True)
        self.thread.start()

    def _drain(self):
        due = time.monotonic()
        while not self.stopping:
            try:
                data = os.read(self.reader, CHUNK_BYTES)
            except BlockingIOError:
                time.sleep(0.002)
                due = time.monotonic()
                continue
            self.arrivals.append((time.monotonic(), data))
            due += len(data) / BYTES_PER_SECOND
            time.sleep(max(0, due - time.monotonic()))

    def stop(self):
        self.stopping = True
        self.thread.join()
        os.close(self.reader)

    def heard_since(self, since: float) -> bool:
        return bool(self.arrivals) and self.arrivals[-1][0] >= since

    def longest_gap(self, begin: float, end: float) -> float:
        """The longest time without a new sample between two moments."""
        times = [begin, *(at for at, _ in list(self.arrivals) if begin <= at <= end), end]
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def samples(self, begin: float, end: float) -> array.array:
        data = b"".join(data for at, data in list(self.arrivals) if begin <= at <= end)
        samples = array.array("h")
        samples.frombytes(data[: len(data) // 2 * 2])
        return samples


def pitches(samples: array.array) -> list[float]:
    """The pitch in Hz from each upward crossing of zero to the next."""
    found = []
    last = None
    for index in range(1, len(samples)):
        before, after = samples[index - 1], samples[index]
        if before < 0 <= after:
            place = index - 1 + before / (before - after)
            if last is not None:
                found.append(RATE / (place - last))
            last = place
    return found


class SirenUnderTest:
    """The siren program with its directories; `start` also starts it again after a kill, as the service manager would."""

    def __init__(self, directory: Path, card: SoundCard | None = None, options: tuple[str, ...] = ()):
        self.durable = directory / "siren"
        self.volatile = directory / "siren-memory"
        for path in (self.durable, self.volatile):
            path.mkdir(exist_ok=True)
        self.card = card
        self.options = options
        self.log = open(directory / "siren.log", "ab")
        self.process: subprocess.Popen | None = None

    @property
    def environment(self) -> dict[str, str]:
        if self.card is None:
            return dict(os.environ)
        return {**os.environ, "ALSA_CONFIG_PATH": str(self.card.configuration)}

    @property
    def directories(self) -> list[str]:
        return ["--directory", str(self.durable), "--volatile-directory", str(self.volatile)]

    def start(self):
        device = ("--device", "card", "--mixer", "none") if self.card else ("--device", "none")
        self.process = subprocess.Popen(
            [programs() / "yidiantong-siren", "run", *self.directories, *device, "--self-test-hour=-1", *self.options],
            env=self.environment, stdout=self.log, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=10)
        self.log.close()

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [programs() / "yidiantong-siren", arguments[0], *self.directories, *arguments[1:]],
            env=self.environment, capture_output=True, text=True, timeout=30)

    def latch(self, generation: int = 1, incidents: tuple[str, ...] = ()):
        """Sets the latch as its documentation says it may be set by hand."""
        lines = [f"generation {generation}", *(f"incident {incident}" for incident in incidents)]
        new = self.durable / "latch.by-hand"
        new.write_text("".join(line + "\n" for line in lines))
        new.rename(self.durable / "latch")
