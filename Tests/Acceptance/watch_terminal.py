"""A small watch of the bracket protocol, written from the protocol document alone.

Nothing here shares code with the gateway: it is the other end of the line in the acceptance tests.
"""

import os
import re
import select
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone

from jt808_terminal import SocketLine

SOS = 1 << 16
FALL = 1 << 21
HEADER = re.compile(rb"\[([^*]{2})\*(\d{8,20})\*(?:([0-9A-Fa-f]{4})\*)?([0-9A-Fa-f]{4})\*")
# Commands that a watch answers with their keyword.
ANSWERED = {"CR", "UPLOAD", "SOS", "CENTER", "CALL", "MONITOR", "MESSAGE", "FIND", "FALLDOWN", "POWEROFF"}


@dataclass
class Frame:
    maker: str
    identity: str
    content: bytes
    index: int | None = None
    at: float = 0.0

    @property
    def keyword(self) -> str:
        return self.content.split(b",")[0].decode()

    @property
    def fields(self) -> list[str]:
        return [field.decode() for field in self.content.split(b",")[1:]]

    def encode(self) -> bytes:
        index = "" if self.index is None else f"{self.index:04X}*"
        return f"[{self.maker}*{self.identity}*{index}{len(self.content):04X}*".encode() + self.content + b"]"


class Watch:
    """A watch on a line: a thread reads, records everything with its time and answers commands."""

    def __init__(self, line, identity: str, maker: str = "3G", answers: bool = True):
        self.line = line
        self.identity = identity
        self.maker = maker
        self.answers = answers
        self.received: list[Frame] = []
        self.pending = b""
        self.changed = threading.Condition()
        self.stopping = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @classmethod
    def connect(cls, port: int, identity: str, **options) -> "Watch":
        return cls(SocketLine(port), identity, **options)

    def frame(self, content: str | bytes, index: int | None = None) -> Frame:
        return Frame(self.maker, self.identity, content.encode() if isinstance(content, str) else content, index)

    def position(self, keyword: str = "UD", status: int = 0, stamp: datetime | None = None, fix: bool = True) -> Frame:
        stamp = (stamp or datetime.now(timezone.utc)).astimezone(timezone.utc)
        return self.frame(",".join([
            keyword, stamp.strftime("%d%m%y"), stamp.strftime("%H%M%S"), "A" if fix else "V", "28.235567", "N",
            "112.985654", "E", "0.00", "0.0", "60.0", "9", "95", "82", "1520", "3", f"{status:08X}",
            "1,1,460,00,6699,49875,130", "1,office,0a:1b:2c:3d:4e:5f,-60", "12.5"]))

    def sos(self, stamp: datetime | None = None) -> Frame:
        return self.position("AL", SOS, stamp)

    def write(self, data: bytes | Frame) -> float:
        at = time.monotonic()
        self.line.write(data.encode() if isinstance(data, Frame) else data)
        return at

    def request(self, frame: Frame, keyword: str, timeout: float = 10) -> Frame | None:
        """Sends and waits for an answer with this keyword that was not there before."""
        before = len(self.received)
        self.write(frame)
        return self.wait_for(lambda answer: answer.keyword == keyword, timeout, after=before)

    def link_keep(self) -> Frame | None:
        return self.request(self.frame("LK,1520,3,83"), "LK")

    def _read(self):
        while not self.stopping:
            try:
                ready, _, _ = select.select([self.line.descriptor], [], [], 0.2)
                if not ready:
                    continue
                data = os.read(self.line.descriptor, 65536)
            except (OSError, ValueError):
                data = b""
            if not data:
                break
            for frame in self._split(data):
                if self.answers and frame.keyword in ANSWERED:
                    self.write(self.frame(frame.keyword))
                with self.changed:
                    self.received.append(frame)
                    self.changed.notify_all()

    def _split(self, data: bytes):
        self.pending += data
        while header := HEADER.match(self.pending):
            end = header.end() + int(header[4], 16)
            if len(self.pending) <= end:
                return
            assert self.pending[end : end + 1] == b"]", self.pending
            index = int(header[3], 16) if header[3] else None
            yield Frame(
                header[1].decode(), header[2].decode(), self.pending[header.end() : end], index, time.monotonic())
            self.pending = self.pending[end + 1 :]

    def wait_for(self, condition, timeout: float = 10, after: int = 0) -> Frame | None:
        """The first frame received so far or within the time that meets the condition; None if none did."""
        deadline = time.monotonic() + timeout
        seen = after
        with self.changed:
            while True:
                while seen < len(self.received):
                    frame = self.received[seen]
                    seen += 1
                    if condition(frame):
                        return frame
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return None
                self.changed.wait(remaining)

    def texts(self) -> list[str]:
        """The texts of all MESSAGE frames received."""
        return [
            bytes.fromhex(frame.fields[0]).decode("utf-16-be") for frame in self.received if frame.keyword == "MESSAGE"]

    def close(self):
        self.stopping = True
        # The reader ends before the descriptor is free for somebody else's connection.
        self.line.shutdown()
        self.reader.join(2)
        self.line.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
