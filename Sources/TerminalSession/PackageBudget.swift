import Synchronization

/// How many bytes of unfinished messages all terminals together may leave here, whoever they are and however many.
///
/// Each terminal has bounds of its own (`JT808Reassembly`), but there are as many terminals as somebody cares to invent. What is
/// refused is only the message that comes in packages: an alarm in a package is handed on all the same.
public final class PackageBudget: Sendable {
    /// 256 of the longest messages at once.
    public static let standardMaximumBytes = 64 << 20

    public let maximumBytes: Int
    private let held = Atomic<Int>(0)
    private let refused = Atomic<UInt64>(0)

    public init(maximumBytes: Int = PackageBudget.standardMaximumBytes) {
        self.maximumBytes = maximumBytes
    }

    /// What is held now.
    public var heldBytes: Int { held.load(ordering: .relaxed) }
    /// Packages for which there was no room since the start.
    public var refusedPackages: UInt64 { refused.load(ordering: .relaxed) }

    /// True when a package of this size may be kept; a refusal is counted.
    func admits(_ bytes: Int) -> Bool {
        if heldBytes + bytes <= maximumBytes { return true }
        refused.add(1, ordering: .relaxed)
        return false
    }

    func change(by bytes: Int) {
        if bytes != 0 { held.add(bytes, ordering: .relaxed) }
    }
}
