"""Terminals over UDP, and ports where the frames tell which protocol is spoken."""

import random
import re
import socket
import threading

import pytest

import ev07b_terminal
from dc09_panel import Panel
from ev07b_terminal import Pendant
from gt06_terminal import GT06Terminal
from jt808_terminal import Fix, SocketLine, Terminal, noise
from site_under_test import Site, eventually, free_port
from watch_terminal import Watch


class UDPLine:
    """Datagrams to one port as a line of bytes."""

    def __init__(self, port: int):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.descriptor = self.socket.fileno()

    def write(self, data: bytes):
        self.socket.send(data)

    def shutdown(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.socket.close()


def press_of_jt808(line, number: int) -> str:
    """Logs in and presses; returns the id when both are acknowledged."""
    phone = f"0180900000{number:02}"
    with Terminal(line, phone) as terminal:
        terminal.log_in()
        assert terminal.request(terminal.sos()), "the SOS is acknowledged"
    return phone.lstrip("0")


def press_of_watch(line, number: int) -> str:
    identity = f"10000001{number:02}"
    with Watch(line, identity) as watch:
        assert watch.link_keep()
        assert watch.request(watch.sos(), "AL"), "the SOS is acknowledged"
    return identity


def press_of_ev07b(line, number: int) -> str:
    imei = f"8600000001001{number:02}"
    with Pendant(line, imei) as pendant:
        assert pendant.is_acknowledged(pendant.report(alarms=ev07b_terminal.SOS)), "the SOS is acknowledged"
    return imei


def press_of_gt06(line, number: int) -> str:
    imei = f"8600000002001{number:02}"
    with GT06Terminal(line.socket, imei) as terminal:
        assert terminal.log_in()
        assert terminal.request(terminal.alarm()), "the SOS is acknowledged"
    return imei


def press_of_dc09(line, number: int) -> str:
    account = f"2001{number:02}"
    with Panel(line, account) as panel:
        assert panel.request(panel.contact_id("101")).name == "ACK", "the SOS is acknowledged"
    return account


PRESSES = {
    "dc09": press_of_dc09, "ev07b": press_of_ev07b, "gt06": press_of_gt06, "jt808": press_of_jt808, "watch": press_of_watch}


@pytest.fixture(scope="module")
def site(new_shared_site) -> Site:
    port = free_port()
    site = new_shared_site(
        extra=f'[[listener]]\nprotocol = "auto"\ntcp = "127.0.0.1:{port}"\nudp = "127.0.0.1:{port}"\n')
    site.auto_port = port
    site.start()
    return site


def open_peers(site: Site) -> float:
    _, _, text = site.raw("GET", "/metrics")
    return float(re.search(r'^yidiantong_connections_open{transport="udp"} (\S+)$', text, re.MULTILINE)[1])


def test_an_sos_over_udp_goes_the_whole_way(site):
    with Terminal(UDPLine(site.auto_port), "018080000001") as terminal:
        terminal.log_in()
        assert terminal.request(terminal.location(Fix(latitude=28.1)))
        sos = terminal.sos()
        assert terminal.request(sos)
        incident = site.wait_incident("18080000001")
        assert terminal.request(sos), "sent again, it is acknowledged again"
        assert len(site.incidents_of("18080000001")) == 1
        view = site.api("GET", "/v1/terminals/18080000001")
        assert view["bearer"] == "udp"
        site.acknowledge(incident["id"])
        assert terminal.wait_for(lambda frame: frame.message == 0x8203), "a human has taken over"
        eventually(lambda: any("已接警" in text for text in terminal.texts()), 10, "the spoken text")


def test_another_address_displaces_the_old_one(site):
    phone = "018080000002"
    with Terminal(UDPLine(site.auto_port), phone) as old:
        old.log_in()
        with Terminal(UDPLine(site.auto_port), phone) as new:
            assert new.request(new.heartbeat())
            site.api(
                "POST", f"/v1/terminals/{phone.lstrip('0')}/commands", {"operator": "op-1", "command": "locate"})
            assert new.wait_for(lambda frame: frame.message == 0x8201)
            assert old.wait_for(lambda frame: frame.message == 0x8201, 0.3) is None


def test_garbage_over_udp_is_not_answered_and_leaves_nothing(site):
    before = site.status()["terminals_known"], open_peers(site)
    source = random.Random(20260314)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", site.auto_port))
        for _ in range(500):
            stranger.send(noise(source))
        stranger.settimeout(0.3)
        with pytest.raises((TimeoutError, socket.timeout)):
            stranger.recv(2048)
    assert (site.status()["terminals_known"], open_peers(site)) == before


def test_one_port_serves_every_protocol_at_once_under_garbage(site):
    """Each terminal's connection begins with garbage; strangers send nothing else all the time."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    stop = threading.Event()

    def strangers():
        source = random.Random(seed)
        while not stop.is_set():
            line = SocketLine(site.auto_port)
            try:
                for _ in range(20):
                    line.write(noise(source))
            except OSError:
                pass
            finally:
                line.close()

    threads = [threading.Thread(target=strangers) for _ in range(3)]
    for thread in threads:
        thread.start()
    failures: list[str] = []

    def press(name: str, number: int):
        source = random.Random(seed + number)
        line = SocketLine(site.auto_port)
        for _ in range(number % 4):
            # JT/T 808 checks with one byte: noise between two of its flags is a frame now and then, and is answered, which
            # simulated terminals of other protocols do not expect.
            line.write(noise(source).replace(b"\x7e", b""))
        try:
            terminal = PRESSES[name](line, number)
            site.wait_incident(terminal)
        except (AssertionError, OSError) as error:
            failures.append(f"{name} {number}: {error}")

    terminals = [
        threading.Thread(target=press, args=(name, number)) for number in range(12) for name in PRESSES]
    for thread in terminals:
        thread.start()
    for thread in terminals:
        thread.join()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
