"""Recordings of all protocols, made of the corpus, and pseudo-terminals joined like a cable."""

import json
import os
import select
import threading
import tty
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1] / "Corpus"


@dataclass
class Recording:
    """Frames of one terminal, both directions, and what becomes of those of the terminal."""

    protocol: str
    terminal: str
    frames: list[bytes]
    acknowledged: int
    unanswered: int
    options: tuple = ()

    def text(self, gap_milliseconds: int = 0) -> str:
        return "".join(f"@{index * gap_milliseconds} {frame.hex()}\n" for index, frame in enumerate(self.frames))


def corpus(folder: str, *names: str) -> list[bytes]:
    with open(CORPUS / folder / "frames.jsonl", encoding="utf-8") as lines:
        cases = {case["name"]: case["hex"] for case in map(json.loads, filter(str.strip, lines))}
    return [bytes.fromhex(cases[name]) for name in names]


def recordings() -> list[Recording]:
    """Each has a login or what is like it, a report and an SOS; frames of the platform must not be sent."""
    return [
        # Recorded long ago: without the time of now the receiver would refuse them.
        Recording("dc09", "100001", corpus("DC09", "null", "test-periodic", "sos-contact-id", "ack"), 3, 0),
        Recording(
            "ev07b", "999910000000029",
            corpus("EV07B", "service-heartbeat", "position-home-wifi", "alarm-sos-gps", "service-time-request"), 4, 0),
        Recording(
            "gt06", "999910000000011",
            corpus("GT06", "login-tz8", "login-ack", "heartbeat-13", "location-12", "alarm-26-sos", "alarm-26-ack"), 3, 1),
        Recording(
            "jt808", "17700000101",
            corpus("JT808", "register-2013", "register-reply", "auth-2013", "heartbeat", "location-sos-escaped",
                   "location-ack-alarm", "terminal-ack"), 4, 1, ("--register",)),
        Recording("watch", "1000000003", corpus("Watch", "link-keep", "position-ud", "alarm-sos"), 2, 1),
    ]


class Cable:
    """Two pseudo-terminals, each the far end of the other."""

    def __init__(self):
        self.masters, self.slaves = [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self.masters.append(master)
            self.slaves.append(slave)
        self.paths = [os.ttyname(slave) for slave in self.slaves]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        first, second = self.masters
        while not self.stopping.is_set():
            for ready in select.select(self.masters, [], [], 0.05)[0]:
                data = os.read(ready, 4096)
                os.write(second if ready == first else first, data)

    def close(self):
        self.stopping.set()
        self.thread.join()
        for descriptor in (*self.masters, *self.slaves):
            os.close(descriptor)
