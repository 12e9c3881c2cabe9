import TerminalModel
import TerminalTLS

/// A certificate that terminals see at a port.
struct ShownCertificate: Sendable, Equatable {
    /// So long before the end an operator has to know of it.
    static let warningMilliseconds: Int64 = 30 * 86_400_000

    let address: ListenAddress
    let file: String
    let expires: Timestamp

    /// What is wrong with it, nil while it holds long enough.
    func fault(at now: Timestamp) -> String? {
        guard expires.milliseconds - now.milliseconds < Self.warningMilliseconds else { return nil }
        return "\(address): the certificate in \(file) ends on \(expires)."
    }
}

/// What the ports with TLS show to terminals, kept over reloads by address so that an open port goes on with new files.
struct TLSIdentities: Sendable {
    private var identities: [ListenAddress: TLSIdentity] = [:]
    private var fresh: [ListenAddress: TLSCredentials] = [:]
    /// Which certificate ends when.
    private(set) var certificates: [ShownCertificate] = []

    init() {}

    /// Reads the files of every port; nothing is shown to anybody before `use`. Throws, with the place in the file at `path`,
    /// when one cannot be used.
    init(_ configuration: GatewayConfiguration, path: String?, keeping old: TLSIdentities) throws {
        for (index, listener) in configuration.listeners.enumerated() {
            guard let files = listener.tls else { continue }
            do {
                let credentials = try TLSCredentials(reading: files)
                fresh[listener.address] = credentials
                certificates.append(
                    ShownCertificate(
                        address: listener.address, file: files.certificate,
                        expires: Timestamp(seconds: credentials.expiresSeconds)))
                identities[listener.address] = old.identities[listener.address] ?? TLSIdentity(credentials)
            } catch {
                throw GatewayStartError(
                    "listener[\(index)].\(error.role.rawValue)", "\"\(error.path)\" cannot be used: \(error.reason)",
                    path: path)
            }
        }
    }

    /// From now on new connections see the files as they were read.
    mutating func use() {
        for (address, credentials) in fresh { identities[address]?.use(credentials) }
        fresh.removeAll()
    }

    subscript(address: ListenAddress) -> TLSIdentity? { identities[address] }
}
