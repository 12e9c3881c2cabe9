/// Reads hexadecimal digits of either case with spaces, tabs and colons anywhere between them; a line may come in pieces.
///
/// A line that begins with `[` is no hex but the text of a watch's frame, which is its own bytes.
struct HexDigits {
    /// Why a line is not hexadecimal.
    struct Problem: Error, Equatable {
        /// The character of the line, counted from 0.
        let offset: Int
        let expected: String
        let found: String
    }

    private static let space: UInt8 = 0xFE
    private static let wrong: UInt8 = 0xFF
    private static let values: [UInt8] = (0...255).map { (byte: UInt8) in
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        case 0x20, 0x09, 0x0D, 0x3A: space
        default: wrong
        }
    }

    private var high: UInt8?
    private var column = 0
    private let firstColumn: Int
    private var isText = false

    /// - Parameter column: where in its line the first byte stands that will be read.
    init(column: Int = 0) {
        self.column = column
        firstColumn = column
    }

    /// Appends the bytes that `text` stands for; what was complete before a problem is appended too.
    mutating func read(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) throws(Problem) {
        if column == firstColumn { isText = text.first == UInt8(ascii: "[") }
        guard !isText else {
            bytes += text
            column += text.count
            return
        }
        var pending = high
        for index in text.indices {
            let value = Self.values[Int(text[index])]
            if value < 16 {
                if let first = pending {
                    bytes.append(first << 4 | value)
                    pending = nil
                } else {
                    pending = value
                }
            } else if value == Self.wrong {
                throw Problem(
                    offset: column + index - text.startIndex, expected: "hexadecimal digits",
                    found: Self.name(text[index]))
            }
        }
        high = pending
        column += text.count
    }

    /// Ends the line.
    mutating func finish() throws(Problem) {
        guard high != nil else { return }
        throw Problem(offset: column, expected: "an even number of digits", found: "the end of the line")
    }

    private static func name(_ byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
    }
}
