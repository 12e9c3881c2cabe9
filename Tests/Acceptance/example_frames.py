"""The worked frames of the protocol document, as the repository keeps them."""

import json
import os
from pathlib import Path

CORPUS = Path(os.environ.get("JT808_CORPUS", Path(__file__).resolve().parents[1] / "Corpus" / "JT808"))


def load(name: str) -> list[dict]:
    path = CORPUS / name
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


FRAMES = load("frames.jsonl")
STREAMS = load("streams.jsonl")
EXAMPLES = FRAMES + STREAMS
