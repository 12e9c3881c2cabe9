import TerminalModel

/// How long a text and a list may be in one rendering.
struct TextLimits {
    /// UTF-8 bytes of one ordinary text.
    var textBytes: Int
    /// Elements of one list.
    var elements: Int

    /// Tried from the first on until a body fits. At the smallest the sum of all parts cannot reach the limit.
    static let sizes = [
        TextLimits(textBytes: 4_000, elements: 32), TextLimits(textBytes: 1_500, elements: 16),
        TextLimits(textBytes: 600, elements: 8), TextLimits(textBytes: 250, elements: 6), smallest,
    ]
    static let smallest = TextLimits(textBytes: 100, elements: 4)
}

/// Cleans texts, cuts them to their limits and remembers whether it had to.
struct TextCutter {
    private let limits: TextLimits
    private(set) var didCut = false

    init(limits: TextLimits) {
        self.limits = limits
    }

    /// No real name or number comes near this; only a guard against an endless body.
    private static let identityBytes = 512
    private static let numberBytes = 128

    mutating func text(_ text: String) -> String {
        Self.cut(Self.clean(text), bytes: limits.textBytes, didCut: &didCut)
    }

    /// A text that must stay whole however small the rest becomes.
    mutating func identity(_ text: String) -> String {
        Self.cut(Self.clean(text), bytes: Self.identityBytes, didCut: &didCut)
    }

    mutating func number(_ text: String) -> String {
        Self.cut(Self.clean(text), bytes: Self.numberBytes, didCut: &didCut)
    }

    mutating func first<Element>(_ list: [Element]) -> ArraySlice<Element> {
        if list.count > limits.elements { didCut = true }
        return list.prefix(limits.elements)
    }

    mutating func texts(_ list: [String]) -> JSONValue {
        .array(first(list).map { .string(text($0)) })
    }

    /// Cuts between Unicode scalars so that the text with its mark has at most that many bytes of UTF-8. Quotation
    /// marks and backslashes count twice, as in JSON.
    static func cut(_ text: String, bytes limit: Int, didCut: inout Bool) -> String {
        let mark: Unicode.Scalar = "…"
        var size = 0
        var room = text.unicodeScalars.startIndex
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            size += scalar == "\"" || scalar == "\\" ? 2 : UTF8.width(scalar)
            if size <= limit - UTF8.width(mark) { room = text.unicodeScalars.index(after: index) }
            if size > limit {
                didCut = true
                var output = String.UnicodeScalarView(text.unicodeScalars[..<room])
                output.append(mark)
                return String(output)
            }
        }
        return text
    }

    /// Takes out what could steer a screen: control characters (breaks become a space), bidirectional overrides,
    /// invisible tags. Source: escalation document section 0, rule 6.
    static func clean(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D, 0x85, 0x2028, 0x2029: output.append(" ")
            case 0..<0x20, 0x7F..<0xA0: break
            case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: break
            case 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: break
            default: output.append(scalar)
            }
        }
        return String(output)
    }
}
