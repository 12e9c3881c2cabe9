import NIOEmbedded
import NIOSSL
public import Reactor
import Synchronization

/// Where the files of a TLS listener lie.
public struct TLSFiles: Sendable, Hashable {
    /// PEM: the gateway's certificate, then those between it and the root.
    public var certificate: String
    /// PEM: the private key of the first certificate.
    public var key: String
    /// PEM: who signs the certificates of terminals; nil when terminals need none.
    public var clientAuthority: String?

    public init(certificate: String, key: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
    }
}

/// Which file of a TLS listener cannot be used, and why.
public struct TLSFileError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Role: String, Sendable {
        case certificate = "certificate_file"
        case key = "key_file"
        case clientAuthority = "client_ca_file"
    }

    public let role: Role
    public let path: String
    public let reason: String

    public var description: String {
        "\(role.rawValue): \"\(path)\" cannot be used: \(reason)"
    }
}

/// The files of a TLS listener, read and checked.
///
/// TLS 1.2 or later. With an authority of clients, a terminal without a certificate that it has signed is refused. The names
/// in a terminal's certificate mean nothing: who speaks is told by its frames, as on every other bearer.
public struct TLSCredentials: Sendable {
    let context: NIOSSLContext
    /// When the first certificate of the chain ends, or one of the others that the gateway shows; seconds since 1970, UTC.
    public let expiresSeconds: Int64

    public init(reading files: TLSFiles) throws(TLSFileError) {
        let chain = try Self.read(.certificate, files.certificate) { try NIOSSLCertificate.fromPEMFile($0) }
        guard !chain.isEmpty else {
            throw TLSFileError(role: .certificate, path: files.certificate, reason: "it holds no certificate")
        }
        let key = try Self.read(.key, files.key) { try NIOSSLPrivateKey(file: $0, format: .pem) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        if let authority = files.clientAuthority {
            let roots = try Self.read(.clientAuthority, authority) { try NIOSSLCertificate.fromPEMFile($0) }
            configuration.trustRoots = .certificates(roots)
            configuration.certificateVerification = .noHostnameVerification
        }
        expiresSeconds = chain.map { Int64($0.notValidAfter) }.min() ?? 0
        context = try Self.read(.key, files.key) { _ in try NIOSSLContext(configuration: configuration) }
    }

    private static func read<Value>(
        _ role: TLSFileError.Role, _ path: String, _ body: (String) throws -> Value
    ) throws(TLSFileError) -> Value {
        do {
            return try body(path)
        } catch {
            throw TLSFileError(role: role, path: path, reason: "\(error)")
        }
    }
}

/// What the gateway shows to terminals that connect with TLS, and whom it believes, now.
public final class TLSIdentity: StreamFilterSource {
    private let credentials: Mutex<TLSCredentials>

    public init(_ credentials: TLSCredentials) {
        self.credentials = Mutex(credentials)
    }

    /// New connections see these from now on; those that exist keep what they have agreed on.
    public func use(_ new: TLSCredentials) {
        credentials.withLock { $0 = new }
    }

    public func makeFilters() -> () -> (any StreamFilter)? {
        let loop = EmbeddedEventLoop()
        return { [self] in try? TLSFilter(credentials.withLock { $0 }.context, loop: loop) }
    }
}
