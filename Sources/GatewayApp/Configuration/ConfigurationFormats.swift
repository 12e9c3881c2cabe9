import Glibc

/// The small text formats that configuration values are written in.
enum ConfigurationFormats {
    static let listenAddressAllowed =
        "ADDRESS:PORT with a numeric address and a port from 1 to 65535, for example \"0.0.0.0:6808\" or \"[::]:6808\""
    static let gpsdAddressAllowed =
        "ADDRESS:PORT with a numeric address, for example \"127.0.0.1:2947\", where gpsd listens"
    static let targetNameAllowed = "1 to 64 characters out of a-z, 0-9, '-', '_' and '.'"
    static let urlAllowed = "an http:// or https:// URL with a host and without a user name or fragment"
    static let absolutePathAllowed = "an absolute path"
    static let socketPathAllowed = "an absolute path of at most 107 bytes"
    static let addressAllowed =
        "an IPv4 or IPv6 address in numbers, or one with a prefix length, for example \"10.1.0.0/16\""
    static let timeOfDayAllowed = "a time of day from \"00:00\" to \"23:59\""

    /// Minutes after midnight of a time written `HH:MM`.
    static func minute(of text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    static func listenAddress(_ text: String) -> ListenAddress? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: colon)...]
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(portText),
            (1...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard isIPv6(host) else { return nil }
        } else {
            guard isIPv4(host) else { return nil }
        }
        return ListenAddress(host: host, port: port)
    }

    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = parts.first.map(String.init) else { return false }
        let bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : nil
        guard let bits else { return false }
        guard parts.count == 2 else { return true }
        guard let prefix = Int(parts[1]), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return (0...bits).contains(prefix)
    }

    static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    static func isTargetName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2D, 0x5F, 0x2E].contains(byte)
            }
    }

    static func isAbsolutePath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= 4095 && !text.utf8.contains(0)
    }

    static func isSocketPath(_ text: String) -> Bool {
        isAbsolutePath(text) && text.utf8.count <= 107
    }

    /// Scheme, host, optional port and path; anything that could smuggle a second meaning is refused.
    static func isWebhookURL(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#"), !text.contains("\\") else {
            return false
        }
        let rest: Substring
        if text.hasPrefix("https://") {
            rest = text.dropFirst(8)
        } else if text.hasPrefix("http://") {
            rest = text.dropFirst(7)
        } else {
            return false
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { return false }
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]"), isIPv6(String(authority[..<end].dropFirst())) else {
                return false
            }
            return isPortSuffix(authority[authority.index(after: end)...])
        }
        let host = authority.prefix { $0 != ":" }
        return !host.isEmpty && isPortSuffix(authority.dropFirst(host.count))
    }

    private static func isPortSuffix(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.hasPrefix(":"), let port = Int(text.dropFirst()) else { return false }
        return (1...65_535).contains(port)
    }
}
