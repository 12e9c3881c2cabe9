"""The simulator itself, against the worked frames of the protocol document."""

import json
import random

import pytest

from example_frames import EXAMPLES, FRAMES, STREAMS
from jt808_terminal import Fix, Frame, Messages, Splitter, check_code, escape, noise, unescape


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: example["name"])
def test_header_and_bytes(example):
    wire = bytes.fromhex(example["hex"])
    frame = Frame.decode(wire[1:-1])
    header = example["expected"]["header"]
    assert (frame.message, len(frame.body), frame.phone, frame.flow) == (
        header["messageId"], header["bodyLength"], header["phone"], header["flowId"])
    assert (frame.version, frame.total, frame.index) == (
        header.get("protocolVersion"), header.get("packageTotal"), header.get("packageIndex"))
    assert check_code(unescape(wire[1:-1])[:-1]) == example["expected"]["checkCode"]
    assert frame.encode() == wire


@pytest.mark.parametrize(
    "example", [example for example in FRAMES if example["expected"]["header"]["messageId"] == 0x0200],
    ids=lambda example: example["name"])
def test_location(example):
    body = example["expected"]["body"]
    frame = Frame.decode(bytes.fromhex(example["hex"])[1:-1])
    fix = Fix.decode(frame.body)
    assert fix.latitude == pytest.approx(body["latitude"]) and fix.longitude == pytest.approx(body["longitude"])
    assert (fix.alarms, fix.valid, fix.altitude, fix.speed_kmh, fix.course) == (
        body["alarmFlags"], body["fixed"], body["altitude"], body["speedKmh"], body["direction"])
    assert [{"id": number, "hex": value.hex()} for number, value in fix.items] == body["items"]
    assert Fix.decode(fix.encode()) == fix


@pytest.mark.parametrize("example", STREAMS, ids=lambda example: example["name"])
@pytest.mark.parametrize("step", [1, 7, 4096])
def test_streams(example, step):
    wire, splitter, frames = bytes.fromhex(example["hex"]), Splitter(), []
    for start in range(0, len(wire), step):
        frames += splitter.feed(wire[start : start + step])
    by_name = {frame["name"]: frame["hex"] for frame in EXAMPLES}
    assert [frame.encode().hex() for frame in frames] == [by_name[name] for name in example["expected"]["frames"]]
    assert len(splitter.rejected) == example["expected"].get("dropped", 0)


def test_what_it_sends_is_what_the_document_shows():
    by_name = {example["name"]: example for example in EXAMPLES}

    def flow(name):
        return by_name[name]["expected"]["header"]["flowId"]

    old, new = Messages("017700000101"), Messages("00000000017700000102", version=1)
    assert old.frame(0x0002, flow=flow("heartbeat")).encode().hex() == by_name["heartbeat"]["hex"]
    frame = old.authenticate(b"PA-AUTH-01")
    frame.flow = flow("auth-2013")
    assert frame.encode().hex() == by_name["auth-2013"]["hex"]
    frame = new.register(model="PA-200", serial="PA00102")
    frame.flow = flow("register-2019")
    assert frame.encode().hex() == by_name["register-2019"]["hex"]
    frame = new.authenticate(b"PA-AUTH-02")
    frame.flow = flow("auth-2019")
    assert frame.encode().hex() == by_name["auth-2019"]["hex"]
    command = Frame.decode(bytes.fromhex(by_name["alarm-manual-confirm"]["hex"])[1:-1])
    answer = old.answer(command, Fix())
    answer.flow = flow("terminal-ack")
    assert answer.encode().hex() == by_name["terminal-ack"]["hex"]


def test_escapes_are_undone():
    source = random.Random(7)
    for _ in range(500):
        data = noise(source, 60)
        assert unescape(escape(data)) == data
        assert 0x7E not in escape(data)


def test_examples_are_all_there():
    assert len(EXAMPLES) == len({json.dumps(example) for example in EXAMPLES}) >= 37
