"""A small GT06 terminal, written from the protocol document alone: the other end of the line in the acceptance tests."""

import itertools
import select
import socket
import time
from datetime import datetime, timezone

LOGIN, HEARTBEAT, REPLY, LOCATION, ALARM, COMMAND, TIME = 0x01, 0x13, 0x15, 0x22, 0x26, 0x80, 0x8A
SOS, FALL = 0x01, 0x23
CELL = bytes.fromhex("01cc001a2b00c2d3")


def crc(data: bytes) -> bytes:
    """CRC-16/X-25."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    return (register ^ 0xFFFF).to_bytes(2, "big")


def frame(number: int, content: bytes, serial: int) -> bytes:
    body = bytes([len(content) + 5, number]) + content + serial.to_bytes(2, "big")
    return b"\x78\x78" + body + crc(body) + b"\r\n"


def gps(at: datetime, latitude: float = 28.234567, longitude: float = 112.987654) -> bytes:
    stamp = bytes([at.year - 2000, at.month, at.day, at.hour, at.minute, at.second])
    place = round(latitude * 1_800_000).to_bytes(4, "big") + round(longitude * 1_800_000).to_bytes(4, "big")
    return stamp + b"\xc9" + place + b"\x04" + (1 << 12 | 1 << 10 | 90).to_bytes(2, "big")


class GT06Terminal:
    """One terminal on one TCP connection or UDP socket."""

    def __init__(self, connection: socket.socket, imei: str):
        self.connection = connection
        self.imei = imei
        self.serials = itertools.count(1)
        self.pending = b""

    @classmethod
    def connect(cls, port: int, imei: str) -> "GT06Terminal":
        return cls(socket.create_connection(("127.0.0.1", port), 10), imei)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def log_in(self) -> bytes | None:
        return self.request(frame(LOGIN, bytes.fromhex(self.imei.rjust(16, "0")) + b"\x22\x03\x32\x01", next(self.serials)))

    def heartbeat(self) -> bytes:
        return frame(HEARTBEAT, bytes([0x40, 5, 3, 0, 1]), next(self.serials))

    def location(self) -> bytes:
        return frame(LOCATION, gps(datetime.now(timezone.utc)) + CELL + bytes(3), next(self.serials))

    def alarm(self, code: int = SOS) -> bytes:
        content = gps(datetime.now(timezone.utc)) + b"\x09" + CELL + bytes([0x44, 5, 3, code, 2])
        return frame(ALARM, content, next(self.serials))

    def reply(self, command: bytes, text: str) -> bytes:
        """The answer to a command that was received."""
        content = bytes([4 + len(text)]) + command[5:9] + text.encode() + b"\x00\x02"
        return frame(REPLY, content, next(self.serials))

    def send(self, data: bytes):
        self.connection.sendall(data)

    def request(self, data: bytes, timeout: float = 10) -> bytes | None:
        """Sends a frame and waits for the acknowledgement with its number and serial."""
        self.send(data)
        wanted = frame(data[3], b"", int.from_bytes(data[-6:-4], "big"))
        return self.receive(lambda found: found == wanted, timeout)

    def receive(self, is_wanted=lambda _: True, timeout: float = 10) -> bytes | None:
        """The next frame that is wanted; others are left out. None when none comes in time."""
        deadline = time.monotonic() + timeout
        while True:
            while len(self.pending) >= 3 and len(self.pending) >= self.pending[2] + 5:
                size = self.pending[2] + 5
                found, self.pending = self.pending[:size], self.pending[size:]
                assert found[:2] == b"\x78\x78" and found[-2:] == b"\r\n" and found[-4:-2] == crc(found[2:-4]), found
                if is_wanted(found):
                    return found
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                return None
            data = self.connection.recv(4096)
            if not data:
                return None
            self.pending += data
