/// The facts of a registration that are kept. The code becomes the newest good one beside the code in use.
public struct TerminalRegistration: Sendable, Equatable {
    public var terminal: TerminalID
    public var protocolName: ProtocolName
    public var maker: String
    public var model: String
    public var serialNumber: String
    /// SHA-256 of the code; the code itself is nowhere.
    public var codeDigest: [UInt8]
    public var at: Timestamp

    public init(
        terminal: TerminalID, protocolName: ProtocolName, maker: String, model: String, serialNumber: String,
        codeDigest: [UInt8], at: Timestamp
    ) {
        self.terminal = terminal
        self.protocolName = protocolName
        self.maker = maker
        self.model = model
        self.serialNumber = serialNumber
        self.codeDigest = codeDigest
        self.at = at
    }
}
