extension TerminalID {
    /// Stands for a terminal that never said who it is, told apart from others of its kind by the address it speaks from.
    ///
    ///     ffff | IPv4 address 12, three digits an octet | f | port 5          ffff127000000001f04711
    ///     fffe | hash 13 of an IPv6 address or a path | port 5
    ///
    /// 22 digits: no protocol's own identity is as long (a JT/T 808 phone has 20), so that none is taken for it.
    public static func nameless(at peer: PeerAddress) -> TerminalID {
        switch peer {
        case .ipv4(let address, let port):
            let octets = [24, 16, 8, 0].map { UInt64(UInt8(truncatingIfNeeded: address >> UInt32($0))) }
            let place = octets.reduce(0) { $0 << 12 | decimal($1) }
            return TerminalID(nibbles: 0xFFFF << 72 | UInt128(place) << 24 | 0xF << 20 | UInt128(decimal(UInt64(port))))
        case .ipv6(_, _, _, let port): return hashed(peer, port: port)
        case .path: return hashed(peer, port: 0)
        }
    }

    /// True for an identity that `nameless(at:)` made up.
    public var isNameless: Bool { nibbles >> 73 == 0x7FFF }

    /// FNV-1a over the whole address.
    private static func hashed(_ peer: PeerAddress, port: UInt16) -> TerminalID {
        let hash = peer.description.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return TerminalID(nibbles: 0xFFFE << 72 | UInt128(hash >> 12) << 20 | UInt128(decimal(UInt64(port))))
    }

    /// Each decimal digit in four bits.
    private static func decimal(_ number: UInt64) -> UInt64 {
        var rest = number
        var digits: UInt64 = 0
        var place: UInt64 = 0
        while rest > 0 {
            digits |= (rest % 10) << place
            rest /= 10
            place += 4
        }
        return digits
    }
}
