internal import TerminalModel

/// One direction of a TCP connection, put in order.
///
/// What was sent again is taken once, as it came first. Bytes that never come are a gap; it is known for one when the
/// connection ends, or when more waits behind it than any window holds.
struct TCPAssembly {
    /// Bytes in order.
    struct Piece {
        let time: Timestamp
        /// Bytes that lack in front; nil where the beginning was not seen.
        let missing: Int?
        let bytes: [UInt8]
    }

    /// A receive window of a terminal is far smaller.
    static let maximumWaitingBytes = 1 << 20

    private(set) var repeatedBytes = 0
    private var next: UInt32?
    private var isBeginningUnknown = false
    private var waiting: [(sequence: UInt32, time: Timestamp, bytes: [UInt8])] = []
    private var waitingBytes = 0
    private var latest = Timestamp(milliseconds: .min)

    /// Counted from here with the first byte of data.
    var isBegun: Bool { next != nil }

    mutating func begin(at sequence: UInt32) {
        next = sequence &+ 1
    }

    /// True for a SYN that begins another connection of the same ports.
    func isOther(_ sequence: UInt32) -> Bool {
        next.map { abs(Self.distance(from: $0, to: sequence &+ 1)) > Self.maximumWaitingBytes } ?? false
    }

    mutating func take(_ bytes: [UInt8], at sequence: UInt32, time: Timestamp) -> [Piece] {
        guard !bytes.isEmpty else { return [] }
        if next == nil {
            next = sequence
            isBeginningUnknown = true
        }
        waiting.append((sequence, time, bytes))
        waitingBytes += bytes.count
        var pieces = inOrder()
        while waitingBytes > Self.maximumWaitingBytes { pieces += jump() }
        return pieces
    }

    /// Nothing more comes.
    mutating func end() -> [Piece] {
        var pieces: [Piece] = []
        while !waiting.isEmpty { pieces += jump() }
        return pieces
    }

    /// Everything that follows what is there already without a gap.
    private mutating func inOrder() -> [Piece] {
        var pieces: [Piece] = []
        while let next, let index = waiting.firstIndex(where: { Self.distance(from: next, to: $0.sequence) <= 0 }) {
            let segment = waiting.remove(at: index)
            waitingBytes -= segment.bytes.count
            let known = min(segment.bytes.count, -Self.distance(from: next, to: segment.sequence))
            repeatedBytes += known
            guard known < segment.bytes.count else { continue }
            pieces.append(piece(Array(segment.bytes.dropFirst(known)), segment.time, missing: 0))
        }
        return pieces
    }

    /// Goes on behind the gap.
    private mutating func jump() -> [Piece] {
        guard let next else { return [] }
        let index = waiting.indices.min {
            Self.distance(from: next, to: waiting[$0].sequence) < Self.distance(from: next, to: waiting[$1].sequence)
        }
        guard let index else { return [] }
        let segment = waiting.remove(at: index)
        waitingBytes -= segment.bytes.count
        self.next = segment.sequence
        let missing = Self.distance(from: next, to: segment.sequence)
        return [piece(segment.bytes, segment.time, missing: missing)] + inOrder()
    }

    private mutating func piece(_ bytes: [UInt8], _ time: Timestamp, missing: Int) -> Piece {
        next = (next ?? 0) &+ UInt32(truncatingIfNeeded: bytes.count)
        latest = max(latest, time)
        defer { isBeginningUnknown = false }
        return Piece(time: latest, missing: isBeginningUnknown ? nil : missing, bytes: bytes)
    }

    /// Sequence numbers go round.
    private static func distance(from: UInt32, to: UInt32) -> Int {
        Int(Int32(bitPattern: to &- from))
    }
}
