import WireBytes

/// Puts the packages of one terminal's messages together (section 11).
///
/// A pure value: time is an argument in milliseconds of a monotonic clock, and what is to be sent is returned.
public struct JT808Reassembly: Sendable {
    /// A message has at most this many packages; a terminal's longest recordings stay below.
    public static let maximumPackages: UInt16 = 256
    /// A message has at most this many bytes.
    public static let maximumMessageBytes = 256 * 1024
    /// A terminal has at most this many messages open; a further one takes the place of the one that waited longest.
    public static let maximumOpenMessages = 4
    /// Without a new package for this long the message is given up.
    public static let giveUpMilliseconds: Int64 = 30_000
    /// Missing packages are asked for this long after the last one arrived.
    public static let resendAfterMilliseconds: Int64 = 5_000
    /// How often they are asked for.
    public static let maximumResendRequests = 2

    /// What became of one package.
    public enum Outcome: Sendable, Equatable {
        /// Others are still missing.
        case incomplete
        /// This index was there already; the first copy is kept.
        case duplicate
        /// The whole body; the message is closed.
        case complete(body: [UInt8])
        case refused(Refusal)
    }

    public enum Refusal: String, Sendable, Equatable {
        case notAPackage = "not a package"
        case badIndex = "package index outside 1...total"
        case tooManyPackages = "too many packages"
        case tooManyBytes = "too many bytes"
        case otherTotal = "total differs from the first package's"
    }

    /// What time asks for.
    public enum Action: Sendable, Equatable {
        /// Ask the terminal with 0x8003; 2011 devices do not know it.
        case requestResend(messageID: UInt16, phone: JT808Phone, JT808ResendRequest)
        case gaveUp(messageID: UInt16, firstFlowID: UInt16, missing: Int)
    }

    private struct Key: Sendable, Hashable {
        let phone: JT808Phone
        let messageID: UInt16
        let firstFlowID: UInt16

        /// Nil for what is no package.
        init?(_ header: JT808Header) {
            guard let package = header.package else { return nil }
            phone = header.phone
            messageID = header.messageID
            firstFlowID = header.flowID &- (package.index &- 1)
        }
    }

    private struct Open: Sendable {
        let key: Key
        let packages: [[UInt8]?]
        let arrived: Int
        let byteCount: Int
        let lastArrival: Int64
        let requests: Int
    }

    private var open: [Open] = []

    public init() {}

    public var isEmpty: Bool { open.isEmpty }

    /// About what the open messages cost, with the room for packages that have not come.
    public var heldBytes: Int { open.reduce(0) { $0 + $1.byteCount + $1.packages.count * Self.packageOverheadBytes } }

    /// What a package costs beside its bytes: its place in the list and the head of its own array.
    public static let packageOverheadBytes = 48

    /// The most that keeping one more package costs: it may be the first of its message.
    public static func cost(of header: JT808Header, byteCount: Int) -> Int {
        byteCount + Int(min(header.package?.total ?? 0, maximumPackages)) * packageOverheadBytes
    }

    /// True for the last package that a message lacks: with it nothing is kept any more.
    public func completes(_ header: JT808Header) -> Bool {
        guard let package = header.package, let key = Key(header) else { return false }
        return package.total == 1 || open.contains { $0.key == key && $0.arrived == $0.packages.count - 1 }
    }

    /// Takes one package in.
    ///
    /// - Parameter now: monotonic milliseconds.
    public mutating func insert(_ body: [UInt8], header: JT808Header, now: Int64) -> Outcome {
        guard let package = header.package, let key = Key(header) else { return .refused(.notAPackage) }
        guard package.total > 0, package.index > 0, package.index <= package.total else {
            return .refused(.badIndex)
        }
        guard package.total <= Self.maximumPackages else { return .refused(.tooManyPackages) }
        let position = open.firstIndex { $0.key == key }
        let known = position.map { open[$0] }
        var packages = known?.packages ?? [[UInt8]?](repeating: nil, count: Int(package.total))
        guard packages.count == Int(package.total) else { return .refused(.otherTotal) }
        let slot = Int(package.index) - 1
        guard packages[slot] == nil else { return .duplicate }
        let byteCount = (known?.byteCount ?? 0) + body.count
        guard byteCount <= Self.maximumMessageBytes else {
            if let position { open.remove(at: position) }
            return .refused(.tooManyBytes)
        }
        packages[slot] = body
        let arrived = (known?.arrived ?? 0) + 1
        if let position { open.remove(at: position) }
        if arrived == packages.count {
            return .complete(body: packages.reduce(into: []) { $0 += $1 ?? [] })
        }
        if open.count == Self.maximumOpenMessages {
            // Entries stand in the order of their last package, so the first waited longest.
            open.removeFirst()
        }
        open.append(
            Open(
                key: key, packages: packages, arrived: arrived, byteCount: byteCount, lastArrival: now,
                requests: known?.requests ?? 0))
        return .incomplete
    }

    /// What is due at `now`; call it again at `nextDeadline`.
    public mutating func due(now: Int64) -> [Action] {
        var actions: [Action] = []
        open = open.compactMap { entry in
            let waited = now - entry.lastArrival
            let missing = entry.packages.count - entry.arrived
            if waited >= Self.giveUpMilliseconds {
                actions.append(
                    .gaveUp(
                        messageID: entry.key.messageID, firstFlowID: entry.key.firstFlowID, missing: missing))
                return nil
            }
            guard entry.requests < Self.maximumResendRequests,
                waited >= Self.resendAfterMilliseconds * Int64(entry.requests + 1)
            else { return entry }
            let indexes = entry.packages.indices.filter { entry.packages[$0] == nil }.map { UInt16($0 + 1) }
            actions.append(
                .requestResend(
                    messageID: entry.key.messageID, phone: entry.key.phone,
                    JT808ResendRequest(firstFlowID: entry.key.firstFlowID, indexes: indexes)))
            return Open(
                key: entry.key, packages: entry.packages, arrived: entry.arrived, byteCount: entry.byteCount,
                lastArrival: entry.lastArrival, requests: entry.requests + 1)
        }
        return actions
    }

    /// The next monotonic time at which `due` has something to say; nil when nothing is open.
    public var nextDeadline: Int64? {
        open.map { entry in
            let wait =
                entry.requests < Self.maximumResendRequests
                ? Self.resendAfterMilliseconds * Int64(entry.requests + 1) : Self.giveUpMilliseconds
            return entry.lastArrival + wait
        }.min()
    }
}
