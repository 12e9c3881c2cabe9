"""The clock of `compressed-yidiantongd`: time that runs faster from an origin that all processes of a test share."""

import os
import time
from datetime import datetime, timezone

VARIABLE = "YDT_CLOCK"


class CompressedClock:
    def __init__(self, pace: int, wall_milliseconds: int, boot_milliseconds: int):
        self.pace = pace
        self.wall_milliseconds = wall_milliseconds
        self.boot_milliseconds = boot_milliseconds

    @classmethod
    def starting(cls, pace: int, wall: datetime) -> "CompressedClock":
        """Shows `wall` now."""
        return cls(pace, round(wall.timestamp() * 1000), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)

    @classmethod
    def of_environment(cls) -> "CompressedClock | None":
        return cls(*map(int, os.environ[VARIABLE].split(","))) if VARIABLE in os.environ else None

    @property
    def environment(self) -> dict[str, str]:
        return {VARIABLE: f"{self.pace},{self.wall_milliseconds},{self.boot_milliseconds}"}

    def time(self) -> float:
        """Seconds since 1970."""
        boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e6
        return (self.wall_milliseconds + (boot - self.boot_milliseconds) * self.pace) / 1000

    def now(self, zone=timezone.utc) -> datetime:
        return datetime.fromtimestamp(self.time(), zone)

    def sleep_until(self, moment: datetime):
        """Sleeps until the clock shows it; not at all when it has gone past."""
        while (left := moment.timestamp() - self.time()) > 0:
            time.sleep(min(left / self.pace, 1))
