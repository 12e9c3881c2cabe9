"""A watch from its first word to "help is coming", through the real daemon."""

from datetime import datetime, timedelta, timezone

import pytest

from site_under_test import Site, eventually, free_port
from test_transports import UDPLine
from watch_terminal import FALL, Watch

IDENTITY = "1000000003"


@pytest.fixture
def site(new_site) -> Site:
    port = free_port()
    site = new_site(extra=f"""
[[listener]]
protocol = "watch"
tcp = "127.0.0.1:{port}"
udp = "127.0.0.1:{port}"

[[model]]
name = "W1"
trust_by_id = true

[[model]]
name = "pendant"
trust_by_id = true
alarm_codes = {{ 32 = "sos" }}
""")
    site.watch_port = port
    site.start()
    site.import_people([
        {"id": "P1", "name": "王梅", "terminals": IDENTITY, "model": "W1"},
        {"id": "P2", "name": "李雷", "terminals": "1000000011", "model": "pendant"}])
    return site


def test_a_watch_from_login_to_help_is_coming(site):
    with Watch.connect(site.watch_port, IDENTITY) as watch:
        assert watch.link_keep()
        watch.write(watch.position())
        eventually(
            lambda: site.api("GET", f"/v1/terminals/{IDENTITY}")["last_event"]["message"] == "UD", 10, "the position")

        pressed = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=30)
        assert watch.request(watch.sos(pressed), "AL"), "acknowledged on the wire"
        incident = site.wait_incident(IDENTITY)
        assert incident["trust"] == "by_id"
        webhook = site.receivers["care-hub"].wait_event(incident["id"])
        assert webhook["event"]["data"]["incident_id"] == incident["id"]
        # The receiver checks the signature and says so.
        assert webhook.get("verified", True)

        # The same frame again, to the byte: nobody pressed.
        assert watch.request(watch.sos(pressed), "AL")
        assert len(site.incidents_of(IDENTITY)) == 1

        site.ydtctl("ack", incident["id"], "--operator", "op-1", "--reason", "on it")
        assert watch.wait_for(lambda frame: frame.keyword == "MESSAGE"), "help is coming"
        assert any("已接警" in text for text in watch.texts())

        # A new press after closing is a new incident.
        site.close(incident["id"])
        assert watch.request(watch.sos(), "AL")
        eventually(lambda: len(site.incidents_of(IDENTITY)) == 2, 10, "a second incident")


def test_a_fall_indoors_and_an_alarm_without_a_name(site):
    with Watch.connect(site.watch_port, IDENTITY) as watch:
        assert watch.request(watch.position("AL_LTE", FALL, fix=False), "AL")
        assert "fall" in site.wait_incident(IDENTITY)["causes"]
    with Watch.connect(site.watch_port, "1000000011") as pendant:
        assert pendant.request(pendant.position("AL"), "AL")
        assert site.wait_incident("1000000011")["service"] == "emergency"


def test_a_watch_over_udp(site):
    with Watch(UDPLine(site.watch_port), IDENTITY) as watch:
        assert watch.link_keep()
        assert watch.request(watch.sos(), "AL")
        incident = site.wait_incident(IDENTITY)
        assert site.api("GET", f"/v1/terminals/{IDENTITY}")["bearer"] == "udp"
        site.acknowledge(incident["id"])
        assert watch.wait_for(lambda frame: frame.keyword == "MESSAGE"), "help is coming"


def test_an_unknown_watch_is_heard(site):
    with Watch.connect(site.watch_port, "1000000099") as watch:
        assert watch.request(watch.sos(), "AL")
        assert site.wait_incident("1000000099")["trust"] == "unknown"


def test_a_length_declared_too_long_holds_no_sos_up(site):
    with Watch.connect(site.watch_port, IDENTITY) as watch:
        sos = watch.sos().encode()
        head, length, content = sos.split(b"*", 2)[0], sos.split(b"*", 3)[2], sos.split(b"*", 3)[3]
        wrong = b"*".join([head, IDENTITY.encode(), b"%04X" % (int(length, 16) + 13), content])
        watch.write(wrong)
        assert watch.wait_for(lambda frame: frame.keyword == "AL", 5)
        site.wait_incident(IDENTITY)


def test_commands_in_the_words_of_a_watch(site):
    with Watch.connect(site.watch_port, IDENTITY) as watch:
        assert watch.link_keep()

        def confirmed(name: str, **members):
            queued = site.api(
                "POST", f"/v1/terminals/{IDENTITY}/commands", {"operator": "op-1", "command": name, **members})
            eventually(
                lambda: next(
                    one for one in site.api("GET", f"/v1/terminals/{IDENTITY}/commands")["commands"]
                    if one["id"] == queued["id"])["outcome"] == "confirmed", 10, f"{name} confirmed")

        confirmed("locate")
        confirmed("message", text="请您吃药，王奶奶", urgent=True)
        confirmed("report-interval", seconds=300)
        confirmed("call-back", number="073100000001")
        assert watch.texts() == ["请您吃药，王奶奶"]
        said = [frame.content.decode() for frame in watch.received]
        assert "CR" in said and "UPLOAD,300" in said and "CALL,073100000001" in said
