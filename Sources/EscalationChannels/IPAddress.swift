import Glibc
import NIOCore

/// An Internet address as a number; an IPv4 address inside an IPv6 one is the IPv4 address.
enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt128)

    /// nil for Unix sockets.
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }

    /// Reads dotted or colon form, without port, brackets or zone.
    init?(_ text: some StringProtocol) {
        let text = String(text)
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self = .v4(bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) })
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self = Self.unmapped(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        } else {
            return nil
        }
    }

    /// Source: RFC 4291 section 2.5.5 (mapped), RFC 6052 section 2.1 (NAT64), RFC 3056 section 2 (6to4).
    private static func unmapped(_ value: UInt128) -> IPAddress {
        if value >> 32 == 0xFFFF || value >> 32 == 0x0064_FF9B << 64 { return .v4(UInt32(truncatingIfNeeded: value)) }
        if value >> 112 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: value >> 80)) }
        return .v6(value)
    }

    /// Not an address of the public Internet: loopback, private, link-local, shared, multicast, reserved.
    ///
    /// Source: IANA special-purpose address registries for IPv4 and IPv6.
    var isSpecial: Bool {
        Self.special.contains { $0.contains(self) }
    }

    private static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/32", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { AddressRange($0) }
}

/// A block of addresses in CIDR form, or one address.
public struct AddressRange: Hashable, Sendable {
    private let base: IPAddress
    private let prefixLength: Int

    /// Reads `10.1.0.0/16`, `10.1.2.3`, `fd00::/8`, `::1`; nil for anything else. Bits after the prefix are ignored.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let base = IPAddress(first) else { return nil }
        let width =
            switch base {
            case .v4: 32
            case .v6: 128
            }
        self.base = base
        guard parts.count == 2 else {
            self.prefixLength = width
            return
        }
        guard let length = Int(parts[1]), (0...width).contains(length) else { return nil }
        self.prefixLength = length
    }

    func contains(_ address: IPAddress) -> Bool {
        switch (base, address) {
        case (.v4(let base), .v4(let address)): (base ^ address) >> UInt32(32 - prefixLength) == 0
        case (.v6(let base), .v6(let address)): (base ^ address) >> UInt128(128 - prefixLength) == 0
        default: false
        }
    }
}
