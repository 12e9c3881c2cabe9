import Foundation
import TerminalModel

enum Output {
    /// Text for people. What a terminal or a target has sent cannot steer the reader's screen.
    static func line(_ text: String) { print(harmless(text)) }

    /// JSON for scripts, as it is.
    static func json(_ text: String) { print(text) }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((harmless(text) + "\n").utf8))
    }

    /// Control characters and changes of the writing direction become U+FFFD.
    static func harmless(_ text: String, keepingLines: Bool = true) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A where keepingLines: output.append(scalar)
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: output.append("\u{FFFD}")
            default: output.append(scalar)
            }
        }
        return String(output)
    }

    /// A time in the reader's own zone.
    static func time(_ time: Timestamp?) -> String {
        guard let time else { return "-" }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
        return formatter.string(from: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000))
    }

    static func flag(_ value: Bool) -> String { value ? "yes" : "no" }
}

/// Text in columns, as wide as their longest cell; Chinese characters count as two.
struct Table {
    private var rows: [[String]]

    init(_ header: String...) {
        rows = [header]
    }

    mutating func add(_ cells: String?...) {
        rows.append(cells.map { $0.map { $0.isEmpty ? "-" : Output.harmless($0, keepingLines: false) } ?? "-" })
    }

    var isEmpty: Bool { rows.count == 1 }

    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? Self.width(of: $0[column]) : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[index] - Self.width(of: cell))
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// The columns that a terminal needs for the text. Source: Unicode Standard Annex 11, wide and full-width ranges.
    static func width(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x0300...0x036F, 0x200B...0x200F, 0xFE00...0xFE0F: 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF,
            0x20000...0x3FFFD:
            2
        default: 1
        }
    }
}
