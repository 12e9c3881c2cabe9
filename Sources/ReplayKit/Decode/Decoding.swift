public import TerminalModel
public import TerminalProtocols
internal import WireBytes

/// How recorded frames are decoded.
public struct DecodeOptions: Sendable {
    /// Nil tells the protocol by the bytes.
    public var protocolName: ProtocolName?
    /// All lines of a file are one byte stream.
    public var isStream: Bool
    /// Each line of output carries the protocol's own fields too.
    public var showsFields: Bool
    /// Open what is encrypted.
    public var keys: DecoderKeys

    public init(
        protocolName: ProtocolName? = nil, isStream: Bool = false, showsFields: Bool = false, keys: DecoderKeys = .none
    ) {
        self.protocolName = protocolName
        self.isStream = isStream
        self.showsFields = showsFields
        self.keys = keys
    }
}

/// What became of the frames.
public struct DecodeSummary: Sendable, Equatable {
    public var decoded = 0
    /// Frames and lines that could not be decoded; each has its line of output.
    public var failed = 0
}

/// Recorded frames to lines of JSON (DESIGN section 4).
public enum Decoding {
    /// Decodes files one after the other; the state that a protocol keeps begins anew with each file.
    ///
    /// A reader of the output that goes away ends the work quietly.
    ///
    /// - Parameters:
    ///   - paths: `-` is the standard input.
    ///   - output: the descriptor that the lines are written to.
    /// - Throws: `ReplayFailure` when a file cannot be read or the output cannot be written.
    public static func run(paths: [String], options: DecodeOptions, output: Int32) throws -> DecodeSummary {
        let buffer = OutputBuffer(descriptor: output)
        var summary = DecodeSummary()
        do {
            for path in paths {
                var file = try FileDecoder(path: path, options: options, output: buffer)
                defer { summary.add(file.summary) }
                try file.run()
            }
            try buffer.flush()
        } catch is OutputBuffer.ReaderGone {
            return summary
        } catch {
            try? buffer.flush()
            throw error
        }
        return summary
    }

    /// The lines of output for one decoded frame: one for each event, or one for the error; never none.
    public static func lines(for frame: DecodedFrame, protocolName: ProtocolName, showsFields: Bool) -> [JSONValue] {
        switch frame.result {
        case .failed(let error):
            return [error.line(hex: Hex.text(frame.bytes))]
        case .events(let events, let fields):
            guard !events.isEmpty else {
                let error = DecodeError(
                    .unsupported, protocolName: protocolName, field: "frame", offset: 0, expected: "an event",
                    found: "a frame that says nothing")
                return [error.line(hex: Hex.text(frame.bytes))]
            }
            return events.map { event in
                guard showsFields, case .object(let members) = event.json else { return event.json }
                return .object(members + [JSONValue.Member("fields", fields)])
            }
        }
    }
}

extension DecodeSummary {
    mutating func add(_ other: DecodeSummary) {
        decoded += other.decoded
        failed += other.failed
    }
}

/// Decodes one file.
private struct FileDecoder: ~Copyable {
    private let options: DecodeOptions
    private let output: OutputBuffer
    private var reader: LineReader
    private var choice: ProtocolChoice
    private var bytes: [UInt8] = []
    private var hex = HexDigits()
    /// The rest of the line is passed over: it is a comment or has been reported.
    private var skipsLine = false
    private var streamHasBytes = false
    /// The pieces of a capture, decoded when all are there: what a session speaks may show late.
    private var records: [CaptureRecord] = []
    private var lineNumber = 0
    private(set) var summary = DecodeSummary()

    init(path: String, options: DecodeOptions, output: OutputBuffer) throws {
        self.options = options
        self.output = output
        reader = try LineReader(path: path)
        choice = ProtocolChoice(options.protocolName, keys: options.keys)
    }

    mutating func run() throws {
        while let piece = try reader.next(beforeWaiting: output.flush) {
            if piece.startsLine { lineNumber += 1 }
            if piece.startsLine, piece.endsLine, CaptureLine.isLikely(reader.bytes(of: piece)) {
                let line = try CaptureFile.line(reader.bytes(of: piece), of: reader.name, number: lineNumber)
                if case .piece(let record) = line { records.append(record) }
                continue
            }
            try take(reader.bytes(of: piece), startsLine: piece.startsLine, endsLine: piece.endsLine)
        }
        try decodeRecords()
        guard options.isStream else { return }
        for frame in choice.finish() { try report(frame) }
        // Bytes outside frames are noise, but a stream of nothing else must not end in silence.
        if streamHasBytes, summary == DecodeSummary() {
            try report(
                DecodeError(
                    .notThisProtocol, protocolName: choice.name, field: "stream", offset: 0,
                    expected: "at least one frame", found: "none"), hex: "")
        }
    }

    /// Each session and direction of a capture has decoders of its own.
    private mutating func decodeRecords() throws {
        var splitter = CaptureSplitter(options.protocolName)
        var choices: [String: ProtocolChoice] = [:]
        for piece in splitter.split(records) {
            let key = "\(piece.direction.rawValue) \(piece.session)"
            choice = choices[key] ?? ProtocolChoice(options.protocolName ?? piece.protocolName, keys: options.keys)
            for frame in choice.decode(frame: piece.bytes) { try report(frame) }
            choices[key] = choice
        }
        records = []
    }

    private mutating func take(_ text: ArraySlice<UInt8>, startsLine: Bool, endsLine: Bool) throws {
        var digits = text
        if startsLine {
            skipsLine = false
            switch ReplayLine(text) {
            case .nothing:
                skipsLine = true
            case .frame(_, let offset):
                digits = text.dropFirst(offset)
                hex = HexDigits(column: offset)
            }
        }
        guard !skipsLine else { return }
        do throws(HexDigits.Problem) {
            bytes.removeAll(keepingCapacity: true)
            try hex.read(digits, to: &bytes)
            if endsLine { try hex.finish() }
        } catch {
            skipsLine = true
            try report(
                DecodeError(
                    .badValue, protocolName: choice.name, field: "hex", offset: error.offset,
                    expected: error.expected, found: error.found), hex: String(decoding: text, as: UTF8.self))
            return
        }
        if options.isStream {
            streamHasBytes = streamHasBytes || !bytes.isEmpty
            for frame in choice.feed(stream: bytes) { try report(frame) }
        } else if startsLine, endsLine {
            for frame in choice.decode(frame: bytes) { try report(frame) }
        } else {
            skipsLine = true
            try report(
                DecodeError(
                    .badLength, protocolName: choice.name, field: "hex", offset: LineReader.longestPiece,
                    expected: "a line of at most \(LineReader.longestPiece) characters", found: "a longer one"),
                hex: Hex.text(Array(bytes.prefix(64))))
        }
    }

    private mutating func report(_ frame: DecodedFrame) throws {
        if frame.events.isEmpty { summary.failed += 1 } else { summary.decoded += 1 }
        for line in Decoding.lines(for: frame, protocolName: choice.name, showsFields: options.showsFields) {
            try output.append(line: line)
        }
    }

    private mutating func report(_ error: DecodeError, hex: String) throws {
        summary.failed += 1
        try output.append(line: error.line(hex: hex))
    }
}
