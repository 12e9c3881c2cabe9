"""A home pager that reports through an alarm panel: from the press to the webhook, over every line that a panel has."""

import json
import os
import tty
from datetime import datetime, timezone

import pytest

from dc09_panel import Panel
from jt808_terminal import DescriptorLine, SocketLine
from site_under_test import Site, eventually, free_port
from test_transports import UDPLine

ACCOUNT = "100001"
SEALED = "100002"
KEY = "00112233445566778899AABBCCDDEEFF"
LINE = b"1001181101000015\r"


def emergencies(site: Site, account: str) -> list[dict]:
    """Without those of panels that have fallen silent meanwhile."""
    return [one for one in site.incidents_of(account) if one["service"] == "emergency"]


@pytest.fixture(scope="module")
def serial():
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)


@pytest.fixture(scope="module")
def site(new_shared_site, serial) -> Site:
    port = free_port()
    site = new_shared_site(extra=f"""
[[listener]]
protocol = "dc09"
tcp = "127.0.0.1:{port}"
udp = "127.0.0.1:{port}"

[[serial]]
path = "{serial[1]}"
protocol = "dc09"

[dc09]
key_file = "KEYS"

[[model]]
name = "panel"
trust_by_id = true
silence_seconds = 20
""")
    keys = site.directory / "panels.keys"
    keys.write_text(f"# account and key\n{SEALED} hex:{KEY}\n")
    keys.chmod(0o600)
    site.configuration.write_text(site.configuration.read_text().replace("KEYS", str(keys)))
    site.panel_port = port
    site.start()
    site.import_people([
        {"id": f"P{account}", "name": "王梅", "address": "长沙市岳麓区测试路1号", "terminals": account, "model": "panel"}
        for account in (ACCOUNT, SEALED, "100003", "100004", "100005", "100006", "1001")])
    return site


@pytest.mark.parametrize("line, account", [(SocketLine, ACCOUNT), (UDPLine, "100003")])
def test_a_press_is_an_incident_before_it_is_acknowledged(site, line, account):
    with Panel(line(site.panel_port), account) as panel:
        assert panel.request(panel.null()).name == "ACK"
        press = panel.contact_id("101")
        answer = panel.request(press)
        assert (answer.name, answer.sequence, answer.account) == ("ACK", 1, account)
        # What is acknowledged is on disk: it is there at once.
        incidents = emergencies(site, account)
        assert len(incidents) == 1
        assert incidents[0]["trust"] == "by_id"
        event = site.receivers["care-hub"].wait_event(incidents[0]["id"], "incident.opened")
        assert event["verified"]
        # The pager has no receiver for positions: the address comes from the person's card.
        assert "测试路1号" in str(event["event"])

        assert panel.request(press).name == "ACK", "sent again, it is acknowledged again"
        assert len(emergencies(site, account)) == 1
        assert panel.request(panel.contact_id("101", qualifier=3)).name == "ACK"
        assert site.incident(incidents[0]["id"])["incident"]["state"] in ("open", "notified"), "only a human closes"


def test_a_press_over_a_serial_line(site, serial):
    panel = Panel(DescriptorLine(serial[0]), "100004")
    panel.write(b"\r\nnoise\r\n")
    assert panel.request(panel.contact_id("101")).name == "ACK"
    incident = site.wait_incident("100004")
    assert site.incident(incident["id"])["evidence"][0]["bearer"] == "serial"

    # A line of 16 digits is confirmed with one byte.
    panel.pending = b""
    panel.write(LINE)
    assert panel.byte() == b"\x06"
    assert len(emergencies(site, "1001")) == 1
    panel.write(b"1001181101000016\r")
    assert panel.byte(1) == b"", "a wrong check digit is not answered"


def test_a_wrong_clock_is_told_and_mutes_nothing(site):
    with Panel(SocketLine(site.panel_port), "100005") as panel:
        answer = panel.request(panel.contact_id("101", sequence=7, clock=3600))
        assert (answer.name, answer.sequence, answer.encrypted) == ("NAK", 0, False)
        ours = datetime.strptime(answer.rest, "]_%H:%M:%S,%m-%d-%Y").replace(tzinfo=timezone.utc)
        assert abs((datetime.now(timezone.utc) - ours).total_seconds()) < 10
        assert len(emergencies(site, "100005")) == 1, "an SOS with a wrong time is an SOS"
        assert panel.request(panel.contact_id("101", sequence=7)).name == "ACK"
        assert len(emergencies(site, "100005")) == 1


def test_encryption_proves_who_speaks(site):
    with Panel(SocketLine(site.panel_port), SEALED, KEY) as panel:
        assert panel.request(panel.null()).encrypted
        answer = panel.request(panel.contact_id("101"))
        assert (answer.name, answer.encrypted, answer.sequence) == ("ACK", True, 1)
        assert answer.rest.startswith("]_")
        assert site.wait_incident(SEALED)["trust"] == "verified"
    with Panel(SocketLine(site.panel_port), SEALED, "FF" * 16) as stranger:
        assert stranger.request(stranger.contact_id("101"), 1) is None, "a wrong key is not answered"
    assert len(emergencies(site, SEALED)) == 1


def test_what_is_of_no_use_is_answered_so(site):
    with Panel(SocketLine(site.panel_port), ACCOUNT) as panel:
        assert panel.request(panel.block("XYZ", 9, "what]")).name == "DUH"
        broken = bytearray(panel.contact_id("101"))
        broken[20] ^= 1
        assert panel.request(bytes(broken), 1) is None, "a wrong sum is not answered"


def test_a_lost_pendant_is_a_fault(site):
    """381, again and again while it lasts; 3381 is the way back. The incident outlives a kill -9."""
    with Panel(SocketLine(site.panel_port), "100008") as panel:
        assert panel.request(panel.contact_id("381")).name == "ACK"
        incident = site.wait_incident("100008", service="life_assistance")
        assert incident["causes"] == ["supervision_lost"]
        assert panel.request(panel.contact_id("381")).name == "ACK"
        site.kill()
        site.start()
    with Panel(SocketLine(site.panel_port), "100008") as panel:
        panel.sequence = 2
        assert panel.request(panel.contact_id("381")).name == "ACK"
        assert panel.request(panel.contact_id("381", qualifier=3)).name == "ACK"
        assert panel.request(panel.contact_id("101")).name == "ACK", "and an SOS is an SOS"
        assert len(emergencies(site, "100008")) == 1
    faults = [one for one in site.incidents_of("100008") if one["service"] == "life_assistance"]
    assert [one["id"] for one in faults] == [incident["id"]]
    story = json.dumps(site.incident(incident["id"]))
    assert "hears the supervised device again" in story, story


def test_a_panel_that_falls_silent_is_a_fault(site):
    with Panel(SocketLine(site.panel_port), "100006") as panel:
        assert panel.request(panel.null()).name == "ACK"
        silent = eventually(
            lambda: [one for one in site.incidents_of("100006") if "silence" in one["causes"]], 40, "a fault")[0]
        assert silent["service"] == "life_assistance"
        assert panel.request(panel.null()).name == "ACK"
        eventually(lambda: "heard again" in str(site.incident(silent["id"])), 10, "a note")


def test_an_unknown_panel_is_heard(site):
    with Panel(SocketLine(site.panel_port), "9ABC") as panel:
        assert panel.request(panel.contact_id("101")).name == "ACK"
        assert site.wait_incident("9abc")["trust"] == "unknown"
