internal import TerminalProtocols
internal import WireBytes

/// One frame that is to be played again.
struct ReplayFrame: Sendable {
    /// Where it was written: `file:line`.
    let source: String
    /// On one scale with the other frames of its file.
    let timeMilliseconds: Int64?
    let bytes: [UInt8]
    /// Nil for a frame that is broken; it is played all the same.
    let header: JT808Header?
    /// The upload that a 0x0801 belongs to, where the frame tells.
    let mediaID: UInt32?

    /// A frame of the platform, which a recording of both directions contains.
    var isFromPlatform: Bool {
        header.map { $0.messageID >= 0x8000 } ?? false
    }
}

/// A recording in the form that `ReplayTime` describes.
struct ReplayFile: Sendable {
    let frames: [ReplayFrame]

    /// - Throws: `ReplayFailure` when the file cannot be read or a line is not hexadecimal.
    init(path: String) throws {
        var reader = try LineReader(path: path)
        var frames: [ReplayFrame] = []
        var framer = JT808Framer()
        var lineNumber = 0
        while let piece = try reader.next(beforeWaiting: {}) {
            lineNumber += 1
            let text = reader.bytes(of: piece)
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
            let (header, mediaID) = Self.read(bytes, &framer)
            frames.append(
                ReplayFrame(
                    source: source, timeMilliseconds: time?.milliseconds, bytes: bytes, header: header, mediaID: mediaID
                ))
        }
        self.frames = frames
    }

    /// The header of the first good frame in `bytes`.
    private static func read(_ bytes: [UInt8], _ framer: inout JT808Framer) -> (JT808Header?, UInt32?) {
        var cursor = JT808Framer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return (nil, nil)
            case .rejected: continue
            case .frame(let run):
                guard let frame = try? JT808Frame(checking: framer.contents(of: run, in: bytes.span)) else { continue }
                let startsMedia =
                    frame.header.messageID == 0x0801 && frame.body.count >= 4 && (frame.header.package?.index ?? 1) == 1
                return (frame.header, startsMedia ? frame.body.uint32BE(at: 0) : nil)
            }
        }
    }
}
