public import TerminalModel

/// The time column that a line of a replay file may begin with.
///
/// A replay file is text, one frame a line: `[TIME] HEX`, or for watches `[TIME] TEXT`. Blank lines and lines that begin with `#` are skipped. TIME is
/// either `@` and milliseconds since the start of the recording (`@1500`), or an ISO 8601 time with zone
/// (`2026-03-14T02:10:12.031Z`). A line without a time follows the line before it at once.
///
///     # two frames, 1.5 s apart
///     @0     7e000200000177000001010003777e
///     @1500  7e0102000a017700000101000250412d415554482d3031657e
public enum ReplayTime: Sendable, Equatable {
    /// Since the start of the recording.
    case milliseconds(Int64)
    case date(Timestamp)

    /// On one scale with the others of its file.
    var milliseconds: Int64 {
        switch self {
        case .milliseconds(let value): value
        case .date(let time): time.milliseconds
        }
    }
}

/// One line of input, taken apart.
enum ReplayLine {
    /// Blank or a comment.
    case nothing
    /// Digits begin at this offset of the line.
    case frame(time: ReplayTime?, offset: Int)

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Looks at the start of a line.
    init(_ line: ArraySlice<UInt8>) {
        var index = line.startIndex
        if line.starts(with: Self.byteOrderMark) { index += 3 }
        index = Self.skipSpaces(line, index)
        guard index < line.endIndex, line[index] != UInt8(ascii: "#") else {
            self = .nothing
            return
        }
        var end = index
        // An ISO time is 29 characters with milliseconds and zone; a longer word is none.
        while end < line.endIndex, end - index < 32, !Self.isSpace(line[end]) { end += 1 }
        if let time = Self.time(line[index..<end]) {
            self = .frame(time: time, offset: Self.skipSpaces(line, end) - line.startIndex)
        } else {
            self = .frame(time: nil, offset: index - line.startIndex)
        }
    }

    private static func time(_ word: ArraySlice<UInt8>) -> ReplayTime? {
        if word.first == UInt8(ascii: "@") {
            return Int64(String(decoding: word.dropFirst(), as: UTF8.self)).flatMap {
                $0 >= 0 ? .milliseconds($0) : nil
            }
        }
        guard word.count >= 20, word[word.startIndex + 4] == UInt8(ascii: "-") else { return nil }
        return Timestamp(String(decoding: word, as: UTF8.self)).map(ReplayTime.date)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }

    private static func skipSpaces(_ line: ArraySlice<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < line.endIndex, isSpace(line[index]) { index += 1 }
        return index
    }
}
