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
/// frame, so that the lock stays off the frame path. A terminal costs about 60 bytes, and 80 more when it has a code.
public final class TerminalDirectory: Sendable {
    private struct Record {
        var model: String
        /// The digests one after the other, each behind its length.
        var codes: [UInt8]
        var utcOffsetMinutes: Int16
        var trustedByID: Bool
        var isListed: Bool

        init(_ known: KnownTerminal) {
            model = known.model
            codes = []
            for digest in known.authCodeDigests {
                codes.append(UInt8(truncatingIfNeeded: digest.count))
                codes += digest.prefix(255)
            }
            utcOffsetMinutes = Int16(clamping: known.utcOffsetMinutes)
            trustedByID = known.trustedByID
            isListed = known.isListed
        }

        var known: KnownTerminal {
            var digests: [[UInt8]] = []
            var rest = codes[...]
            while let length = rest.popFirst() {
                digests.append(Array(rest.prefix(Int(length))))
                rest = rest.dropFirst(Int(length))
            }
            return KnownTerminal(
                model: model, utcOffsetMinutes: Int(utcOffsetMinutes), authCodeDigests: digests,
                trustedByID: trustedByID, isListed: isListed)
        }
    }

    private struct Table {
        var numbers = TerminalNumbers()
        var records = PagedArray<Record>()

        mutating func set(_ id: TerminalID, _ known: KnownTerminal?) {
            guard let known else { return numbers.remove(id) }
            let number = Int(numbers.insert(id))
            if number == records.count { records.append(Record(known)) } else { records[number] = Record(known) }
        }
    }

    private let table: Mutex<Table>
    private let changes = Atomic<UInt32>(0)

    public init(_ terminals: [TerminalID: KnownTerminal] = [:]) {
        var table = Table()
        for (id, known) in terminals { table.set(id, known) }
        self.table = Mutex(table)
    }

    public subscript(id: TerminalID) -> KnownTerminal? {
        get {
            table.withLock { table in
                table.numbers[id].map { table.records[Int($0)].known }
            }
        }
        set {
            table.withLock { $0.set(id, newValue) }
            changes.wrappingAdd(1, ordering: .releasing)
        }
    }

    /// Another number after each change, read without the lock: who looked something up under this number need not look
    /// again.
    public var generation: UInt32 { changes.load(ordering: .acquiring) }

    public var count: Int { table.withLock(\.numbers.count) }

    /// Forgets all and takes what the body hands over one by one.
    public func replaceAll(_ fill: ((TerminalID, KnownTerminal) -> Void) -> Void) {
        var new = Table()
        fill { new.set($0, $1) }
        table.withLock { $0 = new }
        changes.wrappingAdd(1, ordering: .releasing)
    }
}
