internal import TerminalModel
internal import TerminalProtocols

/// What became of the bytes of a capture: all of them are in one of these.
public struct CaptureCounts: Sendable, Equatable {
    public var sessions = 0
    public var frames = 0
    public var frameBytes = 0
    /// Frames that were begun and are wrong or cut off.
    public var broken = 0
    public var brokenBytes = 0
    /// Bytes outside of frames, or of a protocol that nobody knows; kept as they are.
    public var otherBytes = 0
    /// Places where bytes lack.
    public var gaps = 0
    /// Bytes that lack, as far as that is known.
    public var missingBytes = 0
    /// What the recorder had no room for.
    public var leftOutPieces = 0
    public var leftOutBytes = 0
}

/// Cuts recorded bytes into frames, each session and direction by itself. Nothing is lost: what is no frame becomes a piece of
/// its own.
struct CaptureSplitter {
    /// Enough of a stream to tell its protocol: more than the longest frame of most.
    private static let sampleBytes = 16_384

    private struct Key: Hashable {
        let session: String
        let direction: CaptureRecord.Direction
    }

    private let protocolName: ProtocolName?
    private(set) var counts = CaptureCounts()

    /// - Parameter protocolName: nil takes what was recorded, or tells by the bytes.
    init(_ protocolName: ProtocolName?) {
        self.protocolName = protocolName
    }

    /// The records as frames, in the order of their time.
    mutating func split(_ records: [CaptureRecord]) -> [CaptureRecord] {
        var order: [Key] = []
        var groups: [Key: [Int]] = [:]
        for (index, record) in records.enumerated() {
            let key = Key(session: record.session, direction: record.direction)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(index)
        }
        counts.sessions += Set(order.map(\.session)).count
        // A piece stands where the record stood that completed it.
        var pieces: [(index: Int, piece: CaptureRecord)] = []
        for key in order {
            let indices = groups[key] ?? []
            let name = protocolName ?? Self.name(of: groups, key.session, records)
            pieces += split(indices, of: records, name)
        }
        return pieces.enumerated().sorted { left, right in
            (left.element.index, left.offset) < (right.element.index, right.offset)
        }.map(\.element.piece)
    }

    /// True when a protocol is spoken in these records of one session.
    static func isKnown(_ records: [CaptureRecord]) -> Bool {
        name(in: records.filter { $0.direction == .incoming }, records.filter { $0.direction == .outgoing }) != nil
    }

    private static func name(of groups: [Key: [Int]], _ session: String, _ records: [CaptureRecord]) -> ProtocolName? {
        func part(_ direction: CaptureRecord.Direction) -> [CaptureRecord] {
            (groups[Key(session: session, direction: direction)] ?? []).map { records[$0] }
        }
        return name(in: part(.incoming), part(.outgoing))
    }

    /// What a session speaks: as recorded, else what the terminal's bytes look like, else the platform's.
    private static func name(in incoming: [CaptureRecord], _ outgoing: [CaptureRecord]) -> ProtocolName? {
        if let known = (outgoing + incoming).lazy.compactMap(\.protocolName).last { return known }
        for records in [incoming, outgoing] {
            var sample: [UInt8] = []
            for record in records where sample.count < sampleBytes {
                if let found = certain(record.bytes) { return found }
                sample += record.bytes
            }
            let understood = ProtocolRegistration.all.first { registration in
                var decoder = registration.makeDecoder()
                return decoder.feed(stream: sample).contains { $0.error == nil }
            }
            if let understood { return understood.name }
        }
        return nil
    }

    /// The protocol of which a whole frame stands at the beginning.
    private static func certain(_ bytes: [UInt8]) -> ProtocolName? {
        ProtocolRegistration.all.first { $0.likelihood(bytes) == 2 }?.name
    }

    private mutating func split(
        _ indices: [Int], of records: [CaptureRecord], _ name: ProtocolName?
    ) -> [(index: Int, piece: CaptureRecord)] {
        guard let name, let registration = ProtocolRegistration.named(name) else {
            return indices.map { index in
                countGap(records[index])
                counts.otherBytes += records[index].bytes.count
                return (index, records[index])
            }
        }
        var pieces: [(Int, CaptureRecord)] = []
        var stream = FrameStream(registration)
        for index in indices {
            var record = records[index]
            record.protocolName = name
            if record.missing != 0 {
                pieces += take(stream.end(), like: record, at: index)
                countGap(record)
            }
            // Nobody completes a datagram with the next one.
            let found = stream.feed(record.bytes) + (record.transport == .udp ? stream.end() : [])
            pieces += take(found, like: record, at: index)
        }
        if let last = indices.last {
            var record = records[last]
            record.protocolName = name
            record.missing = 0
            pieces += take(stream.end(), like: record, at: last)
        }
        return pieces
    }

    private mutating func take(
        _ found: [FrameStream.Piece], like record: CaptureRecord, at index: Int
    ) -> [(Int, CaptureRecord)] {
        found.enumerated().map { position, piece in
            switch piece.kind {
            case .frame:
                counts.frames += 1
                counts.frameBytes += piece.bytes.count
            case .broken:
                counts.broken += 1
                counts.brokenBytes += piece.bytes.count
            case .other: counts.otherBytes += piece.bytes.count
            }
            var cut = record
            cut.bytes = piece.bytes
            if position > 0 { cut.missing = 0 }
            return (index, cut)
        }
    }

    private mutating func countGap(_ record: CaptureRecord) {
        guard record.missing != 0 else { return }
        counts.gaps += 1
        counts.missingBytes += record.missing ?? 0
    }
}

/// The bytes of one direction, cut where the protocol's decoder finds frames.
private struct FrameStream {
    enum Kind {
        case frame, broken, other
    }

    struct Piece {
        let kind: Kind
        let bytes: [UInt8]
    }

    private var decoder: any OfflineDecoder
    /// Bytes that are in no piece yet.
    private var rest: [UInt8] = []
    /// What the decoder refused since the last frame. A refused start may reach into the good frame behind it, so nothing is
    /// cut there before that is found.
    private var refused: [[UInt8]] = []
    /// The last byte of the piece before: the flag of a JT/T 808 frame may begin the next one as well.
    private var shared: UInt8?

    init(_ registration: ProtocolRegistration) {
        decoder = registration.makeDecoder()
    }

    mutating func feed(_ bytes: [UInt8]) -> [Piece] {
        rest += bytes
        return decoder.feed(stream: bytes).flatMap { take($0) }
    }

    /// Ends the stream: what is unfinished becomes a piece.
    mutating func end() -> [Piece] {
        var pieces: [Piece] = []
        while let frame = decoder.finish() { pieces += take(frame) }
        pieces += cut(upTo: rest.count)
        rest = []
        shared = nil
        return pieces
    }

    private mutating func take(_ frame: DecodedFrame) -> [Piece] {
        guard frame.error == nil else {
            refused.append(frame.bytes)
            return []
        }
        defer { shared = frame.bytes.last }
        if let shared, frame.bytes.first == shared, rest.first != shared, rest.starts(with: frame.bytes.dropFirst()) {
            rest.removeFirst(frame.bytes.count - 1)
            return [Piece(kind: .frame, bytes: frame.bytes)]
        }
        guard let start = Self.find(frame.bytes, in: rest[...]) else { return [] }
        let pieces = cut(upTo: start) + [Piece(kind: .frame, bytes: frame.bytes)]
        rest.removeFirst(start + frame.bytes.count)
        return pieces
    }

    /// The bytes before `end`, apart where something was refused in them.
    private mutating func cut(upTo end: Int) -> [Piece] {
        var pieces: [Piece] = []
        var position = 0
        for bytes in refused {
            guard let start = Self.find(bytes, in: rest[position..<end]) else { continue }
            if start > position { pieces.append(Piece(kind: .other, bytes: Array(rest[position..<start]))) }
            pieces.append(Piece(kind: .broken, bytes: bytes))
            position = start + bytes.count
        }
        if position < end {
            let kind = refused.isEmpty || position > 0 ? Kind.other : .broken
            pieces.append(Piece(kind: kind, bytes: Array(rest[position..<end])))
        }
        refused = []
        return pieces
    }

    private static func find(_ needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first, needle.count <= bytes.count else { return nil }
        for start in bytes.startIndex...(bytes.endIndex - needle.count) where bytes[start] == first {
            if bytes[start..<start + needle.count].elementsEqual(needle) { return start }
        }
        return nil
    }
}
