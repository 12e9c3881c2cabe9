import Foundation
import TerminalTLS

/// What the ports with TLS show to terminals, kept over reloads by address so that an open port goes on with new files.
struct TLSIdentities: Sendable {
    private var identities: [ListenAddress: TLSIdentity] = [:]
    private var fresh: [ListenAddress: TLSCredentials] = [:]

    init() {}

    /// Reads the files of every port; nothing is shown to anybody before `use`. Throws, with the place in the file at `path`,
    /// when one cannot be used.
    init(_ configuration: GatewayConfiguration, path: String?, keeping old: TLSIdentities) throws {
        for (index, listener) in configuration.listeners.enumerated() {
            guard let files = listener.tls else { continue }
            do {
                let credentials = try TLSCredentials(reading: files)
                fresh[listener.address] = credentials
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
