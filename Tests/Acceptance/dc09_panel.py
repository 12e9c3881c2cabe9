"""A small alarm panel that speaks SIA DC-09, written from the interface document alone.

Nothing here shares code with the gateway: it is the other end of the line in the acceptance tests. Encryption is openssl's.
"""

import os
import re
import secrets
import select
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

FRAME = re.compile(
    rb'\n([0-9A-F]{4})0([0-9A-F]{3})"(\*?)([A-Z-]+)"(\d{4})((?:R[0-9A-F]+)?(?:L[0-9A-F]+)?)(?:#([0-9A-Z]+))?\[([^\r]*)\r')


def crc(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def framed(content: str | bytes) -> bytes:
    content = content.encode("cp1252") if isinstance(content, str) else content
    return b"\n%04X%04X" % (crc(content), len(content)) + content + b"\r"


def stamp(offset: float = 0) -> str:
    return "_" + (datetime.now(timezone.utc) + timedelta(seconds=offset)).strftime("%H:%M:%S,%m-%d-%Y")


@dataclass
class Answer:
    name: str
    encrypted: bool
    sequence: int
    account: str
    rest: str
    at: float


class Panel:
    """A panel on a line that can be written and read: a socket, a datagram socket or a pseudo-terminal."""

    def __init__(self, line, account: str, key: str | None = None):
        self.line = line
        self.account = account
        self.key = key
        self.sequence = 0
        self.pending = b""

    def next(self) -> int:
        self.sequence = self.sequence % 9999 + 1
        return self.sequence

    def contact_id(
        self, event: str, qualifier: int = 1, zone: str = "001", sequence: int | None = None, clock: float = 0,
        when: str | None = None, extended: str = "",
    ) -> bytes:
        """A frame in clear text or, with a key, in cipher text; `clock` is how many seconds the panel's clock is ahead."""
        number = sequence or self.next()
        data = f"#{self.account}|{qualifier}{event} 00 {zone}]{extended}{when or stamp(clock)}"
        return self.block("ADM-CID", number, data)

    def null(self) -> bytes:
        return self.block("NULL", 0, "]" + (stamp() if self.key else ""))

    def block(self, name: str, number: int, data: str) -> bytes:
        if self.key is None:
            return framed(f'"{name}"{number:04}L0#{self.account}[{data}')
        clear = "|" + data
        padding = secrets.token_hex(16)[: 16 - len(clear) % 16]
        return framed(f'"*{name}"{number:04}L0#{self.account}[{self.crypt(padding + clear, "-e").hex().upper()}')

    def crypt(self, data: str | bytes, direction: str) -> bytes:
        return subprocess.run(
            ["openssl", "enc", f"-aes-{len(self.key) * 4}-cbc", direction, "-nopad", "-K", self.key, "-iv", "0" * 32],
            input=data.encode() if isinstance(data, str) else data, capture_output=True, check=True).stdout

    def write(self, data: bytes) -> float:
        at = time.monotonic()
        self.line.write(data)
        return at

    def answer(self, timeout: float = 10) -> Answer | None:
        """The next frame from the gateway, with its sum checked; None when none comes."""
        deadline = time.monotonic() + timeout
        while not (found := FRAME.search(self.pending)):
            if not self._read(deadline):
                return None
        self.pending = self.pending[found.end() :]
        content = found[0][9:-1]
        assert int(found[1], 16) == crc(content) and int(found[2], 16) == len(content), found[0]
        rest = found[8]
        if found[3]:
            rest = self.crypt(bytes.fromhex(rest.decode()), "-d").split(b"|", 1)[1]
        return Answer(
            found[4].decode(), bool(found[3]), int(found[5]), (found[7] or b"").decode(), rest.decode(), time.monotonic())

    def request(self, data: bytes, timeout: float = 10) -> Answer | None:
        self.write(data)
        return self.answer(timeout)

    def byte(self, timeout: float = 10) -> bytes:
        """The next byte that is part of no frame; empty when none comes."""
        deadline = time.monotonic() + timeout
        while not self.pending and self._read(deadline):
            pass
        first, self.pending = self.pending[:1], self.pending[1:]
        return first

    def _read(self, deadline: float) -> bool:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        ready, _, _ = select.select([self.line.descriptor], [], [], remaining)
        if not ready:
            return False
        data = os.read(self.line.descriptor, 65536)
        self.pending += data
        return bool(data)

    def close(self):
        self.line.shutdown()
        self.line.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
