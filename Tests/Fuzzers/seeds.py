#!/usr/bin/env python3
"""Writes the seeds of one fuzzer: what the corpus holds, behind the byte that chooses the way and the depth (FuzzHarness).

Usage: seeds.py FUZZER FOLDER
"""
import json
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
STREAM, FRAME, CONTENT, LATER = range(4)
DECODE, PRINT, EXPLAIN, WRITE = (depth << 6 for depth in range(4))
# The content of a frame as the fuzzer takes it: where it begins and how much stands behind it.
CONTENT_OF = {"dc09": (9, 1), "ev07b": (8, 0), "gt06": (3, 6), "watch": (20, 1)}


def frames(name):
    for path in sorted(TESTS.glob("Corpus/*/*.jsonl")):
        if path.parent.name.lower() == name or name == "detection" and path.parent.name != "Escalation":
            for line in path.read_text(encoding="utf-8").splitlines():
                yield bytes.fromhex(json.loads(line)["hex"])


def deep(first, rest):
    """An input that is printed, explained or written again: the bytes of such a one add up to a multiple of five."""
    for variant in range(0, 16, 2):
        if (first + (variant << 2) + sum(rest)) % 5 == 0:
            return bytes([first + (variant << 2)]) + rest
    return bytes([first]) + rest


def frame_seeds(name):
    for number, frame in enumerate(frames(name)):
        piece = (number % 11) << 2
        yield bytes([STREAM | piece]) + frame
        for depth in (PRINT, EXPLAIN, WRITE):
            yield deep(FRAME | depth, frame)
        if name == "gt06":
            yield bytes([LATER | piece]) + frame
        if name == "jt808" and len(frame) > 20:
            body = frame[1:-2].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
            start = 17 if body[2] & 0x40 else 12
            yield deep(CONTENT | PRINT | (4 if start == 17 else 0), body[:2] + b"\x02\x01" + body[start:])
        elif name in CONTENT_OF:
            start, end = CONTENT_OF[name]
            yield deep(CONTENT | PRINT, frame[start : len(frame) - end])


# What the examples of the documents do not show.
MORE = {
    "configuration": [
        '[[listener]]\nprotocol = ["jt808", "gt06"]\ntcp = "[::1]:6808"\n',
        '[[serial]]\nprotocol = "jt808"\npath = "/dev/ttyUSB0"\nspeed = 9600\n',
        '[[model]]\nname = "x"\nalarm_codes = { 1 = "sos", 2 = "none" }\n', "a = 1979-05-27T07:32:00Z\nb = [1.5, 0xff]\n"],
    "people": [
        "id;name;terminals\r\np1;\"刘\"\"奶奶\"\"\";017700000101;1\r\n", "id\tname\tmodel\np1\ta\tx\n",
        "id,name,contacts,groups,services,consent_120,utc_offset_minutes\np1,a,b|0731 5550000|c|guardian;d,x,emergency,yes,480\n"],
    "fences": [
        json.dumps({"type": "Feature", "id": 7, "bbox": [1], "geometry": {"type": kind, "coordinates": places},
                    "properties": {"name": "n", "rule": "both", "datum": "gcj02", **more}})
        for kind, places, more in (
            ("Point", [112.9, 28.2], {"radius_m": 50}),
            ("LineString", [[112.9, 28.2], [112.91, 28.21]], {"half_width_m": 20}),
            ("Polygon", [[[112.9, 28.2], [112.91, 28.2], [112.91, 28.21], [112.9, 28.2]]], {"persons": ["p1"]}),
            ("MultiPolygon", [[[[1, 2], [3, 4.5e0], [5, 7], [1, 2]]]], {"groups": ["g"]}))],
}
DOCUMENTS = {
    "configuration": ("etc/*.toml", "docs/configuration.md"), "people": ("docs/people-csv.md",),
    "fences": ("docs/fences-geojson.md",)}


def text_seeds(name):
    for pattern in DOCUMENTS[name]:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL) if path.suffix == ".md" else [text]
            for block in blocks:
                yield block.encode()
    for text in MORE[name]:
        yield text.encode()
        if name == "people":
            yield text.encode("gb18030")


def main():
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    make = text_seeds if name in DOCUMENTS else frame_seeds
    for number, seed in enumerate(make(name)):
        (folder / f"corpus-{number:04}").write_bytes(seed)


main()
