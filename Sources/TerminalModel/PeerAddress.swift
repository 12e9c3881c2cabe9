/// Where bytes come from, as a value that costs no heap for a network address: a report carries one, text is made when
/// somebody reads it.
public enum PeerAddress: Sendable, Hashable {
    /// The address in host order.
    case ipv4(UInt32, port: UInt16)
    /// The upper and the lower half of the address in host order; `scope` names the interface of a link-local one, else 0.
    case ipv6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)
    /// The path of a serial line.
    case path(String)
}

extension PeerAddress: ExpressibleByStringLiteral {
    public init(stringLiteral path: String) {
        self = .path(path)
    }
}

extension PeerAddress: CustomStringConvertible {
    /// `127.0.0.1:6808`, `[2001:db8::1]:6808` (RFC 5952) or the path.
    public var description: String {
        switch self {
        case .ipv4(let address, let port):
            let bytes = [24, 16, 8, 0].map { "\(UInt8(truncatingIfNeeded: address >> UInt32($0)))" }
            return "\(bytes.joined(separator: ".")):\(port)"
        case .ipv6(let high, let low, let scope, let port):
            let zone = scope == 0 ? "" : "%\(scope)"
            return "[\(Self.text(high: high, low: low))\(zone)]:\(port)"
        case .path(let path): return path
        }
    }

    /// The eight groups without leading zeros; the first longest run of two or more zero groups becomes `::`.
    private static func text(high: UInt64, low: UInt64) -> String {
        let groups = [high, low].flatMap { half in
            [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
        }
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > max(1, longest.count) { longest = start..<index }
            start = index + 1
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return joined(groups[...]) }
        return "\(joined(groups[..<longest.lowerBound]))::\(joined(groups[longest.upperBound...]))"
    }
}
