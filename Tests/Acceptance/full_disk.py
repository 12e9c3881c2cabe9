"""A small file system of its own that a test fills."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest


class FullDisk:
    """Fills the file system of a directory."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.filling = directory / "filling"

    @property
    def free(self) -> int:
        facts = os.statvfs(self.directory)
        return facts.f_bavail * facts.f_frsize

    def fail(self, leaving: int = 0):
        """Fills it to the last byte, or until so many are left."""
        with open(self.filling, "ab", buffering=0) as file:
            try:
                while self.free > leaving:
                    file.write(bytes(4096))
            except OSError:
                pass

    def recover(self):
        self.filling.unlink()


@contextmanager
def mounted(place: Path, mebibytes: int):
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "yidiantong-test", str(place)],
        capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(
            "THE FULL-DISK TEST DID NOT RUN: a tmpfs could not be mounted. Run the tests as root, or with "
            "ALLOW_UNMOUNTED=1 to skip it knowingly. " + done.stderr) if not os.environ.get(
                "ALLOW_UNMOUNTED") else pytest.skip("no tmpfs: " + done.stderr)
    yield place
    # Lazily: the site that used it is discarded after this fixture.
    subprocess.run(["umount", "--lazy", str(place)], check=True)
