public import TerminalModel
public import TerminalProtocols
internal import WireBytes

/// One frame, byte by byte, as a table for people.
public struct Explanation: Sendable {
    /// Bytes in one row; a longer field goes on in the next rows.
    private static let bytesPerRow = 8
    /// Wider values are not padded: one long text must not push all meanings off the screen.
    private static let widestColumn = 32

    public let fields: [ExplainedField]
    /// True when nothing in the frame is wrong.
    public let isWhole: Bool
    private let errors: [DecodeError]

    /// - Parameters:
    ///   - protocolName: nil tells the protocol by the bytes.
    ///   - keys: open what is encrypted.
    public init(_ bytes: [UInt8], protocolName: ProtocolName? = nil, keys: DecoderKeys = .none) {
        let registration =
            protocolName.flatMap(ProtocolRegistration.named) ?? ProtocolRegistration.recognised(in: bytes)
            ?? ProtocolRegistration.named(.jt808) ?? ProtocolRegistration.all[0]
        var decoder = registration.makeDecoder(keys: keys)
        fields = decoder.explain(bytes)
        errors = decoder.decode(frame: bytes).compactMap(\.error)
        isWhole = errors.isEmpty && !fields.contains(where: \.isWrong)
    }

    /// Reads the digits of one frame, or the text of a watch's.
    ///
    /// - Throws: `ReplayFailure` when `hex` is neither.
    public static func bytes(hex: String) throws(ReplayFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var digits = HexDigits()
        do throws(HexDigits.Problem) {
            try digits.read(Array(hex.utf8)[...], to: &bytes)
            try digits.finish()
        } catch {
            throw ReplayFailure(
                .usage,
                "not a frame in hex: expected \(error.expected) at character \(error.offset), found \(error.found)")
        }
        guard !bytes.isEmpty else { throw ReplayFailure(.usage, "not a frame in hex: no digits") }
        return bytes
    }

    /// The table, then what is wrong; a line each, wrong rows marked with `!` in front.
    public var text: String {
        var rows = [["offset", "bytes", "field", "value", "meaning"]]
        var marks = [" "]
        for field in fields {
            let first = field.bytes.prefix(Self.bytesPerRow)
            rows.append(["\(field.offset)", Self.hex(first), field.field, field.value, field.meaning])
            marks.append(field.isWrong ? "!" : " ")
            var start = first.count
            while start < field.bytes.count {
                let part = field.bytes[start..<min(start + Self.bytesPerRow, field.bytes.count)]
                rows.append(["\(field.offset + start)", Self.hex(part), "", "", ""])
                marks.append(" ")
                start += part.count
            }
        }
        var lines = Self.aligned(rows, marks)
        for error in errors { lines.append("wrong: \(error)") }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { Hex.text([$0]) }.joined(separator: " ")
    }

    private static func aligned(_ rows: [[String]], _ marks: [String]) -> [String] {
        let widths = (0..<5).map { column in
            rows.map { width(of: $0[column]) }.filter { $0 <= widestColumn }.max() ?? 0
        }
        return zip(rows, marks).map { row, mark in
            var line = mark
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: max(0, widths[column] - width(of: cell)))
                line += column == 0 ? " " + padding + cell : "  " + cell + padding
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Columns on a terminal: Chinese characters and full-width forms take two.
    private static func width(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60,
                0xFFE0...0xFFE6, 0x20000...0x3FFFD:
                sum + 2
            default: sum + 1
            }
        }
    }
}
