internal import Glibc
internal import WireBytes

/// Reads a file of any size line by line through one buffer.
///
/// A line that does not fit into the buffer comes in several pieces.
struct LineReader: ~Copyable {
    /// A line, or a part of one, in `buffer`; good until the next call of `next`.
    struct Piece {
        let range: Range<Int>
        /// True for the first piece of a line.
        let startsLine: Bool
        /// True for the last piece of a line; its line end is not part of `range`.
        let endsLine: Bool
    }

    /// The longest line that comes in one piece. A frame has 2,090 bytes at most, the rest is room for noise.
    static let longestPiece = 1 << 20
    private static let readBytes = 256 << 10

    let name: String
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private var buffer = [UInt8](repeating: 0, count: longestPiece)
    private var start = 0
    private var scanned = 0
    private var end = 0
    private var atLineStart = true
    private var atEndOfFile = false

    /// Opens a file; `-` is the standard input.
    init(path: String) throws(ReplayFailure) {
        name = path == "-" ? "standard input" : path
        ownsDescriptor = path != "-"
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(name, errno) }
    }

    /// Takes over an open descriptor.
    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        ownsDescriptor = true
    }

    deinit {
        if ownsDescriptor { close(descriptor) }
    }

    func bytes(of piece: Piece) -> ArraySlice<UInt8> {
        buffer[piece.range]
    }

    /// The next piece, nil at the end of the file.
    ///
    /// - Parameter beforeWaiting: called before every read, which may have to wait for what another program writes.
    mutating func next(beforeWaiting: () throws -> Void) throws -> Piece? {
        while true {
            let newline = ByteScan.find(0x0A, marking: 0x0A, in: buffer.span.extracting(0..<end), from: scanned).end
            if newline < end { return piece(upTo: newline, endsLine: true) }
            scanned = end
            if atEndOfFile { return start < end || !atLineStart ? piece(upTo: end, endsLine: true) : nil }
            if start > 0 { compact() }
            guard end < buffer.count else { return piece(upTo: end, endsLine: false) }
            try beforeWaiting()
            try fill()
        }
    }

    private mutating func piece(upTo stop: Int, endsLine: Bool) -> Piece {
        let piece = Piece(range: start..<stop, startsLine: atLineStart, endsLine: endsLine)
        start = endsLine ? min(stop + 1, end) : stop
        scanned = start
        atLineStart = endsLine
        return piece
    }

    private mutating func compact() {
        // Only an unfinished line is moved, once per read.
        buffer.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            memmove(base, base + start, end - start)
        }
        end -= start
        scanned -= start
        start = 0
    }

    private mutating func fill() throws(ReplayFailure) {
        let room = min(Self.readBytes, buffer.count - end)
        while true {
            let from = end
            let got = buffer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { read(descriptor, $0 + from, room) } ?? 0
            }
            if got >= 0 {
                atEndOfFile = got == 0
                end += got
                return
            }
            guard errno == EINTR else { throw Self.failure(name, errno) }
        }
    }

    private static func failure(_ name: String, _ code: Int32) -> ReplayFailure {
        ReplayFailure(.usage, "\(name): \(String(cString: strerror(code)))")
    }
}

extension LineReader {
    /// The lines of a pipe as text.
    final class Owned {
        private var reader: LineReader

        init(descriptor: Int32) {
            reader = LineReader(descriptor: descriptor, name: "pipe")
        }

        func next() throws -> String? {
            var line: [UInt8] = []
            while let piece = try reader.next(beforeWaiting: {}) {
                line += reader.bytes(of: piece)
                if piece.endsLine { return String(decoding: line, as: UTF8.self) }
            }
            return nil
        }
    }
}
