import Crypto
import FoundationEssentials
public import TerminalModel

/// Signs with one secret, or with the new and the old one while a target changes over.
///
///     v1,base64(HMAC-SHA-256(secret, id "." unix-seconds "." body))   space-separated, one for each secret
///
/// Source: Standard Webhooks 1.0.0, signature scheme.
public struct WebhookSigner: Sendable, Equatable {
    /// More secrets than a change-over needs would only make the header long.
    public static let maximumSecrets = 4
    /// Receivers refuse attempts whose time is further from their clock.
    public static let toleranceSeconds: Int64 = 300

    private let secrets: [WebhookSecret]

    /// nil without a secret or with more than `maximumSecrets`: nothing leaves unsigned.
    public init?(secrets: [WebhookSecret]) {
        guard (1...Self.maximumSecrets).contains(secrets.count) else { return nil }
        self.secrets = secrets
    }

    /// The value of the header `webhook-signature` for an attempt at that time.
    public func signature(id: String, at time: Timestamp, body: [UInt8]) -> String {
        let content = Self.content(id: id, seconds: String(time.unixSeconds), body: body)
        return secrets.map { secret in
            let code = HMAC<SHA256>.authenticationCode(for: content, using: SymmetricKey(data: secret.bytes))
            return "v1," + Data(code).base64EncodedString()
        }.joined(separator: " ")
    }

    /// What a receiver does: true when one signature of the header fits one of the secrets and the time is near.
    public func verifies(id: String, timestamp: String, signature: String, body: [UInt8], now: Timestamp) -> Bool {
        guard let seconds = Int64(timestamp), abs(now.unixSeconds - seconds) <= Self.toleranceSeconds else {
            return false
        }
        let content = Self.content(id: id, seconds: timestamp, body: body)
        for part in signature.split(separator: " ") where part.hasPrefix("v1,") {
            guard let code = Data(base64Encoded: String(part.dropFirst(3))) else { continue }
            for secret in secrets
            where HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: content, using: SymmetricKey(data: secret.bytes))
            {
                return true
            }
        }
        return false
    }

    private static func content(id: String, seconds: String, body: [UInt8]) -> [UInt8] {
        Array(id.utf8) + [UInt8(ascii: ".")] + Array(seconds.utf8) + [UInt8(ascii: ".")] + body
    }
}

extension Timestamp {
    /// Whole seconds since 1970, rounded down.
    var unixSeconds: Int64 {
        milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    }
}
