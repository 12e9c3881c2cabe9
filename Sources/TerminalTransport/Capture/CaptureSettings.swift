public import TerminalModel

/// What raw bytes are recorded, and how much room they get.
public struct CaptureSettings: Sendable, Equatable {
    /// Where the files go; made when it is not there.
    public var directory: String
    /// Terminals whose connections are recorded from the moment that they say who they are. Ports and lines that are recorded
    /// whole say it themselves: `TerminalListener.isCaptured`, `TerminalLine.isCaptured`.
    public var terminals: Set<TerminalID>
    /// A file that would grow larger is followed by a new one.
    public var maximumFileBytes: Int
    /// All files together: before a new one is begun, the oldest ones make room for it.
    public var maximumTotalBytes: Int

    public init(
        directory: String, terminals: Set<TerminalID> = [], maximumFileBytes: Int = 16 << 20,
        maximumTotalBytes: Int = 256 << 20
    ) {
        self.directory = directory
        self.terminals = terminals
        self.maximumFileBytes = maximumFileBytes
        self.maximumTotalBytes = maximumTotalBytes
    }
}
