#!/usr/bin/env python3
"""Prints the share of lines of each protocol's folder that the last `swift test --enable-code-coverage` ran.

Usage: coverage.py FOLDER-OF-BINARIES [--missing]
"""
import json
import pathlib
import shutil
import subprocess
import sys

MINIMUM_PERCENT = 90


def tool() -> str:
    """The toolchain's own llvm-cov: it reads what the toolchain wrote."""
    swift = pathlib.Path(shutil.which("swift")).resolve()
    beside = swift.parent / "llvm-cov"
    return str(beside) if beside.exists() else "llvm-cov"


def report(binaries: pathlib.Path) -> list[dict]:
    profile = binaries / "codecov" / "default.profdata"
    program = next(binaries.glob("*.xctest"))
    said = subprocess.run(
        [tool(), "export", program, f"--instr-profile={profile}"], check=True, capture_output=True, text=True).stdout
    return json.loads(said)["data"][0]["files"]


def missing(segments: list[list]) -> str:
    """The lines that begin with a region that never ran, as ranges."""
    lines = []
    for segment, following in zip(segments, segments[1:]):
        line, _, count, has_count, _, is_gap = segment[:6]
        if has_count and count == 0 and not is_gap:
            lines.append((line, max(line, following[0] - (following[1] == 1))))
    return " ".join(f"{first}-{last}" if first != last else str(first) for first, last in lines)


def main() -> int:
    folders: dict[str, list[dict]] = {}
    for file in report(pathlib.Path(sys.argv[1])):
        path = pathlib.Path(file["filename"])
        if path.parent.parent.name == "TerminalProtocols":
            folders.setdefault(path.parent.name, []).append(file)
    failed = False
    for folder, files in sorted(folders.items()):
        count = sum(file["summary"]["lines"]["count"] for file in files)
        covered = sum(file["summary"]["lines"]["covered"] for file in files)
        percent = 100 * covered / count
        failed |= percent < MINIMUM_PERCENT
        print(f"{folder:20} {percent:6.2f} %  {covered} of {count} lines")
        if "--missing" in sys.argv:
            for file in sorted(files, key=lambda file: file["summary"]["lines"]["percent"]):
                if file["summary"]["lines"]["percent"] < 100:
                    name = pathlib.Path(file["filename"]).name
                    print(f"    {name:36} {file['summary']['lines']['percent']:6.2f} %  {missing(file['segments'])}")
    if failed or not folders:
        print(f"coverage: below {MINIMUM_PERCENT} %", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
