"""What receivers see: retries, slow and dead neighbours, the ladder that goes on, heartbeats, changed secrets."""

import base64
import secrets
import signal
import time

from jt808_terminal import Terminal
from site_under_test import eventually, received_at


def press(site, phone: str) -> dict:
    with Terminal.connect(site.port, phone) as terminal:
        assert terminal.request(terminal.sos())
    return site.wait_incident(phone.lstrip("0"))


def test_refused_webhooks_come_again_with_the_same_name(new_site, figure):
    site = new_site(receiver_options={"care-hub": {"status": "500,503,200"}})
    site.start()
    incident = press(site, "018010000001")
    hub = site.receivers["care-hub"]
    tries = eventually(
        lambda: len(found := hub.events(incident["id"], "incident.opened")) >= 3 and found, 20, "three attempts")
    assert [one["status"] for one in tries] == [500, 503, 200]
    assert len({one["id"] for one in tries}) == 1 and all(one["verified"] for one in tries)
    gaps = [received_at(after) - received_at(before) for before, after in zip(tries, tries[1:])]
    figure(f"retries after {gaps[0]:.2f} s and {gaps[1]:.2f} s")
    assert gaps[0] < 2.5 and gaps[1] < 4, gaps
    # A 2xx ends it.
    time.sleep(2)
    assert len(hub.events(incident["id"], "incident.opened")) == 3


def test_slow_and_dead_targets_delay_nobody(new_site, figure):
    site = new_site(targets=("care-hub", "slow", "dead"), receiver_options={"slow": {"delay_milliseconds": 4000}})
    site.receivers["dead"].process.kill()
    site.start()
    latest = 0.0
    for number in range(20):
        with Terminal.connect(site.port, f"01802{number:07d}") as terminal:
            assert terminal.request(terminal.sos(), 2), "an acknowledgement waits for a target"
            incident = site.wait_incident(terminal.terminal_id)
            event = site.receivers["care-hub"].wait_event(incident["id"], "incident.opened", 3)
            latest = max(latest, received_at(event) - terminal.sent_at)
    figure(f"slowest of 20 at the good target: {latest * 1000:.0f} ms after the press")
    assert latest < 2


def test_the_ladder_repeats_until_a_human_acknowledges(new_site):
    site = new_site(repeat_milliseconds=1000)
    site.start()
    incident = press(site, "018030000001")
    hub = site.receivers["care-hub"]

    def rounds() -> list[int]:
        found = [event["event"]["data"]["round"] for event in hub.events(incident["id"])]
        return [number for number in found if number]

    eventually(lambda: max(rounds(), default=0) >= 3, 10, "three rounds")
    # Across a crash too.
    site.kill()
    site.start()
    before = max(rounds())
    eventually(lambda: max(rounds()) > before, 10, "another round after the restart")
    site.acknowledge(incident["id"])
    hub.wait_event(incident["id"], "incident.acknowledged")
    quiet = max(rounds())
    time.sleep(2.5)
    assert max(rounds()) <= quiet + 1


def test_heartbeats_are_signed_and_regular(new_site):
    site = new_site(heartbeat_seconds=1)
    site.start()
    hub = site.receivers["care-hub"]
    beats = eventually(lambda: len(hub.events(kind="gateway.heartbeat")) >= 3 and hub.events(), 10, "three heartbeats")
    assert all(beat["verified"] for beat in beats)
    assert len({beat["id"] for beat in beats}) == len(beats)
    site.kill()
    count = len(hub.events())
    time.sleep(2)
    assert len(hub.events()) <= count + 1


def test_old_and_new_secret_both_sign_while_a_key_is_changed(new_site):
    site = new_site()
    site.start()
    hub = site.receivers["care-hub"]
    # The receiver knows the old secret only; the gateway gets a new one in front of it.
    fresh = site.directory / "fresh.secret"
    fresh.write_text("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    fresh.chmod(0o600)
    text = site.configuration.read_text()
    site.configuration.write_text(
        text.replace(f'secret_files = ["{hub.secret}"]', f'secret_files = ["{fresh}", "{hub.secret}"]'))
    site.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    incident = press(site, "018040000001")
    assert hub.wait_event(incident["id"], "incident.opened")["verified"]


def test_a_wrong_configuration_on_reload_is_refused(new_site):
    site = new_site()
    site.start()
    good = site.configuration.read_text()
    site.configuration.write_text(good + "\n[gatewya]\n")
    site.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    incident = press(site, "018050000001")
    assert site.receivers["care-hub"].wait_event(incident["id"], "incident.opened")["verified"]
    assert "gatewya" in site.log.read_text(errors="replace")
