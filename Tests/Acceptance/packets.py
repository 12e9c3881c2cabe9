"""Packets and packet captures, made by hand from the standards: the other end of `framereplay capture`."""

import struct

ETHERNET, RAW, COOKED, COOKED2, LOOPBACK = 1, 101, 113, 276, 0
SYN, ACK, FIN, RST, PSH = 0x02, 0x10, 0x01, 0x04, 0x08


def ipv4(source: str, target: str, protocol: int, body: bytes, fragment: int = 0) -> bytes:
    pack = lambda address: bytes(map(int, address.split(".")))
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, fragment, 64, protocol, 0, pack(source), pack(target))
    return header + body


def ipv6(source: bytes, target: bytes, protocol: int, body: bytes, hop_by_hop: bool = False) -> bytes:
    if hop_by_hop:
        body = bytes([protocol, 0, 1, 4, 0, 0, 0, 0]) + body
        protocol = 0
    return struct.pack(">IHBB16s16s", 6 << 28, len(body), protocol, 64, source, target) + body


def tcp(source: int, target: int, sequence: int, body: bytes = b"", flags: int = ACK | PSH, options: bytes = b"") -> bytes:
    offset = 5 + len(options) // 4
    return struct.pack(
        ">HHIIBBHHH", source, target, sequence & 0xFFFFFFFF, 0, offset << 4, flags, 65535, 0, 0) + options + body


def udp(source: int, target: int, body: bytes) -> bytes:
    return struct.pack(">HHHH", source, target, 8 + len(body), 0) + body


def ethernet(packet: bytes, *vlans: int) -> bytes:
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    tags = b"".join(b"\x81\x00" + struct.pack(">H", vlan) for vlan in vlans)
    return bytes(12) + tags + kind + packet


def cooked(packet: bytes) -> bytes:
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + packet


def cooked2(packet: bytes) -> bytes:
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    return struct.pack(">HHIHBB8s", kind, 0, 1, 1, 0, 6, bytes(8)) + packet


def loopback(packet: bytes) -> bytes:
    return struct.pack("<I", 2 if packet[0] >> 4 == 4 else 10) + packet


def pcap(link: int, packets: list[tuple[float, bytes]], order: str = "<", nanoseconds: bool = False, snap: int = 65535) -> bytes:
    magic, unit = (0xA1B23C4D, 1e9) if nanoseconds else (0xA1B2C3D4, 1e6)
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for at, packet in packets:
        kept = packet[:snap]
        out += struct.pack(order + "IIII", int(at), round(round(at % 1, 3) * unit), len(kept), len(packet)) + kept
    return out


def pcapng(link: int, packets: list[tuple[float, bytes]]) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", link, 0, 65535))
    for at, packet in packets:
        stamp = round(at * 1000) * 1000
        out += block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), len(packet)) + packet)
    return out
