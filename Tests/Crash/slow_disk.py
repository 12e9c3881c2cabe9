"""A disk that syncs as slowly as a test wants: builds slow_sync.c and wraps its environment."""

import functools
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


@functools.cache
def library() -> Path:
    """The built preload library; built once a run, into a directory of its own."""
    target = Path(tempfile.mkdtemp(prefix="yidiantong-slow-")) / "slow_sync.so"
    subprocess.run(
        ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-o", target,
         HERE / "slow_sync.c", "-ldl"], check=True)
    return target


class SlowDisk:
    """The state directory of a site, as CrashDisk is one."""

    def __init__(self, directory: Path):
        self.directory = (directory / "state").resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.control = directory / "slow-sync.control"
        self.counted = directory / "slow-sync.count"

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library()),
            "SLOW_SYNC_CONTROL": str(self.control),
            "SLOW_SYNC_COUNT": str(self.counted),
        }

    def set_milliseconds(self, milliseconds: float):
        """So long does each sync take from now on; 0 for the disk as it is."""
        fresh = self.control.with_suffix(".new")
        fresh.write_text(str(int(milliseconds * 1000)))
        fresh.rename(self.control)

    @property
    def syncs(self) -> int:
        """Slowed syncs since the start."""
        return self.counted.stat().st_size if self.counted.exists() else 0
