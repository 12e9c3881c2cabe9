internal import TerminalModel
internal import TerminalProtocols
internal import WireBytes

/// One frame that is to be played again.
struct ReplayFrame: Sendable {
    /// Where it was written: `file:line`.
    let source: String
    /// On one scale with the other frames of its file.
    let timeMilliseconds: Int64?
    let bytes: [UInt8]
    /// The connection, line or peer that it was recorded on, where the file tells.
    var session: String?
    /// True where the file tells that the platform sent it.
    var isFromPlatform = false
    /// For a broken frame, which is played all the same, that of the frames around it.
    var protocolName = ProtocolName.jt808
    /// Nil for a broken frame.
    var head: ReplayHead?
}

/// A recording in the form that `ReplayTime` describes, or a capture (`docs/captures.md`).
struct ReplayFile: Sendable {
    let frames: [ReplayFrame]

    /// - Parameter protocolName: nil tells the protocol by the bytes.
    /// - Throws: `ReplayFailure` when the file cannot be read or a line is not hexadecimal.
    init(path: String, protocolName: ProtocolName? = nil) throws {
        var reader = try LineReader(path: path)
        var frames: [ReplayFrame] = []
        var heads = HeadReader(protocolName)
        var lineNumber = 0
        var records: [CaptureRecord] = []
        while let piece = try reader.next(beforeWaiting: {}) {
            lineNumber += 1
            let text = reader.bytes(of: piece)
            if CaptureLine.isLikely(text), piece.startsLine, piece.endsLine {
                if case .piece(let record) = try CaptureFile.line(text, of: reader.name, number: lineNumber) {
                    records.append(record)
                }
                continue
            }
            guard case .frame(let time, let offset) = ReplayLine(text) else { continue }
            let source = "\(reader.name):\(lineNumber)"
            guard piece.startsLine, piece.endsLine else {
                throw ReplayFailure(.usage, "\(source): the line is too long")
            }
            var bytes: [UInt8] = []
            var hex = HexDigits(column: offset)
            do throws(HexDigits.Problem) {
                try hex.read(text.dropFirst(offset), to: &bytes)
                try hex.finish()
            } catch {
                throw ReplayFailure(
                    .usage, "\(source): expected \(error.expected) at character \(error.offset), found \(error.found)")
            }
            var frame = ReplayFrame(source: source, timeMilliseconds: time?.milliseconds, bytes: bytes)
            try heads.read(&frame)
            frames.append(frame)
        }
        var splitter = CaptureSplitter(protocolName)
        for (number, record) in splitter.split(records).enumerated() {
            var frame = ReplayFrame(
                source: "\(reader.name):frame \(number + 1)", timeMilliseconds: record.time.milliseconds,
                bytes: record.bytes, session: record.session, isFromPlatform: record.direction == .outgoing)
            try heads.read(&frame)
            frames.append(frame)
        }
        self.frames = frames
    }
}

/// Finds out what recorded frames are. Each session, and each protocol in it, is read by a dialect of its own, because who
/// logged in belongs to both.
struct HeadReader {
    private struct Session {
        var dialects: [any ReplayDialect] = []
        /// The dialect of the latest frame that was understood.
        var current: (any ReplayDialect)?
    }

    private let protocolName: ProtocolName?
    private var sessions: [String: Session] = [:]

    /// - Parameter protocolName: nil tells the protocol by the bytes.
    init(_ protocolName: ProtocolName?) {
        self.protocolName = protocolName
    }

    /// - Throws: `ReplayFailure` for a protocol that cannot be played.
    mutating func read(_ frame: inout ReplayFrame) throws(ReplayFailure) {
        var session = sessions[frame.session ?? ""] ?? Session()
        defer { sessions[frame.session ?? ""] = session }
        let name = protocolName ?? ProtocolRegistration.recognised(in: frame.bytes)?.name
        let dialect = try Self.dialect(name, in: &session)
        frame.protocolName = dialect.name
        frame.head = dialect.head(of: frame.bytes)
        if frame.head != nil { session.current = dialect }
        if frame.head?.isFromPlatform == true { frame.isFromPlatform = true }
    }

    private static func dialect(
        _ name: ProtocolName?, in session: inout Session
    ) throws(ReplayFailure) -> any ReplayDialect {
        let name = name ?? session.current?.name ?? .jt808
        if let known = session.dialects.first(where: { $0.name == name }) { return known }
        let dialect = try ReplayDialects.make(name)
        session.dialects.append(dialect)
        return dialect
    }
}
