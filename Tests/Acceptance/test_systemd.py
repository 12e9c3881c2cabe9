"""The unit files, read by systemd's own checkers."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "yidiantongd.service"
SOCKET_UNIT = UNIT.with_suffix(".socket")
SIREN_UNIT = UNIT.with_name("yidiantong-siren.service")
EXAMPLE = UNIT.parents[1] / "etc" / "yidiantong.example.toml"
MOST_EXPOSURE = 2.0


def test_verify_is_clean(tmp_path):
    """In a root of its own, so that nothing has to be installed here."""
    for program in ("usr/bin/yidiantongd", "usr/bin/yidiantong-siren", "bin/kill"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", path)
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    shutil.copy(UNIT, units)
    shutil.copy(SOCKET_UNIT, units)
    shutil.copy(SIREN_UNIT, units)
    shutil.copytree("/usr/lib/systemd", tmp_path / "usr/lib/systemd", symlinks=True)

    def verify() -> tuple[int, str]:
        result = subprocess.run(
            ["systemd-analyze", "verify", f"--root={tmp_path}", UNIT.name, SOCKET_UNIT.name, SIREN_UNIT.name],
            capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr

    assert verify() == (0, "")
    # The check of the check: a wrong key and a missing program are found.
    (units / UNIT.name).write_text(UNIT.read_text() + "\n[Service]\nWatchDogs=30s\n")
    assert "WatchDogs" in verify()[1]
    (units / SOCKET_UNIT.name).write_text(SOCKET_UNIT.read_text().replace("0.0.0.0:6808", "0.0.0.0:portal"))
    assert "portal" in verify()[1]


def test_systemd_opens_the_ports_of_the_example():
    """Both files speak of the same addresses, so that a site which enables the unit has no port twice."""
    with open(EXAMPLE, "rb") as file:
        listeners = tomllib.load(file)["listener"]
    streams = re.findall(r"^ListenStream=(.+)$", SOCKET_UNIT.read_text(), re.MULTILINE)
    assert streams == [one["tcp"] for one in listeners if "tcp" in one]


@pytest.mark.parametrize("unit", [UNIT, SIREN_UNIT], ids=lambda unit: unit.name)
def test_exposure(unit, figure):
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", unit],
        capture_output=True, text=True, check=True)
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)[1])
    figure(f"exposure {exposure}")
    assert exposure <= MOST_EXPOSURE, result.stdout
