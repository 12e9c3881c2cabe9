"""The parts of the gateway without network: pipeline-benchmark, its figures and its data of a whole district."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import decode
from servers import Fix


@dataclass(frozen=True)
class District:
    """What `pipeline-benchmark data` has written. The numbers are those of Sources/pipeline-benchmark/District.swift."""

    directory: Path
    terminals: int = 500_000
    fences: int = 100_000
    incidents: int = 10_000
    # A terminal without an open incident whose person has a card, and a place inside the district's first forbidden fence.
    terminal: str = "17700450005"
    inside_fence: Fix = field(default_factory=lambda: Fix(latitude=28.0, longitude=112.74))


def fill_district(scratch: Path, directory: Path) -> District:
    district = District(directory)
    program = decode.build(scratch, "pipeline-benchmark")
    if not directory.exists():
        fresh = directory.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        subprocess.run(
            [program, "data", fresh, str(district.terminals), str(district.fences), str(district.incidents)], check=True)
        fresh.rename(directory)
    return district


def fences(scratch: Path) -> dict:
    """Nanoseconds a position: the better of two rounds."""
    said = subprocess.run(
        [decode.build(scratch, "pipeline-benchmark"), "fences"], check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = {}
    for name, count, nanoseconds in re.findall(r"^(.*) fences of (\d+): ([\d.]+) ns/position", said, re.MULTILINE):
        key = f"{name} fences of {int(count):,}"
        found[key] = min(found.get(key, float("inf")), float(nanoseconds))
    if not found:
        raise AssertionError(f"pipeline-benchmark said something else than expected:\n{said}")
    return found
