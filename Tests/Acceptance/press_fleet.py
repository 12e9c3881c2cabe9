"""Many terminals that each press SOS once, at a steady rate, and behave as terminals do until they are answered.

One thread, one selector. A press that is not acknowledged is sent again, the same bytes: after five seconds on the same
connection, or at once on a new one when the connection is gone.
"""

import random
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field

from jt808_terminal import Fix, Frame, Messages, Splitter, acknowledges

ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 3.0


@dataclass
class Press:
    terminal: str
    request: Frame
    wire: bytes
    due: float
    sent: float | None = None
    acknowledged: float | None = None
    attempts: int = 0
    retry_at: float = 0
    splitter: Splitter | None = None
    connection: socket.socket | None = None

    @property
    def latency(self) -> float:
        return self.acknowledged - self.sent


@dataclass
class PressFleet:
    """Run it in its own thread with start(); finish() ends the pressing and waits for the last answers."""

    port: int
    rate: float
    seed: int = 1
    # Terminal ids are this prefix and six digits.
    prefix: str = "1780"
    presses: list[Press] = field(default_factory=list)

    def __post_init__(self):
        self.selector = selectors.DefaultSelector()
        self.pressing = True
        self.stopping = False
        self.random = random.Random(self.seed)
        self.waiting: list[Press] = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.failure: BaseException | None = None

    def start(self):
        self.thread.start()

    def finish(self, timeout: float = 60) -> list[Press]:
        """No new presses; returns those that were still not acknowledged after the time."""
        self.pressing = False
        self.thread.join(timeout)
        self.stopping = True
        self.thread.join(5)
        if self.failure:
            raise self.failure
        return [press for press in self.presses if press.acknowledged is None]

    def acknowledged(self) -> list[Press]:
        return [press for press in self.presses if press.acknowledged is not None]

    def _run(self):
        try:
            began = time.monotonic()
            while not self.stopping and (self.pressing or any(press.acknowledged is None for press in self.presses)):
                now = time.monotonic()
                while self.pressing and began + len(self.presses) / self.rate <= now:
                    press = self._new_press(began + len(self.presses) / self.rate)
                    self.presses.append(press)
                    self.waiting.append(press)
                self._retry(now)
                for key, events in self.selector.select(0.005):
                    self._serve(key.data, events)
        except BaseException as error:
            self.failure = error
        finally:
            for key in list(self.selector.get_map().values()):
                key.fileobj.close()
            self.selector.close()

    def _new_press(self, due: float) -> Press:
        number = len(self.presses) + 1
        messages = Messages(f"0{self.prefix}{number:07d}"[:12].rjust(12, "0"))
        fix = Fix(
            latitude=28.2 + self.random.random() / 100, longitude=112.9 + self.random.random() / 100,
            valid=self.random.random() < 0.9)
        request = messages.sos(fix)
        return Press(messages.terminal_id, request, request.encode(), due)

    def _retry(self, now: float):
        still = []
        for press in self.waiting:
            if press.acknowledged is not None:
                continue
            still.append(press)
            if press.connection is None:
                if now >= press.retry_at:
                    self._connect(press, now)
            elif now >= press.retry_at:
                self._drop(press, now, 0)
        self.waiting = still

    def _connect(self, press: Press, now: float):
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect_ex(("127.0.0.1", self.port))
        press.connection, press.splitter = connection, Splitter()
        press.retry_at = now + CONNECT_SECONDS
        self.selector.register(connection, selectors.EVENT_WRITE, press)

    def _drop(self, press: Press, now: float, wait: float = 0.2):
        if press.connection is not None:
            self.selector.unregister(press.connection)
            press.connection.close()
            press.connection = None
        press.retry_at = now + wait * (0.5 + self.random.random())

    def _serve(self, press: Press, events: int):
        now = time.monotonic()
        try:
            if events & selectors.EVENT_WRITE:
                press.connection.send(press.wire)
                press.attempts += 1
                press.sent = press.sent or now
                press.retry_at = now + ANSWER_SECONDS
                self.selector.modify(press.connection, selectors.EVENT_READ, press)
                return
            data = press.connection.recv(4096)
            if not data:
                return self._drop(press, now)
            for frame in press.splitter.feed(data):
                if acknowledges(frame, press.request) and frame.body[4] in (0, 4):
                    press.acknowledged = now
                    self._drop(press, now)
                    return
        except (ConnectionError, BlockingIOError):
            self._drop(press, now)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
