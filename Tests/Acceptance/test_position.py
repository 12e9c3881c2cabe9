"""The gateway's own position and clock check, from a real gpsd: its receivers are pseudo-terminals, or gpsfake."""

import os
import shutil
import subprocess
import time
import tty
from datetime import datetime, timedelta, timezone

import pytest

from gnss_receiver import CHANGSHA, GPSDaemon, Receiver, log
from jt808_terminal import DescriptorLine, Fix, Terminal
from site_under_test import Site, eventually, free_port, programs


def gpsd_table(port: int) -> str:
    return f'[gpsd]\naddress = "127.0.0.1:{port}"\nstale_seconds = 3\nclock_warning_milliseconds = 2500\n'


def position(site: Site) -> dict:
    return site.api("GET", "/v1/devices")["position"]


def wait_for(site: Site, key: str, value: str, timeout: float = 20) -> dict:
    began = time.monotonic()
    eventually(
        lambda: position(site)[key] == value, timeout, f"{key} = {value}; it is {position(site)}; log {site.log}")
    return position(site) | {"took": time.monotonic() - began}


def metrics(site: Site) -> dict[str, float]:
    lines = site.raw("GET", "/metrics")[2].splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and line[0] != "#"}


@pytest.fixture
def receivers():
    made: list[Receiver] = []

    def make(**options) -> Receiver:
        made.append(Receiver(**options))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


@pytest.fixture
def new_gpsd():
    daemons: list[GPSDaemon] = []

    def make(*receivers: Receiver) -> GPSDaemon:
        daemons.append(GPSDaemon(free_port(), *receivers))
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.kill()


def test_states_follow_what_gpsd_and_its_receiver_do(new_site, new_gpsd, receivers, figure):
    receiver = receivers()
    gpsd = new_gpsd(receiver)
    site = new_site(extra=gpsd_table(gpsd.port))
    site.start()
    seen = wait_for(site, "state", "fix", 40)
    assert seen["position"]["latitude"] == pytest.approx(CHANGSHA[0], abs=1e-4)
    assert seen["position"]["longitude"] == pytest.approx(CHANGSHA[1], abs=1e-4)
    assert (seen["position"]["source"], seen["position"]["valid"]) == ("gateway", True)
    assert seen["receiver"] == receiver.path
    seen = wait_for(site, "clock", "ok")
    assert abs(seen["clock_offset_milliseconds"]) < 2_500
    figure(f"system clock less satellite time {seen['clock_offset_milliseconds']} ms")
    measured = metrics(site)
    assert measured['yidiantong_gateway_fix{state="fix"}'] == 1
    assert measured['yidiantong_gateway_clock{state="ok"}'] == 1
    assert 0 <= measured["yidiantong_gateway_fix_age_seconds"] < 4
    table = subprocess.run(
        [programs() / "ydtctl", "--socket", site.socket, "devices"], capture_output=True, text=True, check=True).stdout
    assert "gateway: fix" in table and "clock: ok" in table

    receiver.has_fix = False
    lost = wait_for(site, "state", "no_fix")
    assert metrics(site)['yidiantong_gateway_fix{state="no_fix"}'] == 1
    receiver.has_fix = True
    regained = wait_for(site, "state", "fix")
    receiver.speaks = False
    stale = wait_for(site, "state", "stale")
    assert position(site)["position"]["valid"] is False
    receiver.speaks = True
    wait_for(site, "state", "fix")

    receiver.offset = timedelta(hours=1)
    jumped = wait_for(site, "clock", "warning")
    assert position(site)["clock_offset_milliseconds"] == pytest.approx(-3_600_000, abs=5_000)
    assert any(fault["code"] == "clock_off" for fault in site.status()["faults"])
    assert site.status()["healthy"], "a wrong clock is a warning and no reason to stop"
    before = time.time()
    receiver.offset = timedelta()
    back = wait_for(site, "clock", "ok", 40)
    assert abs(time.time() - before) < 60, "the system clock was set"

    gpsd.kill()
    gone = wait_for(site, "state", "disconnected")
    assert "gpsd" in gone["reason"]
    assert position(site)["clock"] == "unknown"
    gpsd.start()
    again = wait_for(site, "state", "fix", 40)
    assert metrics(site)["yidiantong_gpsd_connections_total"] == 2
    figure(", ".join(
        f"{name} after {state['took']:.1f} s" for name, state in {
            "fix lost": lost, "regained": regained, "stale": stale, "clock warning": jumped, "clock ok": back,
            "gpsd gone": gone, "fix after its restart": again}.items()))
    assert " error " not in site.log.read_text()


def test_several_receivers(new_site, new_gpsd, receivers):
    coarse, fine = receivers(hdop=9.0, place=(28.24, 112.95)), receivers(hdop=0.7)
    gpsd = new_gpsd(coarse, fine)
    site = new_site(extra=gpsd_table(gpsd.port))
    site.start()
    eventually(lambda: position(site).get("receiver") == fine.path, 40, f"the better receiver; {position(site)}")
    assert position(site)["receivers"] == sorted([coarse.path, fine.path])
    fine.has_fix = False
    eventually(lambda: position(site).get("receiver") == coarse.path, 20, f"the other receiver; {position(site)}")
    assert position(site)["state"] == "fix"
    assert position(site)["position"]["latitude"] == pytest.approx(28.24, abs=1e-4)


def test_gpsfake(new_site, tmp_path):
    """gpsd's own simulator, with a recording made for Changsha."""
    recording = tmp_path / "changsha.nmea"
    recording.write_text("# made for a test\n" + log(datetime.now(timezone.utc).replace(microsecond=0), 600))
    tmp_path.chmod(0o755)
    port = free_port()
    fake = subprocess.Popen(
        [shutil.which("gpsfake"), "-n", "-q", "-c", "0.1", "-P", str(port), str(recording)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        site = new_site(extra=gpsd_table(port))
        site.start()
        seen = wait_for(site, "state", "fix", 40)
        assert seen["position"]["latitude"] == pytest.approx(CHANGSHA[0], abs=1e-4)
        assert seen["position"]["longitude"] == pytest.approx(CHANGSHA[1], abs=1e-4)
    finally:
        fake.terminate()
        fake.wait()
    wait_for(site, "state", "disconnected", 30)


def test_a_pager_beside_the_gateway_is_where_the_gateway_is(new_site, new_gpsd, receivers):
    gpsd = new_gpsd(receivers())
    master, slave = os.openpty()
    tty.setraw(slave)
    site = new_site(
        extra=gpsd_table(gpsd.port)
        + f'[[serial]]\npath = "{os.ttyname(slave)}"\nprotocol = "jt808"\nbeside_gateway = true\n')
    site.start()
    wait_for(site, "state", "fix", 40)
    with Terminal(DescriptorLine(master), "017930000001") as pager, Terminal.connect(site.port, "017930000002") as other:
        assert pager.request(pager.sos(Fix(valid=False, latitude=0, longitude=0)))
        place = site.wait_incident("17930000001")["position"]
        assert place["source"] == "gateway"
        assert place["latitude"] == pytest.approx(CHANGSHA[0], abs=1e-4)
        # Over the network nobody is beside the gateway.
        other.log_in()
        assert other.request(other.sos(Fix(valid=False, latitude=0, longitude=0)))
        assert site.wait_incident("17930000002").get("position", {}).get("source") != "gateway"
    os.close(slave)
