"""Alarm bits by model, gauges of incidents, and limits that change on reload: what an operator sets and then sees."""

import re
import signal

import pytest

from jt808_terminal import Fix, Terminal
from site_under_test import Site, eventually

BIT_17 = 1 << 17

MODELS = """
[[model]]
name = "PA-100"
alarm_codes = { 17 = "removed" }

[[model]]
name = "plain"
"""


@pytest.fixture
def site(new_site) -> Site:
    site = new_site(extra=MODELS)
    site.start()
    return site


def gauge(site: Site, name: str, **labels: str) -> float:
    status, _, text = site.raw("GET", "/metrics")
    assert status == 200
    shown = "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else ""
    found = re.search(rf"^yidiantong_{name}{re.escape(shown)} (\S+)$", text, re.MULTILINE)
    assert found, f"{name}{shown} is not in /metrics"
    return float(found[1])


def services(site: Site, terminal: str) -> list[str]:
    return [one["service"] for one in site.incidents_of(terminal)]


def send_bit_17(site: Site, phone: str, logs_in: bool = False):
    """Returns after the report is acknowledged, so whatever it opens is there."""
    with Terminal.connect(site.port, phone) as terminal:
        if logs_in:
            terminal.log_in()
        assert terminal.request(terminal.location(Fix(alarms=BIT_17)))


@pytest.mark.parametrize(
    "model, opened",
    [("PA-100", ["security_alarm"]), ("wireless-tracker", ["security_alarm"]), ("plain", []), ("pa-100", []), ("", [])])
def test_the_assigned_model_says_what_a_bit_means(site, model, opened):
    phone = "018070000001"
    site.import_people([{"id": "P1", "name": "王梅", "terminals": phone.lstrip("0"), "model": model}])
    send_bit_17(site, phone)
    assert services(site, phone.lstrip("0")) == opened


def test_without_an_assigned_model_the_registered_one_counts(site):
    """The simulated terminal registers as PA-100."""
    listed, assigned, stranger = "018070000011", "018070000012", "018070000013"
    site.import_people([
        {"id": "P1", "name": "王梅", "terminals": listed.lstrip("0")},
        {"id": "P2", "name": "李雷", "terminals": assigned.lstrip("0"), "model": "plain"}])
    for phone in (listed, assigned, stranger):
        send_bit_17(site, phone, logs_in=True)
    assert services(site, listed.lstrip("0")) == ["security_alarm"]
    assert services(site, assigned.lstrip("0")) == []
    assert services(site, stranger.lstrip("0")) == ["security_alarm"]


def test_gauges_follow_open_incidents(site):
    assert gauge(site, "incidents_open", service="emergency") == 0
    with Terminal.connect(site.port, "018070000021") as terminal:
        assert terminal.request(terminal.sos())
    incident = site.wait_incident("18070000021")

    def shows(opened: int, unacknowledged: int):
        eventually(
            lambda: gauge(site, "incidents_open", service="emergency") == opened
            and gauge(site, "incidents_unacknowledged", service="emergency") == unacknowledged,
            10, f"{opened} open, {unacknowledged} unacknowledged")

    shows(1, 1)
    assert gauge(site, "incidents_open", service="life_assistance") == 0
    assert gauge(site, "incidents_not_durable") == 0
    # A restart counts what it restores.
    site.kill()
    site.start()
    shows(1, 1)
    site.acknowledge(incident["id"])
    shows(1, 0)
    site.close(incident["id"])
    shows(0, 0)
    eventually(lambda: gauge(site, "outbox_pending", channel="care-hub") == 0, 10, "everything delivered")
    site.receivers["care-hub"].process.kill()
    with Terminal.connect(site.port, "018070000022") as terminal:
        assert terminal.request(terminal.sos())
    eventually(lambda: gauge(site, "outbox_pending", channel="care-hub") >= 1, 10, "a notice waits")
    assert gauge(site, "queue_depth", stage="outbox") >= 1
    # Nobody is there to hear it: it waits for its terminal.
    site.import_people([{"id": "P9", "name": "韩梅", "terminals": "18070000099"}])
    site.api(
        "POST", "/v1/terminals/18070000099/commands",
        {"operator": "op-1", "command": "message", "text": "x", "expires_seconds": 60})
    eventually(lambda: gauge(site, "queue_depth", stage="commands") >= 1, 10, "a command waits")


def test_a_reload_changes_the_limits_of_battery_and_silence(new_site):
    site = new_site(rules="low_battery_percent = 15\nsilence_seconds = 0")
    site.start()
    phone = "018070000031"
    terminal_id = phone.lstrip("0")
    site.import_people([{"id": "P1", "name": "王梅", "terminals": terminal_id}])
    battery = Fix(items=[(0xD4, bytes([25]))])
    with Terminal.connect(site.port, phone) as terminal:
        assert terminal.request(terminal.location(battery))
        assert site.incidents_of(terminal_id) == []
        text = site.configuration.read_text()
        site.configuration.write_text(
            text.replace("low_battery_percent = 15", "low_battery_percent = 40")
            .replace("silence_seconds = 0", "silence_seconds = 2"))
        site.process.send_signal(signal.SIGHUP)
        # Silent since before the reload.
        eventually(
            lambda: ["silence"] in [one["causes"] for one in site.incidents_of(terminal_id)], 15, "silence is noticed")
        assert terminal.request(terminal.location(battery))
        eventually(
            lambda: ["low_battery"] in [one["causes"] for one in site.incidents_of(terminal_id)], 10, "25 % is low")
