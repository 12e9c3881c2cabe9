"""Raw bytes recorded by a gateway or from the wire become frames again, and go to a second gateway as the same events."""

import json
import os
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

import packets
from packets import ACK, FIN, SYN, ethernet, ipv4, ipv6, tcp, udp
from recordings import Cable, Recording, corpus, recordings
from site_under_test import Site, eventually, free_port, programs

RECORDINGS = {recording.protocol: recording for recording in recordings()}
TERMINAL, GATEWAY, PORT = "192.0.2.7", "198.51.100.1", 6808
FRAMES = RECORDINGS["gt06"].frames
UPLINK = [FRAMES[index] for index in (0, 2, 3, 4)]


def tool(*arguments, text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [programs() / "framereplay", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60)


def pieces(text: str) -> list[dict]:
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0] == {"capture": "yidiantong", "version": 1}
    return lines[1:]


def incoming(found: list[dict]) -> list[str]:
    return [piece["bytes"] for piece in found if piece["direction"] == "in"]


# A gateway that records


def recording_site(new_site, extra: str = "", port_keys: str = "capture = true", **options) -> Site:
    port = free_port()
    site = new_site(
        extra=f'[[listener]]\nprotocol = "auto"\ntcp = "127.0.0.1:{port}"\nudp = "127.0.0.1:{port}"\n{port_keys}\n{extra}',
        **options)
    site.auto_port = port
    site.captures = site.state / "captures"
    return site


def play(site: Site, recording: Recording, bearer: str = "tcp"):
    result = tool(
        "send", f"--{bearer}", f"127.0.0.1:{site.auto_port}", "--speed", "max", *recording.options, "-",
        text=recording.text())
    assert result.returncode == 0, result.stdout + result.stderr


def files(site: Site) -> list[Path]:
    return sorted(site.captures.glob("capture-*.jsonl")) if site.captures.exists() else []


def converted(site: Site) -> list[dict]:
    result = tool("capture", *files(site))
    assert result.returncode == 0, result.stderr
    return pieces(result.stdout)


def played(recording: Recording) -> list[str]:
    """What of a recording reaches the gateway."""
    down = {frame.hex() for frame in corpus("GT06", "login-ack", "alarm-26-ack")}
    return [frame.hex() for frame in recording.frames if frame.hex() not in down]


@pytest.mark.parametrize("bearer", ["tcp", "udp"])
def test_a_capture_sent_to_a_second_gateway_gives_the_same_events(new_site, bearer):
    first, second = recording_site(new_site), recording_site(new_site)
    first.start()
    for recording in RECORDINGS.values():
        play(first, recording, bearer)
    first.stop()
    for file in files(first):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "personal data"
    found = converted(first)
    assert {piece["transport"] for piece in found} == {bearer}
    assert {piece["protocol"] for piece in found} == set(RECORDINGS)
    assert {piece["direction"] for piece in found} == {"in", "out"}
    for protocol in ("ev07b", "gt06", "watch"):
        own = [piece["bytes"] for piece in found if piece["protocol"] == protocol and piece["direction"] == "in"]
        assert own == played(RECORDINGS[protocol]), protocol

    # Sent again as recorded, without the answers of the first gateway.
    second.start()
    again = second.directory / "again.jsonl"
    again.write_text(tool("capture", *files(first)).stdout)
    sent = tool("send", f"--{bearer}", f"127.0.0.1:{second.auto_port}", "--speed", "max", "--register", again)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    for recording in RECORDINGS.values():
        assert second.wait_incident(recording.terminal)
    second.stop()

    def events(site: Site) -> dict:
        """What terminals say, without logins, which are fresh in each run."""
        result = tool("decode", *files(site))
        assert result.returncode == 0, result.stdout
        own = {}
        for line in map(json.loads, result.stdout.splitlines()):
            # A panel's frames are stamped anew whenever they are sent.
            if line["protocol"] == "dc09":
                for stamped in ("device_time", "historical"):
                    line.pop(stamped, None)
            if line.get("kind") in ("report", "alarm", "heartbeat") and line["protocol"] != "jt808":
                own.setdefault(line["protocol"], []).append(line)
            elif line.get("kind") == "report":
                line.pop("sequence")
                own.setdefault("jt808", []).append(line)
        return own

    assert events(second) == events(first)
    assert set(events(first)) == set(RECORDINGS)


def test_nothing_is_recorded_by_default(new_site):
    site = recording_site(new_site, port_keys="")
    site.start()
    play(site, RECORDINGS["gt06"])
    assert "ydt-capture" not in threads(site), "the writer is not even there"
    site.stop()
    assert not site.captures.exists()


def threads(site: Site) -> set[str]:
    return {Path(path, "comm").read_text().strip() for path in Path(f"/proc/{site.process.pid}/task").iterdir()}


@pytest.mark.parametrize("bearer", ["tcp", "udp"])
def test_one_terminal_alone(new_site, bearer):
    """From the frame in which it says who it is, and nobody else."""
    chosen = RECORDINGS["gt06"]
    site = recording_site(new_site, port_keys="", extra=f'[capture]\nterminals = ["{chosen.terminal}"]\n')
    site.start()
    for recording in RECORDINGS.values():
        play(site, recording, bearer)
    site.stop()
    found = converted(site)
    assert incoming(found) == played(chosen)
    assert [piece["bytes"] for piece in found if piece["direction"] == "out"], "the answers too"


def test_a_serial_line(new_site):
    cable = Cable()
    try:
        site = new_site(extra=f'[[serial]]\npath = "{cable.paths[0]}"\nprotocol = "watch"\ncapture = true\n')
        site.captures = site.state / "captures"
        site.start()
        recording = RECORDINGS["watch"]
        sent = tool("send", "--serial", cable.paths[1], "--speed", "max", "-", text=recording.text())
        assert sent.returncode == 0, sent.stdout + sent.stderr
        site.stop()
        found = converted(site)
        assert incoming(found) == played(recording)
        assert {(piece["transport"], piece["listener"]) for piece in found} == {("serial", cable.paths[0])}
    finally:
        cable.close()


def test_recording_is_switched_by_a_reload(new_site):
    site = recording_site(new_site, port_keys="capture = false")
    site.start()

    def switch(value: str):
        text = site.configuration.read_text()
        site.configuration.write_text(text.replace("capture = false", f"capture = {value}").replace(
            "capture = true", f"capture = {value}"))
        before = site.log.read_text().count("is in force")
        site.process.send_signal(signal.SIGHUP)
        eventually(lambda: site.log.read_text().count("is in force") > before, what="the reload")

    play(site, RECORDINGS["watch"])
    switch("true")
    play(site, RECORDINGS["gt06"])
    eventually(lambda: files(site), what="a capture file")
    switch("false")
    play(site, RECORDINGS["ev07b"])
    site.stop()
    assert {piece["protocol"] for piece in converted(site)} == {"gt06"}


def test_the_files_are_bounded(new_site):
    """More is said than two files hold: the oldest goes, and all together stay within their bound."""
    site = recording_site(
        new_site, extra="[capture]\nmaximum_file_megabytes = 1\nmaximum_total_megabytes = 2\n")
    site.start()
    heartbeats = [RECORDINGS["gt06"].frames[0].hex()] + [RECORDINGS["gt06"].frames[2].hex()] * 20_000
    text = "\n".join(heartbeats) + "\n"
    result = tool("send", "--tcp", f"127.0.0.1:{site.auto_port}", "--speed", "max", "-", text=text)
    assert result.returncode == 0, result.stdout[-2000:]
    site.stop()
    sizes = [file.stat().st_size for file in files(site)]
    assert len(sizes) == 2 and all(size <= 1 << 20 for size in sizes), sizes
    assert not any(path for path in site.captures.iterdir() if path not in files(site))


def test_a_failing_disk_costs_only_the_recording(new_site, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    site = recording_site(new_site, extra=f'[capture]\ndirectory = "{blocked}/captures"\n')
    site.start()
    play(site, RECORDINGS["gt06"])
    eventually(lambda: "capture_failed" in site.log.read_text(), what="a word in the log")
    metrics = site.raw("GET", "/metrics")[2]
    lost = next(line for line in metrics.splitlines() if line.startswith('yidiantong_capture_bytes_total{outcome="disk_error"}'))
    assert float(lost.split()[-1]) > 0


# The wire


def test_what_tcpdump_has_seen(new_site, tmp_path):
    """A real capture of real traffic on this machine."""
    if not shutil.which("tcpdump") or os.geteuid() != 0:
        pytest.skip("tcpdump needs to be there and root")
    site = recording_site(new_site, port_keys="")
    site.start()
    file = tmp_path / "lo.pcap"
    dump = subprocess.Popen(
        ["tcpdump", "-i", "lo", "--immediate-mode", "-U", "-s", "0", "-w", file, "port", str(site.auto_port)], stderr=subprocess.PIPE, text=True)
    try:
        assert "listening" in dump.stderr.readline()
        for bearer in ("tcp", "udp"):
            play(site, RECORDINGS["gt06"], bearer)
        time.sleep(0.5)
    finally:
        dump.send_signal(signal.SIGINT)
        dump.communicate(timeout=10)
    result = tool("capture", "--port", site.auto_port, file)
    assert result.returncode == 0, result.stderr
    found = pieces(result.stdout)
    for transport in ("tcp", "udp"):
        own = [piece for piece in found if piece["transport"] == transport]
        assert incoming(own) == played(RECORDINGS["gt06"]), transport
        assert [piece["bytes"] for piece in own if piece["direction"] == "out"], transport


def conversation(*segments: tuple[int, bytes], start: int = 1000) -> list[bytes]:
    """A connection whose segments of the terminal stand at these offsets."""
    up = lambda sequence, body=b"", flags=ACK: ipv4(TERMINAL, GATEWAY, 6, tcp(40000, PORT, sequence, body, flags))
    down = lambda flags: ipv4(GATEWAY, TERMINAL, 6, tcp(PORT, 40000, 77, b"", flags))
    return [up(start, flags=SYN), down(SYN | ACK), up(start + 1),
            *(up(start + 1 + offset, body) for offset, body in segments), up(start + 1 + 10_000, flags=FIN | ACK)]


def capture_of(tmp_path: Path, sent: list[bytes], wrap=ethernet, link=packets.ETHERNET, *options, write=packets.pcap, **how):
    file = tmp_path / "site.pcap"
    file.write_bytes(write(link, [(1_700_000_000 + index / 10, wrap(packet)) for index, packet in enumerate(sent)], **how))
    return tool("capture", *(options or ("--port", PORT)), file)


WHOLE = b"".join(UPLINK)


@pytest.mark.parametrize("start", [1000, 0xFFFFFFF0], ids=["", "sequence numbers go round"])
@pytest.mark.parametrize(
    "segments",
    [
        [(0, WHOLE)],
        [(0, WHOLE[:30]), (30, WHOLE[30:])],
        [(30, WHOLE[30:]), (0, WHOLE[:30])],
        [(0, WHOLE[:30]), (0, WHOLE[:30]), (30, WHOLE[30:]), (30, WHOLE[30:])],
        [(0, WHOLE[:40]), (20, WHOLE[20:70]), (60, WHOLE[60:])],
        [(50, WHOLE[50:]), (10, WHOLE[10:60]), (0, WHOLE[:20])],
        [(index, WHOLE[index:index + 1]) for index in range(len(WHOLE))],
    ],
    ids=["whole", "two", "swapped", "sent twice", "overlapping", "overlapping backwards", "byte by byte"])
def test_tcp_is_put_in_order(tmp_path, segments, start):
    result = capture_of(tmp_path, conversation(*segments, start=start))
    assert result.returncode == 0, result.stderr
    assert incoming(pieces(result.stdout)) == [frame.hex() for frame in UPLINK]


def test_a_gap_is_said_and_the_rest_goes_on(tmp_path):
    first = len(UPLINK[0])
    lost = len(UPLINK[1]) + 5
    result = capture_of(tmp_path, conversation((0, WHOLE[:first]), (first + lost, WHOLE[first + lost:])))
    assert result.returncode == 3
    assert f"gaps: 1, of {lost} bytes" in result.stderr, result.stderr
    found = pieces(result.stdout)
    assert [piece["bytes"] for piece in found if piece["bytes"] in {frame.hex() for frame in UPLINK}] == [
        UPLINK[0].hex(), UPLINK[3].hex()]
    assert [piece["missing"] for piece in found if "missing" in piece] == [lost]
    assert sum(len(piece["bytes"]) // 2 for piece in found) == len(WHOLE) - lost, "nothing that is there is lost"


def test_a_connection_whose_beginning_was_not_seen(tmp_path):
    result = capture_of(tmp_path, conversation((0, WHOLE))[3:])
    assert result.returncode == 3
    found = pieces(result.stdout)
    assert incoming(found) == [frame.hex() for frame in UPLINK]
    assert found[0]["missing"] == "unknown"


def test_the_same_ports_again_are_another_session(tmp_path):
    result = capture_of(tmp_path, conversation((0, WHOLE)) + conversation((0, WHOLE), start=900_000_000))
    assert result.returncode == 0, result.stderr
    found = pieces(result.stdout)
    assert incoming(found) == [frame.hex() for frame in UPLINK] * 2
    assert len({piece["session"] for piece in found}) == 2


@pytest.mark.parametrize(
    "wrap, link",
    [
        (ethernet, packets.ETHERNET), (lambda packet: ethernet(packet, 7), packets.ETHERNET),
        (lambda packet: ethernet(packet, 7, 8), packets.ETHERNET),
        (lambda packet: ethernet(packet) + bytes(6), packets.ETHERNET), (packets.cooked, packets.COOKED),
        (packets.cooked2, packets.COOKED2), (lambda packet: packet, packets.RAW), (packets.loopback, packets.LOOPBACK),
    ],
    ids=["ethernet", "vlan", "two vlans", "padded", "cooked", "cooked 2", "raw", "loopback"])
@pytest.mark.parametrize("family", [4, 6])
def test_link_layers(tmp_path, wrap, link, family):
    six = lambda body, kind: ipv6(bytes(15) + b"\x01", bytes(15) + b"\x02", kind, body, hop_by_hop=True)
    four = lambda body, kind: ipv4(TERMINAL, GATEWAY, kind, body)
    internet = four if family == 4 else six
    sent = [internet(udp(40000, PORT, UPLINK[0]), 17)]
    sent += [internet(udp(40000, PORT, frame), 17) for frame in UPLINK[1:]]
    sent += [internet(tcp(40001, PORT, 99, flags=SYN), 6), internet(tcp(40001, PORT, 100, WHOLE, options=bytes(12)), 6)]
    result = capture_of(tmp_path, sent, wrap, link)
    assert result.returncode == 0, result.stderr
    assert incoming(pieces(result.stdout)) == [frame.hex() for frame in UPLINK] * 2


@pytest.mark.parametrize(
    "how", [{}, {"order": ">"}, {"nanoseconds": True}, {"write": packets.pcapng}], ids=["", "swapped", "nanoseconds", "pcapng"])
def test_forms_of_files(tmp_path, how):
    result = capture_of(tmp_path, conversation((0, WHOLE)), **how)
    assert result.returncode == 0, result.stderr
    found = pieces(result.stdout)
    assert incoming(found) == [frame.hex() for frame in UPLINK]
    assert found[0]["time"] == "2023-11-14T22:13:20.300Z"


def test_others_on_the_wire_are_left_out_and_counted(tmp_path):
    web = ipv4(TERMINAL, GATEWAY, 6, tcp(50000, 80, 1, b"GET / HTTP/1.1\r\n\r\n"))
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    fragment = ipv4(TERMINAL, GATEWAY, 17, udp(40000, PORT, bytes(20)), fragment=0x2000)
    sent = [ethernet(packet) for packet in [*conversation((0, WHOLE)), web, fragment]] + [arp, ethernet(web)[:40]]
    file = tmp_path / "site.pcap"
    file.write_bytes(packets.pcap(packets.ETHERNET, [(index, packet) for index, packet in enumerate(sent)]))
    result = tool("capture", file)
    assert result.returncode == 3, "a fragment and a broken packet"
    assert incoming(pieces(result.stdout)) == [frame.hex() for frame in UPLINK]
    assert "of others 1, fragments 1, broken 1" in result.stderr, result.stderr
    assert "not of terminals: 1 sessions of 18 bytes" in result.stderr, result.stderr


def test_bytes_outside_of_frames_stay(tmp_path):
    noise = b"\x00\x01hello"
    broken = UPLINK[1][:-3] + b"\x99" + UPLINK[1][-2:]
    stream = UPLINK[0] + noise + UPLINK[2] + broken + UPLINK[3]
    result = capture_of(tmp_path, conversation((0, stream)))
    assert result.returncode == 3
    assert "".join(incoming(pieces(result.stdout))) == stream.hex()
    assert "3 frames" in result.stderr and "1 broken" in result.stderr and f"{len(noise)} other bytes" in result.stderr


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "an empty file"), (b"\x89PNG\r\n\x1a\n....", "89 50 4e 47"), (b"just text", '"just tex"'),
        (packets.pcap(packets.ETHERNET, [(1, ethernet(conversation((0, WHOLE))[3]))])[:-5], "damaged"),
        (packets.pcap(147, []), "link layer"), (b'{"capture":"yidiantong","version":2}\n', "version 2"),
        (b'{"time":"2026-03-14T02:10:12Z","session":"a","direction":"up","bytes":"7e"}\n', 'direction: found "up"'),
        (b'{"capture":"yidiantong","version":1}\n{"time":"now"}\n', ':2: time: found "now"'),
        (b'{"time":"2026-03-14T02:10:12Z","session":"a","direction":"in","bytes":"7"}\n', "hexadecimal"),
        (b'{"capture":\n', "expected a JSON object"),
    ])
def test_files_that_are_something_else(tmp_path, content, said):
    file = tmp_path / "file"
    file.write_bytes(content)
    result = tool("capture", file)
    assert result.returncode == 2, result.stdout + result.stderr
    assert said in result.stderr and str(file) in result.stderr, result.stderr


# Sharing


def test_an_anonymous_capture_says_nothing_of_anybody(new_site, tmp_path):
    site = recording_site(new_site)
    site.start()
    for recording in RECORDINGS.values():
        play(site, recording)
    site.stop()
    real = tool("capture", *files(site))
    anonymous = tool("capture", "--anonymise", *files(site))
    assert anonymous.returncode == 0, anonymous.stderr
    before, after = pieces(real.stdout), pieces(anonymous.stdout)
    assert 0 < len(after) <= len(before)
    file = tmp_path / "anonymous.jsonl"
    file.write_text(anonymous.stdout)
    decoded = tool("decode", "--fields", file)
    assert decoded.returncode == 0, decoded.stdout
    shown = anonymous.stdout + decoded.stdout + bytes.fromhex("".join(piece["bytes"] for piece in after)).decode("latin1")
    # The six digits of the panel may stand anywhere in hex, but not as its account.
    terminals = ["#100001".encode().hex() if one == "100001" else one for one in (each.terminal for each in RECORDINGS.values())]
    for secret in [*terminals, "127.0.0.1", "PA00001", "28.2345", "112.98"]:
        assert secret not in shown, secret
    # One terminal stays one, and an alarm an alarm.
    events = [json.loads(line) for line in decoded.stdout.splitlines()]
    original = [json.loads(line) for line in tool("decode", *files(site)).stdout.splitlines()]
    assert {event["protocol"] for event in events} == set(RECORDINGS)
    sos = lambda lines: sorted(line["protocol"] for line in lines if "sos" in line.get("alarms", []))
    assert sos(events) == sos(original) and sos(events)
    people = lambda lines: {(line["protocol"], line["terminal"]) for line in lines if line["terminal"] != "0"}
    assert len(people(events)) == len(people(original))
    assert not people(events) & people(original)
    # A second run has other secrets.
    assert tool("capture", "--anonymise", *files(site)).stdout != anonymous.stdout
