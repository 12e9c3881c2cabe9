"""Makes a directory as its disk may be after a power cut, from the undo logs that unsynced.c left.

Usage: rollback.py DIRECTORY LOGS [--seed N]

Without a seed every byte that was not synced is lost. With one, each file loses a random number of its last unsynced
changes and keeps those before them, as a disk that had begun to write on its own may.
"""

import argparse
import os
import random
import re
import struct
from pathlib import Path

MAGIC = 0x59445431
CREATED = 2
RECORD = struct.Struct("=IIQQQ")
SEGMENT = re.compile(r"(\d+)-(\d+)\.(\d+)")


def read_records(segments: list[Path]) -> list[tuple[int, int, bytes, int]]:
    """(kind, offset, old bytes, old size) in the order of the changes; a record cut off by the kill is no change."""
    records = []
    for segment in segments:
        data = segment.read_bytes()
        position = 0
        while position + RECORD.size <= len(data):
            magic, kind, offset, length, old_size = RECORD.unpack_from(data, position)
            if magic != MAGIC:
                raise SystemExit(f"rollback: {segment} is damaged at byte {position}")
            position += RECORD.size
            if position + length > len(data):
                break
            records.append((kind, offset, data[position : position + length], old_size))
            position += length
    return records


def roll_back(directory: Path, logs: Path, seed: int | None = None) -> dict[str, int]:
    """Returns how many changes each file lost. The logs are gone afterwards."""
    chance = random.Random(seed) if seed is not None else None
    segments: dict[tuple[int, int], list[Path]] = {}
    for entry in sorted(logs.iterdir()):
        if match := SEGMENT.fullmatch(entry.name):
            segments.setdefault((int(match[1]), int(match[2])), []).append(entry)
    lost = {}
    for root, _, names in os.walk(directory):
        for name in sorted(names):
            path = Path(root) / name
            status = path.lstat()
            # Shared memory of SQLite: gone with the power, rebuilt from the log at the next opening.
            if name.endswith("-shm"):
                path.unlink()
                continue
            found = segments.get((status.st_dev, status.st_ino))
            if not found:
                continue
            records = read_records(found)
            count = len(records) if chance is None else chance.randint(0, len(records))
            if count:
                undo(path, records[len(records) - count :])
                lost[str(path.relative_to(directory))] = count
    for paths in segments.values():
        for path in paths:
            path.unlink()
    return lost


def undo(path: Path, records: list[tuple[int, int, bytes, int]]):
    with open(path, "r+b") as file:
        for _, offset, old, old_size in reversed(records):
            file.seek(offset)
            file.write(old)
            file.truncate(old_size)
    # Never synced at all: after a power cut the name itself may be missing.
    if records[0][0] == CREATED:
        path.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("logs", type=Path)
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    for name, count in roll_back(arguments.directory, arguments.logs, arguments.seed).items():
        print(f"{name}: {count} unsynced changes lost")
