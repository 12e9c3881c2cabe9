"""The decoder beside the same work in C: nanoseconds, instructions and allocations for each frame; and the gate on counts."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
THRESHOLDS = HERE / "thresholds.json"
# What `decode-benchmark` knows, and what of it is gated.
VARIANTS = ("c", "swift", "events", "ev07b", "gt06", "watch")
# Frames to events, of each protocol.
PROTOCOLS = {"jt808": "events", "ev07b": "ev07b", "gt06": "gt06", "watch": "watch"}
REPETITIONS = (10, 110)
FRAMES = 1000
# The goal, with every toolchain.
INSTRUCTIONS_OF_C = 1.5


def build(scratch: Path, product: str = "decode-benchmark", portable: bool = False) -> Path:
    """The release build of a benchmark; `portable` leaves the SSE2 forms out."""
    words = [
        "swift", "build", "-c", "release", "--product", product, "--package-path", str(HERE),
        "--scratch-path", str(scratch)]
    if portable:
        words += ["-Xcc", "-DCWB_PORTABLE"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run([*words, "--show-bin-path"], check=True, capture_output=True, text=True)
    return Path(shown.stdout.strip()) / product


def measure(program: Path) -> dict[str, dict]:
    """For each variant: nanoseconds (best round), instructions and allocations a frame."""
    report = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    found = {}
    pattern = r"^(\w+): ([\d.]+) ns/frame, ([\d.]+) bytes/frame, .* (\d+) allocations in (\d+) frames"
    for name, nanoseconds, size, allocations, frames in re.findall(pattern, report, re.MULTILINE):
        found[name] = {
            "ns": float(nanoseconds), "bytes": float(size), "allocations": int(allocations) / int(frames)}
    digests = set(re.findall(r"digest (\w+)", report))
    if set(found) != set(VARIANTS) or len(digests) != 1:
        raise AssertionError(f"decode-benchmark said something else than expected:\n{report}")
    for name in VARIANTS:
        found[name]["instructions"] = instructions(program, name)
    return found


def instructions(program: Path, variant: str) -> float:
    """Instructions a frame: two runs that differ only in their repetitions."""
    counts = []
    with tempfile.TemporaryDirectory() as directory:
        # valgrind of Debian 12 does not read the compiler's newer debug information, so it gets a copy without.
        plain = Path(directory) / program.name
        shutil.copy(program, plain)
        subprocess.run(["strip", "-g", plain], check=True)
        for repetitions in REPETITIONS:
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", plain, variant, str(repetitions)],
                check=True, capture_output=True, text=True)
            counts.append(int(re.search(r"Collected *: *(\d+)", done.stderr).group(1)))
    return (counts[1] - counts[0]) / ((REPETITIONS[1] - REPETITIONS[0]) * FRAMES)


def toolchain() -> str:
    """`6.3.1`"""
    said = subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"Swift version ([\d.]+)", said).group(1)


def gate(measured: dict[str, dict], limits: dict[str, dict] | None = None) -> list[str]:
    """What is above its bound; empty is good. Times are never gated: machines differ, counts do not.

    Two bounds hold with any toolchain: the goals against C. The closer ones are checked in for each toolchain.
    """
    version = toolchain()
    ratio = measured["swift"]["instructions"] / measured["c"]["instructions"]
    faults = []
    if ratio > INSTRUCTIONS_OF_C:
        faults.append(f"decode swift: {ratio:.2f} x the instructions of C, at most {INSTRUCTIONS_OF_C} allowed")
    if measured["swift"]["allocations"] > 0:
        faults.append(f"decode swift: {measured['swift']['allocations']:g} allocations a frame, none allowed")
    if limits is None:
        limits = json.loads(THRESHOLDS.read_text()).get(version)
    if limits is None:
        print(f"bench: {THRESHOLDS.name} has nothing for Swift {version}; only the goals against C are checked")
    for variant, bounds in (limits or {}).items():
        for count, bound in bounds.items():
            value = measured[variant][count]
            if value > bound:
                faults.append(f"decode {variant}: {value:g} {count} a frame, at most {bound:g} allowed for Swift {version}")
    return faults
