import FoundationEssentials

/// Why a text is no signing secret. Shown to the operator; never contains the text itself.
public enum WebhookSecretError: Error, Equatable, CustomStringConvertible {
    case missingPrefix
    case badBase64
    case badLength(bytes: Int)

    public var description: String {
        switch self {
        case .missingPrefix: "a signing secret begins with \"\(WebhookSecret.prefix)\""
        case .badBase64: "what follows \"\(WebhookSecret.prefix)\" is not base64 with padding"
        case .badLength(let bytes):
            "a signing secret has \(WebhookSecret.lengths.lowerBound) to \(WebhookSecret.lengths.upperBound) bytes, "
                + "found \(bytes)"
        }
    }
}

/// A shared secret that webhooks are signed with, written as `whsec_` and base64 of 24 to 64 bytes.
///
/// Source: Standard Webhooks 1.0.0, symmetric signatures.
public struct WebhookSecret: Sendable, Equatable {
    static let prefix = "whsec_"
    static let lengths = 24...64

    let bytes: [UInt8]

    public init(_ text: some StringProtocol) throws(WebhookSecretError) {
        guard text.hasPrefix(Self.prefix) else { throw .missingPrefix }
        guard let data = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))) else { throw .badBase64 }
        guard Self.lengths.contains(data.count) else { throw .badLength(bytes: data.count) }
        self.bytes = Array(data)
    }
}

extension WebhookSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A secret never shows itself, however it is printed.
    public var description: String { "\(Self.prefix)…" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
