"""A small JT/T 808 terminal (editions 2013 and 2019), written from the protocol document alone.

Nothing here shares code with the gateway: it is the other end of the line in the acceptance tests.
"""

import itertools
import os
import random
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

FLAG = 0x7E
CHINA = timezone(timedelta(hours=8))

SOS = 1 << 0
LOW_SUPPLY = 1 << 7
STATUS_FIX = 1 << 1
STATUS_SOUTH = 1 << 2
STATUS_WEST = 1 << 3

GENERAL_RESPONSE = 0x8001
REGISTER_RESPONSE = 0x8100
# Commands that a terminal answers with 0x0001.
ANSWERED_GENERALLY = {
    0x8103, 0x8105, 0x8202, 0x8203, 0x8204, 0x8300, 0x8301, 0x8303, 0x8304, 0x8400, 0x8401,
    0x8600, 0x8601, 0x8602, 0x8603, 0x8604, 0x8605, 0x8606, 0x8607, 0x8900,
}


class FrameError(ValueError):
    """The bytes between two flags are no frame."""


def check_code(run: bytes) -> int:
    code = 0
    for byte in run:
        code ^= byte
    return code


def escape(run: bytes) -> bytes:
    return run.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(run: bytes) -> bytes:
    result = bytearray()
    bytes_left = iter(run)
    for byte in bytes_left:
        if byte != 0x7D:
            result.append(byte)
            continue
        second = next(bytes_left, None)
        if second == 1:
            result.append(0x7D)
        elif second == 2:
            result.append(0x7E)
        else:
            raise FrameError(f"escape byte followed by {second}")
    return bytes(result)


def bcd(digits: str) -> bytes:
    return bytes.fromhex(digits)


@dataclass
class Frame:
    """One message: header, body, and when it was received on the monotonic clock."""

    message: int
    body: bytes
    phone: str
    flow: int
    version: int | None = None
    total: int | None = None
    index: int | None = None
    encryption: int = 0
    at: float = 0.0

    def encode(self) -> bytes:
        attributes = len(self.body) | self.encryption << 10
        if self.total is not None:
            attributes |= 1 << 13
        if self.version is not None:
            attributes |= 1 << 14
        run = self.message.to_bytes(2, "big") + attributes.to_bytes(2, "big")
        if self.version is None:
            run += bcd(self.phone.rjust(12, "0"))
        else:
            run += bytes([self.version]) + bcd(self.phone.rjust(20, "0"))
        run += self.flow.to_bytes(2, "big")
        if self.total is not None:
            run += self.total.to_bytes(2, "big") + self.index.to_bytes(2, "big")
        run += self.body
        return bytes([FLAG]) + escape(run + bytes([check_code(run)])) + bytes([FLAG])

    @classmethod
    def decode(cls, escaped: bytes) -> "Frame":
        """Decodes what stands between two flags."""
        run = unescape(escaped)
        if len(run) < 13:
            raise FrameError(f"{len(run)} bytes are too short")
        if check_code(run) != 0:
            raise FrameError("wrong check code")
        attributes = int.from_bytes(run[2:4], "big")
        position = 4
        version = None
        if attributes & 1 << 14:
            version = run[4]
            phone, position = run[5:15].hex(), 15
        else:
            phone, position = run[4:10].hex(), 10
        flow = int.from_bytes(run[position : position + 2], "big")
        position += 2
        total = index = None
        if attributes & 1 << 13:
            total = int.from_bytes(run[position : position + 2], "big")
            index = int.from_bytes(run[position + 2 : position + 4], "big")
            position += 4
        body = run[position:-1]
        if len(body) != attributes & 0x3FF:
            raise FrameError(f"body of {len(body)} bytes, declared {attributes & 0x3FF}")
        return cls(
            int.from_bytes(run[0:2], "big"), body, phone, flow, version, total, index, attributes >> 10 & 7,
            time.monotonic())


class Splitter:
    """Cuts a byte stream into frames; what is no frame is counted and kept."""

    def __init__(self):
        self.pending = bytearray()
        self.synchronised = False
        self.rejected: list[bytes] = []

    def feed(self, data: bytes) -> list[Frame]:
        frames = []
        self.pending += data
        while (end := self.pending.find(FLAG)) >= 0:
            run = bytes(self.pending[:end])
            del self.pending[: end + 1]
            if self.synchronised and run:
                try:
                    frames.append(Frame.decode(run))
                except FrameError:
                    if len(run) > 3:
                        self.rejected.append(run)
            self.synchronised = True
        return frames


@dataclass
class Fix:
    """The basic part of a location report."""

    latitude: float = 28.235567
    longitude: float = 112.985654
    valid: bool = True
    altitude: int = 60
    speed_kmh: float = 0.0
    course: int = 0
    # None: now; or what tells the time. A string of 12 digits goes out as it is.
    time: datetime | str | Callable[[], datetime] | None = None
    alarms: int = 0
    items: list[tuple[int, bytes]] = field(default_factory=list)

    def encode(self) -> bytes:
        status = 0x00040000 | (STATUS_FIX if self.valid else 0)
        if self.latitude < 0:
            status |= STATUS_SOUTH
        if self.longitude < 0:
            status |= STATUS_WEST
        stamp = self.time() if callable(self.time) else self.time
        if stamp is None:
            stamp = datetime.now(timezone.utc)
        if not isinstance(stamp, str):
            stamp = stamp.astimezone(CHINA).strftime("%y%m%d%H%M%S")
        result = self.alarms.to_bytes(4, "big") + status.to_bytes(4, "big")
        result += round(abs(self.latitude) * 1e6).to_bytes(4, "big")
        result += round(abs(self.longitude) * 1e6).to_bytes(4, "big")
        result += (self.altitude & 0xFFFF).to_bytes(2, "big")
        result += round(self.speed_kmh * 10).to_bytes(2, "big") + self.course.to_bytes(2, "big")
        result += bcd(stamp)
        for identifier, value in self.items:
            result += bytes([identifier, len(value)]) + value
        return result

    @classmethod
    def decode(cls, body: bytes) -> "Fix":
        status = int.from_bytes(body[4:8], "big")
        items, position = [], 28
        while position + 2 <= len(body):
            length = body[position + 1]
            items.append((body[position], body[position + 2 : position + 2 + length]))
            position += 2 + length
        return cls(
            latitude=int.from_bytes(body[8:12], "big") / 1e6 * (-1 if status & STATUS_SOUTH else 1),
            longitude=int.from_bytes(body[12:16], "big") / 1e6 * (-1 if status & STATUS_WEST else 1),
            valid=bool(status & STATUS_FIX), altitude=int.from_bytes(body[16:18], "big", signed=True),
            speed_kmh=int.from_bytes(body[18:20], "big") / 10, course=int.from_bytes(body[20:22], "big"),
            time=body[22:28].hex(), alarms=int.from_bytes(body[0:4], "big"), items=items)


class Messages:
    """Builds the up-frames of one terminal and counts its flow ids; no sockets."""

    def __init__(self, phone: str, version: int | None = None):
        self.phone = phone
        self.version = version
        self.flows = itertools.count(1)

    @property
    def terminal_id(self) -> str:
        """The id under which every tool of the gateway knows this terminal."""
        return self.phone.lstrip("0")

    def frame(self, message: int, body: bytes = b"", flow: int | None = None) -> Frame:
        return Frame(message, body, self.phone, next(self.flows) & 0xFFFF if flow is None else flow, self.version)

    def register(self, model: str = "PA-100", serial: str = "PA00101") -> Frame:
        body = (43).to_bytes(2, "big") + (100).to_bytes(2, "big")
        if self.version is None:
            body += b"PATST" + model.encode().ljust(20, b"\0") + serial.encode().ljust(7, b"\0")
        else:
            body += b"PATST".ljust(11, b"\0") + model.encode().ljust(30, b"\0") + serial.encode().ljust(30, b"\0")
        return self.frame(0x0100, body + b"\0")

    def authenticate(self, code: bytes) -> Frame:
        if self.version is None:
            return self.frame(0x0102, code)
        body = bytes([len(code)]) + code + b"999910000000045" + b"1.0.3".ljust(20, b"\0")
        return self.frame(0x0102, body)

    def heartbeat(self) -> Frame:
        return self.frame(0x0002)

    def location(self, fix: Fix | None = None, flow: int | None = None) -> Frame:
        return self.frame(0x0200, (fix or Fix()).encode(), flow)

    def sos(self, fix: Fix | None = None, flow: int | None = None) -> Frame:
        fix = fix or Fix()
        fix.alarms |= SOS
        return self.location(fix, flow)

    def key(self, number: int) -> Frame:
        return self.frame(0x0301, bytes([number]))

    def batch(self, fixes: list[Fix], stored: bool = True) -> Frame:
        body = len(fixes).to_bytes(2, "big") + bytes([1 if stored else 0])
        for fix in fixes:
            encoded = fix.encode()
            body += len(encoded).to_bytes(2, "big") + encoded
        return self.frame(0x0704, body)

    def answer(self, command: Frame, fix: Fix) -> Frame | None:
        """What a well-behaved terminal says to a command; nothing for the platform's own answers."""
        reference = command.flow.to_bytes(2, "big")
        if command.message == 0x8201:
            return self.frame(0x0201, reference + fix.encode())
        if command.message in ANSWERED_GENERALLY:
            return self.frame(0x0001, reference + command.message.to_bytes(2, "big") + b"\0")
        return None


def acknowledges(response: Frame, request: Frame) -> bool:
    """True when `response` is the general response to `request`."""
    return (
        response.message == GENERAL_RESPONSE
        and response.body[0:2] == request.flow.to_bytes(2, "big")
        and response.body[2:4] == request.message.to_bytes(2, "big"))


class SocketLine:
    """A TCP connection as a line of bytes."""

    def __init__(self, port: int, source: str | None = None):
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=10, source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(None)
        self.descriptor = self.socket.fileno()

    def write(self, data: bytes):
        self.socket.sendall(data)

    def shutdown(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.socket.close()


class DescriptorLine:
    """A serial line or the master of a pseudo-terminal."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor

    def write(self, data: bytes):
        while data:
            data = data[os.write(self.descriptor, data) :]

    def shutdown(self):
        """The reader looks up by itself."""

    def close(self):
        os.close(self.descriptor)


class Terminal(Messages):
    """A terminal on a line: a thread reads, records everything with its time and answers commands."""

    def __init__(self, line, phone: str, version: int | None = None, answers: bool = True):
        super().__init__(phone, version)
        self.line = line
        self.answers = answers
        self.fix = Fix()
        self.received: list[Frame] = []
        self.sent: list[tuple[float, bytes]] = []
        # Wall clock of the last write.
        self.sent_at = 0.0
        self.closed_at: float | None = None
        self.splitter = Splitter()
        self.changed = threading.Condition()
        self.stopping = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @classmethod
    def connect(cls, port: int, phone: str, version: int | None = None, **options) -> "Terminal":
        return cls(SocketLine(port), phone, version, **options)

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
            for frame in self.splitter.feed(data):
                if self.answers and (answer := self.answer(frame, self.fix)):
                    try:
                        self.write(answer.encode())
                    except OSError:
                        pass
                with self.changed:
                    self.received.append(frame)
                    self.changed.notify_all()
        with self.changed:
            self.closed_at = time.monotonic()
            self.changed.notify_all()

    def write(self, data: bytes) -> float:
        at = time.monotonic()
        self.sent_at = time.time()
        self.line.write(data)
        self.sent.append((at, data))
        return at

    def wait_for(self, condition, timeout: float = 10) -> Frame | None:
        """The first frame received so far or within the time that meets the condition; None if none did."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self.changed:
            while True:
                while seen < len(self.received):
                    frame = self.received[seen]
                    seen += 1
                    if condition(frame):
                        return frame
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self.closed_at is not None:
                    return None
                self.changed.wait(remaining)

    def wait_closed(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        with self.changed:
            while self.closed_at is None and (remaining := deadline - time.monotonic()) > 0:
                self.changed.wait(remaining)
            return self.closed_at is not None

    def request(self, frame: Frame, timeout: float = 10) -> Frame | None:
        """Sends and waits for the general response."""
        self.write(frame.encode())
        return self.wait_for(lambda answer: acknowledges(answer, frame), timeout)

    def log_in(self, timeout: float = 10) -> bytes:
        """Registers and authenticates; returns the code. Raises when either is refused."""
        request = self.register()
        self.write(request.encode())
        answer = self.wait_for(
            lambda frame: frame.message == REGISTER_RESPONSE
            and frame.body[0:2] == request.flow.to_bytes(2, "big"), timeout)
        if answer is None or answer.body[2] != 0:
            raise AssertionError(f"registration of {self.phone} was not accepted: {answer}")
        code = answer.body[3:]
        answer = self.request(self.authenticate(code), timeout)
        if answer is None or answer.body[4] != 0:
            raise AssertionError(f"authentication of {self.phone} was not accepted: {answer}")
        return code

    def texts(self) -> list[str]:
        """The texts of all 0x8300 received."""
        start = 1 if self.version is None else 2
        return [frame.body[start:].decode("gbk") for frame in self.received if frame.message == 0x8300]

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


def noise(source: random.Random, longest: int = 300) -> bytes:
    """Random bytes, with flags and escapes more often than chance would have them."""
    length = source.randint(1, longest)
    data = bytearray(source.randbytes(length))
    for _ in range(source.randint(0, 4)):
        data[source.randrange(length)] = source.choice((0x7E, 0x7D))
    return bytes(data)
