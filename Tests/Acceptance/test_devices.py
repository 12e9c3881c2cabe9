"""Serial adapters that come and go, on a machine whose USB sockets are simulated by umockdev; the ttys are real.

The terminals behind them are those of JT/T 808; what is tested is the same for every protocol.
"""

import fcntl
import os
import shutil
import subprocess
import threading
import time

import pytest

from jt808_terminal import DescriptorLine, Terminal
from site_under_test import Site, eventually, programs
from usb_ports import Adapter, Machine

CH340 = {"vendor": "1a86", "product": "7523"}


@pytest.fixture
def machine():
    machine = Machine()
    yield machine
    machine.close()


def rule(name: str, match: str, more: str = "") -> str:
    return f'[[serial]]\nname = "{name}"\nmatch = {{ {match} }}\nbaud = 115200\nprotocol = "jt808"\n{more}\n'


PAGERS = rule("pagers", 'vendor = "1a86", product = "7523", serial = "A1"')


@pytest.fixture
def new_usb_site(new_site, machine):
    """new_usb_site(rules) is a site that runs on the machine with the sockets."""

    def make(rules: str, wrapper: tuple = ()) -> Site:
        site = new_site(extra=rules)
        site.start(wrapper=(*wrapper, *machine.wrapper))
        return site

    return make


def devices(site: Site) -> dict[str, dict]:
    return {one["identity"]: one for one in site.api("GET", "/v1/devices")["devices"]}


def wait_state(site: Site, identity: str, state: str, timeout: float = 10) -> dict:
    eventually(
        lambda: devices(site).get(identity, {}).get("state") == state, timeout,
        f"{identity} in state {state}; it is {devices(site).get(identity)}; log {site.log}")
    return devices(site)[identity]


def wire(adapter: Adapter, phone: str) -> Terminal:
    return Terminal(DescriptorLine(os.dup(adapter.master)), phone)


A1 = "1a86:7523:A1#0"


def test_a_device_that_is_there_at_the_start(machine, new_usb_site, figure):
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    site = new_usb_site(PAGERS)
    with wire(adapter, "017920000001") as terminal:
        assert terminal.request(terminal.sos()), "the SOS is acknowledged"
    device = wait_state(site, A1, "open")
    assert site.wait_incident("17920000001")
    assert (device["rule"], device["node"], device["driver"]) == ("pagers", "/dev/ttyUSB0", "ch341-uart")
    figure(f"first frame {device['first_frame_milliseconds']} ms after the gateway saw the device at its start")
    table = subprocess.run(
        [programs() / "ydtctl", "--socket", site.socket, "devices"], capture_output=True, text=True, check=True).stdout
    assert "1a86:7523:A1#0" in table and "frames come" in table
    metrics = site.raw("GET", "/metrics")[2]
    assert 'yidiantong_devices{state="open"} 1' in metrics
    assert 'yidiantong_device_states_entered_total{state="open"} 1' in metrics


def test_a_device_that_is_plugged_in_later(machine, new_usb_site, figure):
    site = new_usb_site(PAGERS)
    assert site.api("GET", "/v1/devices")["missing"] == ["pagers"]
    assert any("pagers" in fault["detail"] for fault in site.status()["faults"])
    began = time.monotonic()
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    with wire(adapter, "017920000002") as terminal:
        assert terminal.request(terminal.heartbeat())
        answered = time.monotonic() - began
    device = wait_state(site, A1, "open")
    assert device["first_frame_milliseconds"] < 5_000
    figure(f"plug to first decoded frame {device['first_frame_milliseconds']} ms, to its answer {answered * 1000:.0f} ms")
    assert site.api("GET", "/v1/devices")["missing"] == []
    assert not [fault for fault in site.status()["faults"] if fault["code"] == "serial_failed"]


def test_unplugged_in_the_middle_of_a_frame_and_plugged_in_under_another_name(machine, new_usb_site, figure):
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    site = new_usb_site(PAGERS)
    with wire(adapter, "017920000003") as terminal:
        assert terminal.request(terminal.heartbeat())
        terminal.write(terminal.sos().encode()[:20])
    machine.pull(adapter)
    wait_state(site, A1, "unplugged")
    again = machine.plug(Adapter("ttyUSB6", "1-1", serial="A1", **CH340))
    with wire(again, "017920000003") as terminal:
        assert terminal.request(terminal.sos()), "the next frame is read"
        site.wait_incident("17920000003")
        device = wait_state(site, A1, "open")
        assert device["node"] == "/dev/ttyUSB6"
        assert (device["counts"]["unplugged"], device["counts"]["open"]) == (1, 2)
        figure(f"re-plug to first decoded frame {device['first_frame_milliseconds']} ms")
        view = site.api("GET", "/v1/terminals/17920000003")
        assert (view["bearer"], view["peer"]) == ("serial", "/dev/ttyUSB6")
    assert len(site.incidents_of("17920000003")) == 1
    rejected = site.raw("GET", "/metrics")[2]
    assert 'yidiantong_connections_closed_total{transport="serial",reason="peer"} 1' in rejected


def test_two_identical_adapters(machine, new_usb_site):
    """Without serial numbers only the sockets tell them apart."""
    ports = [f"pci-0000:00:14.0-usb-0:1-{number}:1.0" for number in (1, 2)]
    site = new_usb_site(
        rule("left", f'vendor = "1a86", product = "7523", port = "{ports[0]}"')
        + rule("right", f'vendor = "1a86", product = "7523", port = "{ports[1]}"'))
    left = machine.plug(Adapter("ttyUSB0", "1-1", **CH340))
    right = machine.plug(Adapter("ttyUSB1", "1-2", **CH340))
    identities = [f"1a86:7523@{port}" for port in ports]
    for identity in identities:
        wait_state(site, identity, "open")
    with wire(left, "017920000004") as one, wire(right, "017920000005") as two:
        assert one.request(one.sos()) and two.request(two.sos())
        for phone, node in (("17920000004", "/dev/ttyUSB0"), ("17920000005", "/dev/ttyUSB1")):
            site.wait_incident(phone)
            assert site.api("GET", f"/v1/terminals/{phone}")["peer"] == node
        # They change names, as the kernel gives them at the next start; the sockets stay.
        machine.pull(left)
        wait_state(site, identities[0], "unplugged")
        assert two.request(two.heartbeat()), "the other one goes on"
    again = machine.plug(Adapter("ttyUSB9", "1-1", **CH340))
    assert wait_state(site, identities[0], "open")["rule"] == "left"
    with wire(again, "017920000004") as one:
        assert one.request(one.heartbeat())


def test_a_strangers_adapter_with_the_same_chip_is_never_opened(machine, new_usb_site, tmp_path):
    trace = tmp_path / "trace"
    stranger = machine.plug(Adapter("ttyUSB3", "1-3", serial="STRANGER", **CH340))
    site = new_usb_site(PAGERS, wrapper=("strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2"))
    other = machine.plug(Adapter("ttyUSB4", "1-4", **CH340))
    ours = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    with wire(ours, "017920000006") as terminal:
        assert terminal.request(terminal.sos(), 30)
    for identity, words in (
        ("1a86:7523:STRANGER#0", "serial number A1, found STRANGER"),
        ("1a86:7523@pci-0000:00:14.0-usb-0:1-4:1.0", "serial number A1, found none"),
    ):
        device = devices(site)[identity]
        assert device["state"] == "not_ours"
        assert words in device["reason"]
    machine.change(stranger)
    machine.change(other)
    machine.pull(stranger)
    eventually(lambda: "1a86:7523:STRANGER#0" not in devices(site), 10, "the stranger is forgotten")
    site.stop(60)
    calls = trace.read_text().splitlines()
    opened = [line for line in calls if "/dev/ttyUSB" in line]
    assert any("/dev/ttyUSB0" in line for line in opened), "the trace shows nothing of our own tty"
    assert not [line for line in opened if "/dev/ttyUSB3" in line or "/dev/ttyUSB4" in line]


def test_busy_silent_and_heard(machine, new_usb_site):
    adapter = Adapter("ttyUSB0", "1-1", serial="A1", **CH340)
    site = new_usb_site(rule("pagers", 'serial = "A1"', "silent_seconds = 2"))
    lock_held = threading.Event()
    machine.plug(adapter)
    wait_state(site, A1, "open")
    machine.pull(adapter)
    wait_state(site, A1, "unplugged")

    # Somebody else has it: the lock is taken before the device is told of.
    plug = machine._say

    def with_lock(*words):
        fcntl.flock(adapter.slave, fcntl.LOCK_EX)
        lock_held.set()
        plug(*words)

    machine._say = with_lock
    machine.plug(adapter)
    machine._say = plug
    assert lock_held.is_set()
    device = wait_state(site, A1, "busy")
    assert "busy" in device["reason"]
    assert any(fault["code"] == "serial_failed" for fault in site.status()["faults"])
    fcntl.flock(adapter.slave, fcntl.LOCK_UN)
    wait_state(site, A1, "open", 40)

    device = wait_state(site, A1, "silent")
    assert "baud rate" in device["reason"]
    with wire(adapter, "017920000007") as terminal:
        assert terminal.request(terminal.heartbeat())
        assert wait_state(site, A1, "open")["reason"] == "frames come"
        assert "no frame for 2 seconds" == wait_state(site, A1, "silent")["reason"]


def test_a_hang_up_that_udev_does_not_tell_of(machine, new_usb_site):
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    site = new_usb_site(PAGERS)
    wait_state(site, A1, "open")
    machine.hang_up(adapter)
    device = wait_state(site, A1, "unplugged")
    assert device["counts"]["hung_up"] == 1
    adapter.master, adapter.slave = os.openpty()
    (machine.root / "dev" / "ttyUSB0").symlink_to(os.ttyname(adapter.slave))
    with wire(adapter, "017920000008") as terminal:
        assert any(terminal.request(terminal.sos(), 1) for _ in range(30)), "not opened again within 30 s"


def test_a_read_that_fails(machine, new_usb_site, tmp_path):
    """The driver answers a read with an error and the adapter stays plugged in: the system call itself is made to fail."""
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    trace = tmp_path / "trace"
    site = new_usb_site(
        PAGERS,
        wrapper=("strace", "-D", "-f", "-qq", "-o", trace, "-P", os.ttyname(adapter.slave), "-e", "trace=read,readv",
                 "-e", "inject=read,readv:error=EPROTO:when=2"))
    with wire(adapter, "017920000012") as terminal:
        assert terminal.request(terminal.heartbeat())
        terminal.write(terminal.heartbeat().encode())
        device = wait_state(site, A1, "read_error")
        assert "rotocol error" in device["reason"] and device["counts"]["read_error"] == 1
        wait_state(site, A1, "open", 30)
        assert any(terminal.request(terminal.sos(), 1) for _ in range(30)), "not opened again within 30 s"
    assert "EPROTO" in trace.read_text() and "INJECTED" in trace.read_text()


def test_a_tty_that_the_gateway_may_not_open(machine, new_site):
    """The gateway runs as nobody; the permissions come later, as udev gives them."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become nobody")
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    os.chmod(os.ttyname(adapter.slave), 0o600)
    site = new_site(extra=PAGERS)
    subprocess.run(["chmod", "-R", "a+rwX", machine.root], check=True)
    bin = site.directory / "bin"
    bin.mkdir()
    shutil.copy2(programs() / "yidiantongd", bin)
    for path in (site.directory, *site.directory.rglob("*")):
        os.chown(path, 65534, 65534)
    site.start(wrapper=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *machine.wrapper))
    device = wait_state(site, A1, "no_permission")
    assert "ermission" in device["reason"]
    os.chmod(os.ttyname(adapter.slave), 0o666)
    machine.change(adapter)
    wait_state(site, A1, "open", 5)


def test_a_tag_of_udev_rules_that_comes_later(machine, new_usb_site):
    site = new_usb_site(rule("tagged", 'tag = "yidiantong"'))
    machine.plug(Adapter("ttyUSB0", "1-1", serial="B1", **CH340))
    machine.plug(Adapter("ttyUSB1", "1-2", serial="B2", tags="yidiantong", **CH340))
    wait_state(site, "1a86:7523:B2#0", "open")
    device = wait_state(site, "1a86:7523:B1#0", "not_ours")
    assert "tag yidiantong, found none" in device["reason"]


def test_rules_that_change_at_a_reload(machine, new_usb_site):
    first = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    machine.plug(Adapter("ttyUSB1", "1-2", serial="A2", **CH340))
    site = new_usb_site(PAGERS)
    wait_state(site, A1, "open")
    wait_state(site, "1a86:7523:A2#0", "not_ours")
    with wire(first, "017920000009") as terminal:
        assert terminal.request(terminal.heartbeat())
        site.configuration.write_text(site.configuration.read_text() + rule("second", 'serial = "A2"'))
        site.process.send_signal(1)
        wait_state(site, "1a86:7523:A2#0", "open")
        assert terminal.request(terminal.heartbeat())
    assert devices(site)[A1]["counts"]["open"] == 1, "a line whose rule stayed was closed"


def test_a_terminal_on_tcp_and_on_serial_at_once(machine, new_usb_site):
    adapter = machine.plug(Adapter("ttyUSB0", "1-1", serial="A1", **CH340))
    site = new_usb_site(PAGERS)
    with Terminal.connect(site.port, "017920000010") as on_tcp, wire(adapter, "017920000010") as on_serial:
        on_tcp.log_in()
        assert on_serial.request(on_serial.heartbeat())
        press = on_tcp.sos()
        assert on_tcp.request(press)
        incident = site.wait_incident("17920000010")
        # The same press over the other bearer.
        assert on_serial.request(press)
        assert [one["id"] for one in site.incidents_of("17920000010")] == [incident["id"]]
        assert site.incidents_of("17920000010")[0]["presses"] == 1
        assert on_tcp.request(on_tcp.heartbeat()) and on_serial.request(on_serial.heartbeat()), "both stay"
        assert len(site.api("GET", "/v1/terminals", query={"limit": 10})["terminals"]) == 1
        metrics = site.raw("GET", "/metrics")[2]
        for bearer in ("tcp", "serial"):
            assert f'yidiantong_terminals_connected{{transport="{bearer}"}} 1' in metrics


def test_a_match_by_the_bare_chip_is_refused(tmp_path):
    path = tmp_path / "wide.toml"
    path.write_text(
        '[[listener]]\nprotocol = "jt808"\ntcp = "127.0.0.1:6808"\n'
        + rule("wide", 'vendor = "1a86", product = "7523", driver = "ch341-uart"'))
    result = subprocess.run(
        [programs() / "yidiantongd", "--config", path, "--check-config"], capture_output=True, text=True)
    assert result.returncode != 0
    assert "WCH CH340" in result.stdout + result.stderr
    assert "strangers' devices" in result.stdout + result.stderr


def test_neither_gpsd_nor_serial_devices_nor_udev(new_site):
    """As in a container: a /dev of its own with the usual four files, no udev, no ports. That is no error."""
    site = new_site(extra=PAGERS + '[gpsd]\naddress = "127.0.0.1:1"\n')
    private = (
        "mount -t tmpfs none /sys/class && mount -t tmpfs none /run && mount -t tmpfs none /dev && mkdir /dev/shm && "
        "mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/zero c 1 5 && mknod -m 666 /dev/random c 1 8 && "
        "mknod -m 666 /dev/urandom c 1 9 && exec \"$@\"")
    wrapper = ("unshare", "-m", "sh", "-c", private, "sh") if os.geteuid() == 0 else ()
    site.start(wrapper=wrapper)
    with Terminal.connect(site.port, "017920000011") as terminal:
        terminal.log_in()
        assert terminal.request(terminal.sos())
    listed = site.api("GET", "/v1/devices")
    assert listed["devices"] == [] or os.geteuid() != 0
    assert listed["position"]["state"] == "disconnected"
    assert site.status()["healthy"]
    time.sleep(1.5)
    site.stop()
    log = site.log.read_text()
    assert " error " not in log and " critical " not in log and "panic" not in log.lower(), log
