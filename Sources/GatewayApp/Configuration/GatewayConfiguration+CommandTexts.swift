import IncidentCore
import TerminalProtocols

extension GatewayConfiguration {
    /// Keys are names of commands, values the texts that a model understands them by; an empty one means that it cannot.
    ///
    /// A text goes to terminals as it stands here, so that it passes the guard of emergency numbers like everything that a
    /// terminal may dial (promise P7).
    static func readCommandTexts(_ table: TableReader) -> [String: String] {
        var table = table
        let names = GT06CommandTexts.names.map { "\"\($0)\"" }.joined(separator: ", ")
        var texts: [String: String] = [:]
        for key in table.keys {
            guard GT06CommandTexts.names.contains(key) else {
                table.report(key, found: "the command \"\(key)\"", allowed: "one of \(names)")
                continue
            }
            let limit = GT06Command.maximumTextBytes
            let text = table.parsed(key, allowed: "a text of at most \(limit) ASCII characters") {
                $0.utf8.count <= limit && $0.utf8.allSatisfy { $0 < 0x80 } ? $0 : nil
            }
            guard let text else { continue }
            if let fault = DialledText(text).fault {
                table.report(key, found: fault.found, allowed: fault.allowed)
            } else {
                texts[key] = text
            }
        }
        return texts
    }
}

/// What a terminal could be made to dial by a command text.
struct DialledText {
    /// The first thing in it that must not be sent.
    private(set) var fault: (found: String, allowed: String)?

    init(_ text: String) {
        for part in Self.numbers(in: text) {
            if case .emergency(let code, _) = DialledNumber(part) {
                fault = (
                    "\"\(part)\", which reaches the emergency service \(code) where a terminal dials it",
                    "texts without an emergency number; write a number that is none with a {placeholder}"
                )
                return
            }
        }
        // With nothing in front, an operator's message would itself be the command, and could name any number.
        if text.first(where: { $0.isLetter || $0 == "{" }) == "{" {
            fault = ("a placeholder in front in \"\(text)\"", "a text that begins with the name of a command")
            return
        }
        // What is filled in was judged alone: digits beside it would make another number of it.
        let characters = Array(text)
        for (left, right) in zip(characters, characters.dropFirst())
        where left.isNumber && right == "{" || left == "}" && right.isNumber {
            fault = (
                "a digit right beside a placeholder in \"\(text)\"",
                "a placeholder with something else on both sides"
            )
            return
        }
    }

    /// Runs of digits with what people write between them.
    private static func numbers(in text: String) -> [String] {
        text.split { !$0.isNumber && !" +-./()_".contains($0) }.map(String.init)
            .filter { $0.contains(where: \.isNumber) }
    }
}
