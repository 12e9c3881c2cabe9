internal import TerminalModel

/// One side of a flow.
struct PacketEndpoint: Hashable, CustomStringConvertible {
    let address: PeerAddress

    var port: UInt16 {
        switch address {
        case .ipv4(_, let port), .ipv6(_, _, _, let port): port
        case .path: 0
        }
    }

    var description: String { "\(address)" }
}

/// What a packet carries for us.
enum PacketContent {
    case tcp(PacketSegment)
    case udp(from: PacketEndpoint, to: PacketEndpoint, bytes: [UInt8], lacking: Int)
    /// A part of an IP packet; parts are not put together.
    case fragment
    /// Something else: ARP, ICMP and the like.
    case other
    /// Shorter than its headers say.
    case broken
}

struct PacketSegment {
    let from: PacketEndpoint
    let to: PacketEndpoint
    let sequence: UInt32
    let isFirst: Bool
    let isAcknowledgement: Bool
    let isLast: Bool
    let isReset: Bool
    let bytes: [UInt8]
}

/// Takes the layers off a packet.
///
///     Ethernet 14 | VLAN 4 ... | IPv4 20...60 or IPv6 40 with extensions | TCP 20...60 or UDP 8 | bytes
///
/// Source: IEEE 802.3 and 802.1Q, RFC 791, 8200, 9293, 768; LINKTYPE_LINUX_SLL and SLL2 of the pcap project.
struct PacketLayers {
    private enum EtherType {
        static let ipv4: UInt16 = 0x0800
        static let ipv6: UInt16 = 0x86DD
        static let vlan: Set<UInt16> = [0x8100, 0x88A8, 0x9100]
    }

    private static let maximumTags = 4
    private static let maximumExtensions = 8

    private let bytes: [UInt8]
    private var offset = 0
    /// Where the IP packet says that it ends; below `bytes.count` where the link layer has padding.
    private var end: Int

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        end = bytes.count
    }

    static func content(of packet: PcapFile.Packet, link: PcapFile.Link) -> PacketContent {
        var layers = PacketLayers(packet.bytes)
        return layers.content(link) ?? .broken
    }

    private func has(_ count: Int) -> Bool { count <= bytes.count - offset }

    private func word(_ at: Int) -> UInt16 { UInt16(bytes[offset + at]) << 8 | UInt16(bytes[offset + at + 1]) }

    private func long(_ at: Int) -> UInt32 { UInt32(word(at)) << 16 | UInt32(word(at + 2)) }

    private func quad(_ at: Int) -> UInt64 { UInt64(long(at)) << 32 | UInt64(long(at + 4)) }

    /// Nil when the packet is shorter than it must be.
    private mutating func content(_ link: PcapFile.Link) -> PacketContent? {
        switch link {
        case .ethernet:
            guard has(14) else { return nil }
            let type = word(12)
            offset += 14
            return tagged(type)
        case .cooked:
            guard has(16) else { return nil }
            let type = word(14)
            offset += 16
            return tagged(type)
        case .cooked2:
            guard has(20) else { return nil }
            let type = word(0)
            offset += 20
            return tagged(type)
        case .loopback:
            guard has(4) else { return nil }
            offset += 4
            return internet()
        case .raw: return internet()
        }
    }

    private mutating func tagged(_ type: UInt16) -> PacketContent? {
        var type = type
        var tags = 0
        while EtherType.vlan.contains(type) {
            guard has(4), tags < Self.maximumTags else { return nil }
            type = word(2)
            offset += 4
            tags += 1
        }
        guard type == EtherType.ipv4 || type == EtherType.ipv6 else { return .other }
        return internet()
    }

    private mutating func internet() -> PacketContent? {
        guard has(1) else { return nil }
        switch bytes[offset] >> 4 {
        case 4: return ipv4()
        case 6: return ipv6()
        default: return .other
        }
    }

    private mutating func ipv4() -> PacketContent? {
        guard has(20) else { return nil }
        let header = Int(bytes[offset] & 15) * 4
        let total = Int(word(2))
        guard header >= 20, has(header) else { return nil }
        // 0 where the network card was to cut a large packet.
        guard total == 0 || total >= header else { return nil }
        if total > 0 { end = offset + total }
        let (source, target) = (long(12), long(16))
        guard word(6) & 0x3FFF == 0 else { return .fragment }
        let next = bytes[offset + 9]
        offset += header
        return transport(next) { port, isSource in .ipv4(isSource ? source : target, port: port) }
    }

    private mutating func ipv6() -> PacketContent? {
        guard has(40) else { return nil }
        let length = Int(word(4))
        if length > 0 { end = offset + 40 + length }
        let source = (quad(8), quad(16))
        let target = (quad(24), quad(32))
        var next = bytes[offset + 6]
        offset += 40
        var extensions = 0
        while [0, 43, 44, 51, 60].contains(next) {
            guard has(8), extensions < Self.maximumExtensions else { return nil }
            if next == 44, word(2) & 0xFFF9 != 0 { return .fragment }
            let size = next == 44 ? 8 : next == 51 ? (Int(bytes[offset + 1]) + 2) * 4 : (Int(bytes[offset + 1]) + 1) * 8
            next = bytes[offset]
            guard has(size) else { return nil }
            offset += size
            extensions += 1
        }
        return transport(next) { port, isSource in
            let half = isSource ? source : target
            return .ipv6(high: half.0, low: half.1, scope: 0, port: port)
        }
    }

    private mutating func transport(
        _ number: UInt8, _ address: (UInt16, _ isSource: Bool) -> PeerAddress
    ) -> PacketContent? {
        switch number {
        case 6:
            guard has(20) else { return nil }
            let header = Int(bytes[offset + 12] >> 4) * 4
            guard header >= 20, has(header) else { return nil }
            let flags = bytes[offset + 13]
            let content = PacketSegment(
                from: PacketEndpoint(address: address(word(0), true)),
                to: PacketEndpoint(address: address(word(2), false)), sequence: long(4), isFirst: flags & 0x02 != 0,
                isAcknowledgement: flags & 0x10 != 0, isLast: flags & 0x01 != 0, isReset: flags & 0x04 != 0,
                bytes: body(from: offset + header))
            return .tcp(content)
        case 17:
            guard has(8) else { return nil }
            let length = Int(word(4))
            if length >= 8 { end = min(end, offset + length) }
            return .udp(
                from: PacketEndpoint(address: address(word(0), true)),
                to: PacketEndpoint(address: address(word(2), false)), bytes: body(from: offset + 8),
                lacking: max(0, end - bytes.count))
        default: return .other
        }
    }

    private func body(from start: Int) -> [UInt8] {
        let stop = min(end, bytes.count)
        return start < stop ? Array(bytes[start..<stop]) : []
    }
}
