import AlarmFormats
import GatewayTelemetry

extension SecretFile {
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
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> SubSequence {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
