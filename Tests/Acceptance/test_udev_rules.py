"""What our udev rules do, asked of udevadm on simulated adapters, beside all rules that Debian has installed.

`udevadm test` makes links and files: it runs in a mount namespace with directories of its own.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from usb_ports import ROOT, Adapter, Machine

RULES = ROOT / "udev-rules"
GPSD_RULES = Path("/usr/lib/udev/rules.d/60-gpsd.rules")
# gpsd's rules claim this chip.
CP2102 = {"vendor": "10c4", "product": "ea60"}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a mount namespace")

PRIVATE = """
set -e
mount -t tmpfs none /run/udev 2>/dev/null || { mkdir -p /run/udev; mount -t tmpfs none /run/udev; }
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mkdir /run/udev/rules.d
cp "$1"/*.rules /run/udev/rules.d/
exec udevadm test --action=add "$2" 2>&1
"""


@pytest.fixture
def machine():
    machine = Machine()
    yield machine
    machine.close()


@pytest.fixture
def rules(tmp_path):
    """The rules as a site has them that took all examples over."""
    site = (RULES / "65-yidiantong-site.rules").read_text()
    taken = re.sub(r"^#ENV", "ENV", site, flags=re.MULTILINE)
    assert taken != site
    (tmp_path / "65-yidiantong-site.rules").write_text(taken)
    (tmp_path / "70-yidiantong.rules").write_text((RULES / "70-yidiantong.rules").read_text())
    return tmp_path


def evaluate(machine: Machine, rules: Path, adapter: Adapter) -> tuple[dict, str]:
    """The properties that udev gives an adapter, and its whole report."""
    machine.plug(adapter)
    path = f"/sys/devices/{adapter.socket}/{adapter.socket}:1.{adapter.interface}/{adapter.node}/{adapter.node}"
    report = subprocess.run(
        ["unshare", "-m", "env", f"UMOCKDEV_DIR={machine.root}", "umockdev-wrapper", "sh", "-c", PRIVATE, "sh", rules,
         path], capture_output=True, text=True, check=True).stdout
    assert "Invalid" not in report and "rror in" not in report, report
    properties = dict(line.split("=", 1) for line in report.splitlines() if re.match(r"^[A-Z_.]+=", line))
    assert properties["DEVNAME"] == f"/dev/{adapter.node}", report
    return properties, report


def test_debians_gpsd_rules_are_there_and_claim_the_chip(machine, tmp_path):
    """Without this the next tests would show nothing."""
    assert GPSD_RULES.exists()
    (tmp_path / "00-nothing.rules").touch()
    properties, _ = evaluate(machine, tmp_path, Adapter("ttyUSB0", "1-1", serial="0001", **CP2102))
    assert properties["SYSTEMD_WANTS"] == "gpsdctl@ttyUSB0.service"
    assert "/dev/gps0" in properties["DEVLINKS"].split()


def test_our_adapter_is_ours_even_where_gpsd_claims_its_chip(machine, rules):
    properties, report = evaluate(machine, rules, Adapter("ttyUSB0", "1-1", serial="0001", **CP2102))
    assert properties["YIDIANTONG"] == "base-station"
    assert "yidiantong" in properties["CURRENT_TAGS"].split(":")
    links = properties["DEVLINKS"].split()
    assert "/dev/yidiantong/base-station" in links
    assert not [link for link in links if "gps" in link]
    assert [link for link in links if link.startswith("/dev/serial/by-id/")], "the usual links are lost"
    assert [link for link in links if link.startswith("/dev/serial/by-path/")], "the usual links are lost"
    assert properties["SYSTEMD_WANTS"] == "yidiantongd.service"
    assert properties["ID_MM_DEVICE_IGNORE"] == properties["ID_MM_PORT_IGNORE"] == "1"
    assert re.search(r"70-yidiantong.rules:\d+ GROUP 20\b", report), "not group dialout"
    assert re.search(r"70-yidiantong.rules:\d+ MODE 0660", report)


@pytest.mark.parametrize("adapter", [
    Adapter("ttyUSB3", "1-4", serial="0002", **CP2102),
    Adapter("ttyUSB3", "1-4", **CP2102),
    Adapter("ttyUSB3", "1-4", vendor="0403", product="6001", serial="0001"),
    Adapter("ttyUSB3", "1-4", vendor="1a86", product="7523"),
], ids=["other serial", "no serial", "other chip", "other socket"])
def test_a_strangers_adapter_is_left_as_it_was(machine, rules, tmp_path_factory, adapter):
    with_ours, report = evaluate(machine, rules, adapter)
    assert "70-yidiantong.rules:" not in report and "65-yidiantong-site.rules:" not in report
    machine.pull(adapter)
    nothing = tmp_path_factory.mktemp("nothing")
    (nothing / "00-nothing.rules").touch()
    without, _ = evaluate(machine, nothing, adapter)
    changing = {"USEC_INITIALIZED", "SEQNUM", "DEVLINKS"}
    assert {k: v for k, v in with_ours.items() if k not in changing} == {
        k: v for k, v in without.items() if k not in changing}
    assert set(with_ours["DEVLINKS"].split()) == set(without["DEVLINKS"].split())


def test_an_adapter_without_a_serial_number_is_known_by_its_socket(machine, rules):
    cradle = Adapter("ttyUSB5", "2", vendor="1a86", product="7523")
    properties, _ = evaluate(machine, rules, cradle)
    assert properties["YIDIANTONG"] == "cradle"
    assert "SYSTEMD_WANTS" not in properties, "only what is marked so starts the gateway"
