"""`framereplay send` against a real gateway: every protocol over TCP, UDP and a pseudo-terminal."""

import subprocess
import time

import pytest

from recordings import Cable, Recording, recordings
from site_under_test import Site, free_port, programs

RECORDINGS = {recording.protocol: recording for recording in recordings()}


@pytest.fixture(scope="module")
def cables():
    cables = {protocol: Cable() for protocol in RECORDINGS}
    yield cables
    for cable in cables.values():
        cable.close()


@pytest.fixture(scope="module")
def site(new_shared_site, cables) -> Site:
    port = free_port()
    lines = "".join(
        f'[[serial]]\npath = "{cable.paths[0]}"\nprotocol = "{protocol}"\n' for protocol, cable in cables.items())
    site = new_shared_site(
        extra=f'[[listener]]\nprotocol = "auto"\ntcp = "127.0.0.1:{port}"\nudp = "127.0.0.1:{port}"\n{lines}')
    site.auto_port = port
    site.start()
    return site


def send(*arguments, recording: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [programs() / "framereplay", "send", *map(str, arguments), "-"], input=recording, capture_output=True, text=True,
        timeout=60)


def target(site: Site, cables: dict, bearer: str, protocol: str) -> tuple:
    if bearer == "serial":
        return ("--serial", cables[protocol].paths[1])
    return (f"--{bearer}", f"127.0.0.1:{site.auto_port}")


@pytest.mark.parametrize("bearer", ["tcp", "udp", "serial"])
@pytest.mark.parametrize("protocol", RECORDINGS)
def test_every_frame_is_accounted_for(site, cables, bearer, protocol):
    recording: Recording = RECORDINGS[protocol]
    # As fast as acknowledged, so that a datagram does not overtake the login before it.
    result = send(
        *target(site, cables, bearer, protocol), "--speed", "max", *recording.options, recording=recording.text())
    assert result.returncode == 0, result.stdout + result.stderr
    assert (f"acknowledged {recording.acknowledged}, no answer needed {recording.unanswered}, refused 0, "
            "not acknowledged 0, not sent 0") in result.stdout, result.stdout
    assert "p99" in result.stdout
    assert site.wait_incident(recording.terminal)


def test_recorded_times_are_kept(site):
    """Three frames, 300 ms apart, at double speed."""
    recording = RECORDINGS["watch"]
    began = time.monotonic()
    result = send(
        "--tcp", f"127.0.0.1:{site.auto_port}", "--speed", "2", recording=recording.text(gap_milliseconds=300))
    took = time.monotonic() - began
    assert result.returncode == 0, result.stdout
    assert 0.3 <= took, result.stdout


@pytest.mark.parametrize("bearer", ["tcp", "udp"])
def test_what_nobody_answers_is_said(site, bearer):
    """A GT06 terminal that never logs in is not answered, so that it would log in."""
    recording = RECORDINGS["gt06"]
    result = send(
        f"--{bearer}", f"127.0.0.1:{site.auto_port}", "--timeout", "300", recording=recording.frames[4].hex() + "\n")
    assert result.returncode == 3
    assert "not acknowledged 1" in result.stdout and "no answer within 300 ms" in result.stdout, result.stdout


def test_a_mixed_recording_goes_out_in_lanes(site):
    """All protocols in one file: each terminal has a connection of its own."""
    text = "".join(recording.text() for recording in RECORDINGS.values())
    result = send("--tcp", f"127.0.0.1:{site.auto_port}", "--speed", "max", "--register", recording=text)
    assert result.returncode == 0, result.stdout
    expected = sum(recording.acknowledged for recording in RECORDINGS.values())
    assert f"acknowledged {expected}," in result.stdout, result.stdout


def test_a_line_speaks_one_protocol(cables):
    text = "".join(recording.text() for recording in RECORDINGS.values())
    result = send("--serial", cables["gt06"].paths[1], recording=text)
    assert result.returncode == 2
    assert "speaks one protocol" in result.stderr
