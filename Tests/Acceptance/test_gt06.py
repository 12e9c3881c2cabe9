"""GT06 through the whole gateway: login, position, SOS, webhook, acknowledgement, operator, and what the terminal hears."""

import pytest

from gt06_terminal import COMMAND, FALL, GT06Terminal, SOS
from site_under_test import Site, eventually, free_port

IMEI = "999910000000011"


@pytest.fixture
def site(new_site) -> Site:
    port = free_port()
    site = new_site(extra=f"""
[[listener]]
protocol = "gt06"
tcp = "127.0.0.1:{port}"

[[model]]
name = "ringing"
trust_by_id = true
alarm_codes = {{ 119 = "help" }}
commands = {{ confirm-alarm = "FIND#" }}

[[model]]
name = "plain"
""")
    site.gt06_port = port
    site.start()
    return site


def listed(site: Site, model: str) -> GT06Terminal:
    site.import_people([{"id": "P1", "name": "王梅", "terminals": IMEI, "model": model}])
    return GT06Terminal.connect(site.gt06_port, IMEI)


def test_from_login_to_help_is_coming(site):
    with listed(site, "ringing") as terminal:
        assert terminal.log_in()
        assert terminal.request(terminal.heartbeat())
        terminal.send(terminal.location())
        eventually(
            lambda: (site.api("GET", f"/v1/terminals/{IMEI}").get("last_event") or {}).get("position"), 10, "a position")

        sos = terminal.alarm(SOS)
        assert terminal.request(sos)
        incident = site.wait_incident(IMEI)
        assert incident["causes"] == ["sos"]
        event = site.receivers["care-hub"].wait_event(incident["id"])
        assert event

        # The same frame again is the same press.
        assert terminal.request(sos)
        assert [one["id"] for one in site.incidents_of(IMEI)] == [incident["id"]]

        # The alarm came with a position; a newer one can be asked for.
        site.api("POST", f"/v1/terminals/{IMEI}/commands", {"operator": "op-1", "command": "locate"})
        locate = terminal.receive(lambda found: found[3] == COMMAND and b"WHERE#" in found)
        assert locate
        terminal.send(terminal.reply(locate, "Lat:N28.234568,Lon:E112.987655"))

        # The operator takes over; this model can ring.
        site.acknowledge(incident["id"])
        ring = terminal.receive(lambda found: found[3] == COMMAND and b"FIND#" in found)
        assert ring
        terminal.send(terminal.reply(ring, "OK!"))
        site.close(incident["id"])

        # A new press is a new incident.
        assert terminal.request(terminal.alarm(SOS))
        eventually(lambda: len(site.incidents_of(IMEI)) == 2, 10, "a second incident")


def test_a_fall_and_a_code_of_the_model(site):
    with listed(site, "ringing") as terminal:
        assert terminal.log_in()
        assert terminal.request(terminal.alarm(FALL))
        assert site.wait_incident(IMEI)["causes"] == ["fall"]
        assert terminal.request(terminal.alarm(119))
        assert site.wait_incident(IMEI, service="life_assistance")


def test_a_model_without_a_text_says_so(site):
    with listed(site, "plain") as terminal:
        assert terminal.log_in()
        assert terminal.request(terminal.alarm(SOS))
        incident = site.wait_incident(IMEI)
        site.acknowledge(incident["id"])

        def outcome():
            commands = site.api("GET", f"/v1/terminals/{IMEI}/commands")
            found = commands.get("commands", commands) if isinstance(commands, dict) else commands
            return [one for one in found if one["command"] == "confirm-alarm" and one["outcome"] == "failed"]

        assert eventually(outcome, 10, "the command fails with its reason")


def test_nobody_known_and_nobody_logged_in(site):
    with GT06Terminal.connect(site.gt06_port, "999910000000099") as stranger:
        assert stranger.log_in()
        assert stranger.request(stranger.alarm(SOS))
        assert site.wait_incident("999910000000099")
    # Not answered, so that the terminal logs in and sends again; but not lost either, and each is an incident of its own that
    # says where it comes from.
    with GT06Terminal.connect(site.gt06_port, IMEI) as one, GT06Terminal.connect(site.gt06_port, IMEI) as other:
        for nameless in (one, other):
            assert nameless.request(nameless.alarm(SOS), timeout=1) is None
            port = nameless.connection.getsockname()[1]
            incident = site.wait_incident(f"ffff127000000001f{port:05}")
            opened = site.api("GET", f"/v1/incidents/{incident['id']}")["timeline"][0]["detail"]
            assert f"127.0.0.1:{port}" in opened and "did not say who it is" in opened
