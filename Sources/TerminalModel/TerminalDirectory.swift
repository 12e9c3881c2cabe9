import Synchronization

/// What a session must know about a terminal before it can judge what the terminal says of itself.
public struct KnownTerminal: Sendable, Equatable {
    /// The model name that selects alarm tables and quirks; empty when nobody said.
    public var model: String
    /// The offset of the terminal's clock from UTC; JT/T 808 terminals keep +480.
    public var utcOffsetMinutes: Int
    /// SHA-256 digests of the codes that are good: the one in use, and one handed out whose use has not been seen yet.
    public var authCodeDigests: [[UInt8]]
    /// True when the site accepts this terminal by its id alone although its protocol offers a secret.
    public var trustedByID: Bool
    /// False for a terminal that only registered itself: a code does not make it one of the site's.
    public var isListed: Bool

    public init(
        model: String = "", utcOffsetMinutes: Int = 480, authCodeDigests: [[UInt8]] = [], trustedByID: Bool = false,
        isListed: Bool = true
    ) {
        self.model = model
        self.utcOffsetMinutes = utcOffsetMinutes
        self.authCodeDigests = authCodeDigests
        self.trustedByID = trustedByID
        self.isListed = isListed
    }
}

/// All terminals that the site has listed or registered, shared by the reactor threads and the pipeline.
///
/// Looked up when a connection identifies its terminal, at registration, and after something has changed; never for each
/// frame, so that the lock stays off the frame path.
public final class TerminalDirectory: Sendable {
    private let terminals: Mutex<[TerminalID: KnownTerminal]>
    private let changes = Atomic<UInt32>(0)

    public init(_ terminals: [TerminalID: KnownTerminal] = [:]) {
        self.terminals = Mutex(terminals)
    }

    public subscript(id: TerminalID) -> KnownTerminal? {
        get { terminals.withLock { $0[id] } }
        set {
            terminals.withLock { $0[id] = newValue }
            changes.wrappingAdd(1, ordering: .releasing)
        }
    }

    /// Another number after each change, read without the lock: who looked something up under this number need not look
    /// again.
    public var generation: UInt32 { changes.load(ordering: .acquiring) }

    public var count: Int { terminals.withLock(\.count) }

    public func replaceAll(_ new: [TerminalID: KnownTerminal]) {
        terminals.withLock { $0 = new }
        changes.wrappingAdd(1, ordering: .releasing)
    }
}
