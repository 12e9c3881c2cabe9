"""What operators can ask of a terminal, what they may not, and what the import says of wrong rows."""

import json

import pytest

from jt808_terminal import Fix, Terminal
from site_under_test import Site, StatusError, eventually

PHONE = "018060000001"
TERMINAL = PHONE.lstrip("0")


@pytest.fixture(scope="module")
def site(new_shared_site):
    site = new_shared_site()
    site.start()
    site.import_people([{"id": "P1", "name": "李雷", "terminals": TERMINAL}])
    return site


@pytest.fixture
def terminal(site):
    with Terminal.connect(site.port, PHONE) as terminal:
        terminal.log_in()
        yield terminal


def command(site: Site, name: str, **members) -> dict:
    return site.api("POST", f"/v1/terminals/{TERMINAL}/commands", {"operator": "op-1", "command": name, **members})


def wait_confirmed(site: Site, queued: dict):
    def outcome() -> bool:
        listed = site.api("GET", f"/v1/terminals/{TERMINAL}/commands")["commands"]
        return next(one for one in listed if one["id"] == queued["id"])["outcome"] == "confirmed"

    eventually(outcome, 10, f"{queued['command']} confirmed")


def test_locate(site, terminal):
    terminal.fix = Fix(latitude=28.111111, longitude=112.222222)
    queued = command(site, "locate")
    assert terminal.wait_for(lambda frame: frame.message == 0x8201)
    wait_confirmed(site, queued)
    view = site.api("GET", f"/v1/terminals/{TERMINAL}")
    assert view["last_event"]["position"]["latitude"] == pytest.approx(28.111111, abs=1e-6)


def test_message_is_spoken_in_gbk(site, terminal):
    queued = command(site, "message", text="请您吃药，王奶奶", urgent=True)
    frame = terminal.wait_for(lambda frame: frame.message == 0x8300)
    assert frame.body[1:].decode("gbk") == "请您吃药，王奶奶"
    assert frame.body[0] & 0b1000, "read out aloud"
    wait_confirmed(site, queued)


def test_call_back(site, terminal):
    queued = command(site, "call-back", number="073100000001")
    frame = terminal.wait_for(lambda frame: frame.message == 0x8400)
    assert frame.body == b"\x00" + b"073100000001"
    wait_confirmed(site, queued)


def test_numbers_and_restart(site, terminal):
    queued = command(site, "set-numbers", purpose="monitor", numbers=["0731-0000 0002"])
    frame = terminal.wait_for(lambda frame: frame.message == 0x8103)
    assert frame.body == b"\x01\x00\x00\x00\x48\x0c073100000002"
    wait_confirmed(site, queued)
    queued = command(site, "restart")
    assert terminal.wait_for(lambda frame: frame.message == 0x8105).body == b"\x04"
    wait_confirmed(site, queued)


@pytest.mark.parametrize("number", ["120", "0731-120", "+86120", "１２０", "1 2 0", "0731 119", "110", "(0731)122"])
def test_emergency_numbers_never_leave_for_a_terminal(site, terminal, number):
    with pytest.raises(StatusError) as refusal:
        command(site, "call-back", number=number)
    assert 400 <= refusal.value.status < 500
    with pytest.raises(StatusError) as refusal:
        command(site, "set-numbers", purpose="sos", numbers=["073100000001", number])
    assert 400 <= refusal.value.status < 500
    assert terminal.wait_for(lambda frame: frame.message in (0x8400, 0x8103), 0.5) is None


def test_a_command_waits_for_its_terminal(site):
    queued = command(site, "message", text="等您上线", expires_seconds=60)
    with Terminal.connect(site.port, PHONE) as terminal:
        terminal.log_in()
        assert terminal.wait_for(lambda frame: frame.message == 0x8300), "the queued text"
        wait_confirmed(site, queued)


def test_report_interval_and_tracking(site, terminal):
    queued = command(site, "report-interval", seconds=30)
    frame = terminal.wait_for(lambda frame: frame.message == 0x8103)
    assert b"\x00\x00\x00\x29\x04\x00\x00\x00\x1e" in frame.body
    wait_confirmed(site, queued)
    queued = command(site, "track", interval_seconds=10, duration_seconds=600)
    frame = terminal.wait_for(lambda frame: frame.message == 0x8202)
    assert frame.body == bytes.fromhex("000a00000258")
    wait_confirmed(site, queued)


def test_wrong_rows_cost_only_themselves(site):
    text = "id,name,sex,terminals\nW1,甲,female,18060000011\nW2,,,\nW3,丙,robot,\nW4,丁,male,18060000014\n"
    report = site.api("POST", "/v1/import/people", text, "text/csv")
    assert (report["stored"], report["rejected"]) == (2, 2)
    assert [(fault["line"], fault["column"]) for fault in report["faults"]] == [(3, "name"), (4, "sex")]


def test_ydtctl_shows_what_is_there(site, terminal):
    assert terminal.request(terminal.location())
    for arguments in (["status"], ["incidents"], ["terminals"], ["status", "--json"], ["terminals", "--json"]):
        assert site.ydtctl(*arguments).strip()
    assert TERMINAL in site.ydtctl("terminals")
    assert json.loads(site.ydtctl("status", "--json"))["ready"]
