public import GatewayTelemetry

/// Why a channel cannot be set up; the text names the target, the key, what was found and what is allowed.
public struct ChannelConfigurationError: Error, Equatable, CustomStringConvertible {
    public var code: ErrorCode
    public var target: String
    /// The key of the target's section in the configuration.
    public var key: String
    public var message: String

    public init(code: ErrorCode = .configInvalid, target: String, key: String, message: String) {
        self.code = code
        self.target = target
        self.key = key
        self.message = message
    }

    public var description: String { "target \"\(target)\", \(key): \(message)" }
}
