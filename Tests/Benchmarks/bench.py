"""Measures the gateway beside a bare C server and writes docs/performance.md. See scripts/bench.

    bench.py --programs DIR --reference PROGRAM --scratch DIR short
    bench.py --programs DIR --reference PROGRAM --scratch DIR [SECTION...]

Results of sections are kept in SCRATCH/results.json, so that one section can be measured again without the others.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import decode
import page
import sections

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {name.removeprefix("section_"): value for name, value in vars(sections).items() if name.startswith("section_")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, help="directory of the release build")
    parser.add_argument("--reference", type=Path, help="the C server")
    parser.add_argument("--scratch", type=Path, required=True, help="directory for builds and results")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--soak-seconds", type=float, default=600)
    parser.add_argument("--note", help="what a reader of the page must know of these figures")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"short, page, or of {', '.join(SECTIONS)}; all without one")
    options = parser.parse_args()
    if options.sections == ["short"]:
        return short(options.scratch)
    unknown = [name for name in options.sections if name not in SECTIONS and name != "page"]
    if unknown:
        parser.error(f"found section {', '.join(unknown)}, allowed: short, page, {', '.join(SECTIONS)}")
    kept = options.scratch / "results.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    if options.note is not None:
        results["note"] = options.note
        kept.write_text(json.dumps(results, indent=1))
    bench = sections.Bench(options.programs, options.reference, options.scratch, options.rounds, options.seconds, options.soak_seconds)
    for name in options.sections or SECTIONS:
        if name == "page":
            continue
        print(f"== {name} ({time.strftime('%H:%M:%S')})", flush=True)
        results.setdefault("load_average", {})[name] = os.getloadavg()[0]
        results[name] = SECTIONS[name](bench)
        results.setdefault("measured", {})[name] = time.strftime("%Y-%m-%d")
        kept.write_text(json.dumps(results, indent=1))
    (ROOT / "docs" / "performance.md").write_text(page.text(results))
    print("docs/performance.md is written")
    return 0


def short(scratch: Path) -> int:
    """What a machine in CI can say for sure: counts, not times."""
    measured = decode.measure(decode.build(scratch / "decode"))
    for name, figures in measured.items():
        print(
            f"{name}: {figures['instructions']:.0f} instructions, {figures['allocations']:g} allocations a frame, "
            f"{figures['ns']:.1f} ns; a byte {figures['instructions'] / figures['bytes']:.1f} instructions")
    faults = decode.gate(measured)
    for fault in faults:
        print(f"bench: {fault}", file=sys.stderr)
    if not faults:
        print("bench: all counts are within their bounds")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
