"""`framereplay decode`: the worked frames give what the document says, and no damaged frame ends the program."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from dc09_panel import Panel
from example_frames import FRAMES, STREAMS
from site_under_test import programs

KINDS = {"login", "heartbeat", "report", "alarm", "key", "text", "media", "reply", "logout", "other"}
INSERTED = (0x00, 0x01, 0x7D, 0x7E, 0xFF)


def run_decode(lines: list[str], *options: str, timeout: float = 120) -> tuple[int, list[str]]:
    result = subprocess.run(
        [programs() / "framereplay", "decode", "--protocol", "jt808", *options, "-"], input="\n".join(lines) + "\n",
        capture_output=True, text=True, timeout=timeout)
    assert result.returncode in (0, 3), f"exit {result.returncode}: {result.stderr[-2000:]}"
    return result.returncode, result.stdout.splitlines()


def decode(lines: list[str], *options: str) -> tuple[int, list[dict]]:
    code, printed = run_decode(lines, *options)
    return code, [json.loads(line) for line in printed]


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: example["name"])
def test_fields_are_what_the_document_says(example):
    lines = [example["hex"]]
    if example["name"] == "multimedia-part-2":
        lines.insert(0, next(one["hex"] for one in FRAMES if one["name"] == "multimedia-part-1"))
    code, printed = decode(lines, "--fields")
    assert code == 0, printed
    assert printed[-1]["fields"] == example["expected"]


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: example["name"])
def test_normalised_form(example):
    if "events" not in example:
        pytest.skip("no events in the corpus")
    _, printed = decode([example["hex"]])
    header = example["expected"]["header"]
    for line in printed:
        assert line["protocol"] == "jt808"
        assert line["terminal"] == header["phone"].lstrip("0")
        assert line["message"] == f"0x{header['messageId']:04x}"
        assert line["sequence"] == header["flowId"]
        assert line["kind"] in KINDS and isinstance(line["historical"], bool)
        assert "received" not in line


def test_auto_finds_the_protocol():
    lines = [example["hex"] for example in FRAMES]
    result = subprocess.run(
        [programs() / "framereplay", "decode", "-"], input="# comment\n\n" + "\n".join(lines) + "\n",
        capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert {json.loads(line)["protocol"] for line in result.stdout.splitlines()} == {"jt808"}


@pytest.mark.parametrize("example", STREAMS, ids=lambda example: example["name"])
def test_streams(example):
    by_name = {frame["name"]: frame["expected"]["header"] for frame in FRAMES}
    _, printed = decode([example["hex"]], "--stream")
    frames = [line for line in printed if "error" not in line]
    assert [line["sequence"] for line in frames] == [by_name[name]["flowId"] for name in example["expected"]["frames"]]


def damaged(wire: bytes) -> list[str]:
    """Every one-byte change, every cut, and insertions at every place."""
    found = []
    for place in range(len(wire)):
        for value in range(256):
            if value != wire[place]:
                found.append((wire[:place] + bytes([value]) + wire[place + 1 :]).hex())
        found.append(wire[:place].hex())
        found.append((wire[:place] + wire[place + 1 :]).hex())
        for value in INSERTED:
            found.append((wire[:place] + bytes([value]) + wire[place:]).hex())
    return [text for text in found if text]


def test_no_damaged_frame_ends_the_program(figure):
    def run(example) -> int:
        lines = damaged(bytes.fromhex(example["hex"]))
        _, printed = run_decode(lines, timeout=300)
        assert len(printed) >= len(lines), f"{example['name']}: {len(lines)} frames in, {len(printed)} lines out"
        for number, line in enumerate(printed):
            assert line.startswith("{") and line.endswith("}") and ('"error":' in line or '"kind":' in line), line
            # Reading all of them as JSON would take longer than decoding them.
            if number % 17 == 0:
                document = json.loads(line)
                assert document.get("kind") in KINDS or {"code", "detail"} <= set(document["error"]), line
        return len(lines)

    assert FRAMES
    with ThreadPoolExecutor(2) as pool:
        figure(f"{sum(pool.map(run, FRAMES))} damaged frames")


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: example["name"])
def test_no_damaged_frame_ends_the_printing_of_fields(example):
    """The same with --fields, for some of the changes."""
    run_decode(damaged(bytes.fromhex(example["hex"]))[::13], "--fields")


def test_wrong_usage_is_2():
    result = subprocess.run(
        [programs() / "framereplay", "decode", "--protocol", "morse", "-"], input="", capture_output=True, text=True)
    assert result.returncode == 2, result.stderr


def test_explain_names_every_byte():
    example = next(example for example in FRAMES if example["name"] == "location-sos-escaped")
    result = subprocess.run([programs() / "framereplay", "explain", example["hex"]], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for word in ("0200", "017700000101", "28.234567", "112.987654"):
        assert word in result.stdout, word


PANEL_KEY = "00112233445566778899AABBCCDDEEFF"


@pytest.mark.parametrize("command", ["decode", "explain"])
def test_a_key_file_opens_what_a_panel_sealed(tmp_path, command):
    """The frames are sealed by openssl; only the right key of the right account opens them, and only its owner may read it."""
    frame = Panel(None, "100001", PANEL_KEY).contact_id("101").hex()
    keys = tmp_path / "keys"

    def run(text: str | None, mode: int = 0o600) -> subprocess.CompletedProcess:
        arguments = []
        if text is not None:
            keys.write_text(text)
            keys.chmod(mode)
            arguments = ["--keys", keys]
        arguments += [frame] if command == "explain" else ["-"]
        return subprocess.run(
            [programs() / "framereplay", command, *arguments], input=frame + "\n", capture_output=True, text=True)

    opened = run(f"# of a test\n100001 hex:{PANEL_KEY}\n")
    assert opened.returncode == 0, opened.stdout + opened.stderr
    said = {"decode": '"alarms":["sos"]', "explain": '"qualifier":1,"event":"101"'}[command]
    assert said in opened.stdout, opened.stdout
    assert "the key of the account" in run(None).stdout
    assert "the key of the account" in run(f"100002 hex:{PANEL_KEY}\n").stdout
    assert run(f"* hex:{'0' * 32}\n").returncode == 3, "a wrong key opens nothing"
    for text, mode, reason in [
        ("100001 hex:00\n", 0o600, "line 1: a key has 16, 24 or 32 bytes"),
        ("100001\n", 0o600, "line 1: expected an account and a key"),
        (f"* hex:{PANEL_KEY}\n", 0o644, "everybody may use this file"),
    ]:
        refused = run(text, mode)
        assert refused.returncode == 2 and reason in refused.stderr, refused.stderr
