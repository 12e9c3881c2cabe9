import Foundation
import TerminalModel
import Testing
import WireBytes

/// One recorded case: a line of `Tests/Corpus/<protocol>/*.jsonl`.
struct CorpusCase: Sendable, CustomTestStringConvertible {
    let name: String
    let direction: String
    let kind: String
    let bytes: [UInt8]
    /// The line as it stands, for the parts that differ by kind.
    let line: String

    var testDescription: String { name }

    func member(_ key: String) -> Any? {
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?[key]
    }

    static func load(_ path: String) -> [CorpusCase] {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus").appending(path: path)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { fatalError("no corpus at \(url)") }
        return text.split(separator: "\n").map { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let name = object["name"] as? String, let direction = object["direction"] as? String,
                let kind = object["kind"] as? String, let hex = object["hex"] as? String,
                let bytes = Hex.bytes(hex)
            else { fatalError("not a corpus line in \(path): \(line)") }
            return CorpusCase(name: name, direction: direction, kind: kind, bytes: bytes, line: String(line))
        }
    }
}

/// JSON in a form that can be compared: keys sorted, so that order does not count, and true is not 1.
func canonical(_ value: Any?) -> String {
    guard let value, let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys]) else {
        return "absent"
    }
    return String(decoding: data, as: UTF8.self)
}

func canonical(_ value: JSONValue) -> String {
    canonical(try? JSONSerialization.jsonObject(with: Data(value.text.utf8), options: [.fragmentsAllowed]))
}

/// A small seeded generator: the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
    mutating func word() -> UInt16 { UInt16(truncatingIfNeeded: next()) }
    mutating func dword() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }
}
