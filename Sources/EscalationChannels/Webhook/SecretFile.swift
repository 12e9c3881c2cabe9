import AlarmFormats
import GatewayTelemetry
import Glibc

/// Reads secrets from files, never from the configuration itself.
public enum SecretFile {
    /// A secret is below 100 bytes; a larger file is something else.
    private static let maximumBytes = 4_096

    /// A relative name is a systemd credential: a file in `credentialsDirectory` (`$CREDENTIALS_DIRECTORY`).
    ///
    /// Throws when there is no such file, everybody may read it, or it holds no secret. Source: systemd.exec(5),
    /// `LoadCredential=`.
    static func load(
        _ name: String, target: String, credentialsDirectory: String?
    ) throws(ChannelConfigurationError) -> WebhookSecret {
        func failure(_ message: String) -> ChannelConfigurationError {
            ChannelConfigurationError(
                code: .channelSecretInvalid, target: target, key: "secret_files", message: message)
        }
        let path: String
        if name.hasPrefix("/") {
            path = name
        } else {
            guard let credentialsDirectory else {
                throw failure(
                    "\"\(name)\" is the name of a systemd credential, but $CREDENTIALS_DIRECTORY is not set; "
                        + "use LoadCredential= in the unit or an absolute path")
            }
            guard !name.isEmpty, !name.contains("/"), name != "..", name != "." else {
                throw failure("\"\(name)\" is neither an absolute path nor the name of a systemd credential")
            }
            path = "\(credentialsDirectory)/\(name)"
        }
        switch read(path, maximumBytes: maximumBytes) {
        case .failure(let reason):
            throw failure("\(path): \(reason.text)")
        case .success(let bytes):
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                return try WebhookSecret(text.trimmingSuffix(while: \.isWhitespace))
            } catch {
                throw failure("\(path): \(error)")
            }
        }
    }

    /// Why a file is not read.
    public struct Reason: Error, Sendable, Equatable {
        public var text: String
    }

    /// Reads a whole file that not everybody may use; a larger one is something else.
    public static func read(_ path: String, maximumBytes: Int) -> Result<[UInt8], Reason> {
        // Looks at the open file, so that what was checked is what is read.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .failure(Reason(text: String(cString: strerror(errno)))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            return .failure(Reason(text: String(cString: strerror(errno))))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(Reason(text: "not a regular file")) }
        guard status.st_mode & 0o007 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            return .failure(Reason(text: "everybody may use this file (mode \(mode)); take that away: chmod o= FILE"))
        }
        var buffer = [UInt8](repeating: 0, count: maximumBytes + 1)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { return .failure(Reason(text: String(cString: strerror(errno)))) }
        guard count <= maximumBytes else { return .failure(Reason(text: "larger than any secret")) }
        return .success(Array(buffer[..<count]))
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> SubSequence {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
