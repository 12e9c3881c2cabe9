"""A small EV07B pendant, written from the protocol document alone.

Nothing here shares code with the gateway: it is the other end of the line in the acceptance tests.
"""

import itertools
import os
import select
import threading
import time
from dataclasses import dataclass

MARKER = 0xAB

DATA, CONFIGURATION, SERVICES, CONTROL, RESPONSE = 0x01, 0x02, 0x03, 0x04, 0x7F
WANTS_ANSWER = 0x10

FALL = 1 << 2
SOS = 1 << 12
SIDE_KEY_1 = 1 << 13
SOS_CANCELLED = 1 << 17


def crc(data: bytes) -> int:
    register = 0
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return register


def little(value: int, size: int) -> bytes:
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")


@dataclass
class Frame:
    """One message: command and blocks, and when it was received on the monotonic clock."""

    command: int
    blocks: list[tuple[int, bytes]]
    sequence: int
    properties: int = WANTS_ANSWER
    at: float = 0.0

    def encode(self) -> bytes:
        body = bytes([self.command])
        for key, value in self.blocks:
            body += bytes([len(value) + 1, key]) + value
        return (
            bytes([MARKER, self.properties]) + little(len(body), 2) + little(crc(body), 2) + little(self.sequence, 2)
            + body)

    @classmethod
    def decode(cls, data: bytes) -> "Frame":
        """Decodes a whole frame whose length is right."""
        body = data[8:]
        assert crc(body) == int.from_bytes(data[4:6], "little"), f"wrong checksum: {data.hex()}"
        blocks, position = [], 1
        while position < len(body):
            length = body[position]
            blocks.append((body[position + 1], body[position + 2 : position + 1 + length]))
            position += 1 + length
        assert position == len(body), f"the blocks do not fill the body: {data.hex()}"
        return cls(body[0], blocks, int.from_bytes(data[6:8], "little"), data[1], time.monotonic())

    def value(self, key: int) -> bytes | None:
        return next((value for found, value in self.blocks if found == key), None)


class Pendant:
    """A pendant on a line: a thread reads, records everything with its time and answers commands."""

    def __init__(self, line, imei: str, answers: bool = True):
        self.line = line
        self.imei = imei
        self.answers = answers
        self.sequences = itertools.count(1)
        self.received: list[Frame] = []
        self.pending = bytearray()
        self.changed = threading.Condition()
        self.closed = False
        self.stopping = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

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
                if self.answers and frame.properties & WANTS_ANSWER:
                    self.line.write(Frame(RESPONSE, [(0x00, b"")], frame.sequence, 0).encode())
                with self.changed:
                    self.received.append(frame)
                    self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _split(self, data: bytes) -> list[Frame]:
        """The platform sends nothing but whole frames."""
        frames = []
        self.pending += data
        while len(self.pending) >= 8:
            assert self.pending[0] == MARKER, self.pending.hex()
            size = 8 + int.from_bytes(self.pending[2:4], "little")
            if len(self.pending) < size:
                break
            frames.append(Frame.decode(bytes(self.pending[:size])))
            del self.pending[:size]
        return frames

    def frame(self, command: int, blocks: list[tuple[int, bytes]], sequence: int | None = None) -> Frame:
        identity = (0x01, self.imei.encode())
        return Frame(command, [identity, *blocks], (next(self.sequences) if sequence is None else sequence) & 0xFFFF)

    def report(
        self, alarms: int = 0, latitude: float = 28.235567, longitude: float = 112.985654, fix: bool = True,
        seconds: int | None = None, stored: bool = False, battery: int = 83,
    ) -> Frame:
        """A record with status, alarm and GPS; `seconds` since 1970 is now when absent."""
        seconds = int(time.time()) if seconds is None else seconds
        status = (1 if fix else 0) | (1 << 7 if stored else 0) | 20 << 19 | battery << 24
        blocks = [(0x24, little(seconds, 4) + little(status, 4))]
        if alarms:
            blocks.append((0x02, little(alarms, 4) + little(seconds, 4)))
        place = little(round(latitude * 1e7), 4) + little(round(longitude * 1e7), 4)
        blocks.append((0x20, place + little(4, 2) + little(271, 2) + little(57, 2) + little(12 if fix else 0, 2)
                       + little(1000, 4) + bytes([8])))
        return self.frame(DATA, blocks)

    def heartbeat(self, battery: int = 83) -> Frame:
        return self.frame(SERVICES, [(0x10, bytes([battery]))])

    def time_request(self) -> Frame:
        return self.frame(SERVICES, [(0x12, b"")])

    def write(self, data: bytes):
        self.line.write(data)

    def wait_for(self, condition, timeout: float = 10) -> Frame | None:
        """The first frame received so far or within the time that meets the condition; None if none did."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self.changed:
            while True:
                while seen < len(self.received):
                    seen += 1
                    if condition(self.received[seen - 1]):
                        return self.received[seen - 1]
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self.closed:
                    return None
                self.changed.wait(remaining)

    def count_answers(self, request: Frame) -> int:
        return sum(one.sequence == request.sequence and one.properties == 0 for one in self.received)

    def request(self, frame: Frame, timeout: float = 10) -> Frame | None:
        """Sends and waits for the answer with the same counter."""
        before = self.count_answers(frame)
        self.write(frame.encode())
        self.wait_for(lambda _: self.count_answers(frame) > before, timeout)
        answers = [one for one in self.received if one.sequence == frame.sequence and one.properties == 0]
        return answers[-1] if len(answers) > before else None

    def is_acknowledged(self, frame: Frame, timeout: float = 10) -> bool:
        answer = self.request(frame, timeout)
        return answer is not None and answer.command == RESPONSE and answer.blocks == [(0x00, b"")]

    def texts(self) -> list[str]:
        """What the pendant was made to speak."""
        return [
            value[1:].decode() for frame in self.received if frame.command == CONTROL
            for key, value in frame.blocks if key == 0x1F]

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
