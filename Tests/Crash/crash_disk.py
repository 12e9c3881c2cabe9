"""A directory whose unsynced bytes can be thrown away: builds unsynced.c and wraps its environment."""

import functools
import subprocess
import tempfile
from pathlib import Path

import rollback

HERE = Path(__file__).resolve().parent


@functools.cache
def library() -> Path:
    """The built preload library; built once a run, into a directory of its own."""
    target = Path(tempfile.mkdtemp(prefix="yidiantong-crash-")) / "unsynced.so"
    subprocess.run(
        ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-o", target,
         HERE / "unsynced.c", "-ldl"], check=True)
    return target


class CrashDisk:
    def __init__(self, directory: Path, logs: Path):
        directory.mkdir(parents=True, exist_ok=True)
        logs.mkdir(parents=True, exist_ok=True)
        self.directory = directory.resolve()
        self.logs = logs.resolve()
        self.control = self.logs.parent / (self.logs.name + ".control")

    def environment(self) -> dict[str, str]:
        """What a process needs so that its changes under the directory can be undone."""
        return {
            "LD_PRELOAD": str(library()),
            "UNSYNCED_DIR": str(self.directory),
            "UNSYNCED_LOG": str(self.logs),
            "UNSYNCED_CONTROL": str(self.control),
        }

    def set_mode(self, mode: str | None):
        """`ignore`, `eio`, `enospc` (see unsynced.c), or None for a disk that works."""
        if mode is None:
            self.control.unlink(missing_ok=True)
            return
        fresh = self.control.with_suffix(".new")
        fresh.write_text(mode)
        fresh.rename(self.control)

    def roll_back(self, seed: int | None = None) -> dict[str, int]:
        """Call it while no process uses the directory. Returns how many changes each file lost."""
        return rollback.roll_back(self.directory, self.logs, seed)
