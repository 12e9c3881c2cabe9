import FoundationEssentials
public import IncidentCore

/// One receiver of webhooks as the configuration describes it.
public struct WebhookTarget: Sendable, Equatable {
    /// The target's name in the configuration, for example `care-hub`.
    public var name: String
    /// `https://…`; `http://…` only with `allowsPlainHTTP`.
    public var url: String
    /// Absolute paths, or names of systemd credentials; the newest secret first, the old one during a change-over.
    public var secretFiles: [String]
    /// A PEM file with the certificates to trust instead of the system's.
    public var certificateAuthorityFile: String?
    /// Private and loopback addresses that this target may have; none by default.
    public var allowedAddresses: [AddressRange]
    /// Permits `http`, and then only to `allowedAddresses`.
    public var allowsPlainHTTP: Bool
    /// Whom the receiver is to reach: with anything but `centre` each notice names them.
    public var audience: Audience
    /// Nothing of a drill or a test press leaves for it, whatever waited for the target before it became one (promise P7).
    public var isEmergencyService: Bool
    /// For name, connection and TLS together.
    public var connectTimeoutMilliseconds: Int
    /// For the whole attempt.
    public var totalTimeoutMilliseconds: Int

    public init(
        name: String, url: String, secretFiles: [String], certificateAuthorityFile: String? = nil,
        allowedAddresses: [AddressRange] = [], allowsPlainHTTP: Bool = false, audience: Audience = .centre,
        isEmergencyService: Bool = false,
        connectTimeoutMilliseconds: Int = 2_000, totalTimeoutMilliseconds: Int = 5_000
    ) {
        self.name = name
        self.url = url
        self.secretFiles = secretFiles
        self.certificateAuthorityFile = certificateAuthorityFile
        self.allowedAddresses = allowedAddresses
        self.allowsPlainHTTP = allowsPlainHTTP
        self.audience = audience
        self.isEmergencyService = isEmergencyService
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.totalTimeoutMilliseconds = totalTimeoutMilliseconds
    }

    /// Throws what is wrong with the members themselves; files are looked at when the channel is made.
    public func validate() throws(ChannelConfigurationError) {
        guard let components = URLComponents(string: url), let scheme = components.scheme?.lowercased(),
            let host = components.host, !host.isEmpty
        else { throw failure("url", "\"\(url)\" is not a URL of the form https://host[:port]/path") }
        guard scheme == "https" || scheme == "http" else {
            throw failure("url", "the scheme \"\(scheme)\" is not allowed; use https")
        }
        guard scheme == "https" || allowsPlainHTTP else {
            throw failure("url", "http is not encrypted; use https, or name the addresses in allow_addresses")
        }
        guard scheme == "https" || !allowedAddresses.isEmpty else {
            throw failure("allow_addresses", "http is allowed only to listed addresses, and none is listed")
        }
        guard components.user == nil, components.password == nil, components.fragment == nil else {
            throw failure("url", "user, password and fragment are not allowed in the URL")
        }
        if let port = components.port, !(1...65_535).contains(port) {
            throw failure("url", "port \(port) is not in 1 to 65535")
        }
        guard (1...4).contains(secretFiles.count) else {
            throw failure("secret_files", "1 to 4 files are needed, found \(secretFiles.count)")
        }
        guard (1...60_000).contains(connectTimeoutMilliseconds), (1...60_000).contains(totalTimeoutMilliseconds)
        else { throw failure("timeout", "time-outs are 1 to 60000 ms") }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        if let address = IPAddress(bare), !allows(address, isPlain: scheme == "http") {
            throw failure("url", "\(bare) is a private, loopback or unlisted address; list it in allow_addresses")
        }
    }

    var isPlain: Bool { url.lowercased().hasPrefix("http:") }

    /// Private addresses must be listed; without TLS every address must be.
    func allows(_ address: IPAddress, isPlain: Bool) -> Bool {
        if allowedAddresses.contains(where: { $0.contains(address) }) { return true }
        return !isPlain && !address.isSpecial
    }

    private func failure(_ key: String, _ message: String) -> ChannelConfigurationError {
        ChannelConfigurationError(target: name, key: key, message: message)
    }
}
