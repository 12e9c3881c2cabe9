import Foundation
import Glibc
import Testing

/// One case of the corpus.
struct Example: Sendable, CustomTestStringConvertible {
    let name: String
    let hex: String
    /// `expected` as Foundation reads it.
    nonisolated(unsafe) let expected: NSDictionary

    var testDescription: String { name }

    var bytes: [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)
        }
    }

    static let frames = load("frames")
    static let streams = load("streams")
    static let all = frames + streams

    private static func load(_ name: String) -> [Example] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus/JT808/\(name).jsonl")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            guard let object = jsonObject(String(line)), let name = object["name"] as? String,
                let hex = object["hex"] as? String, let expected = object["expected"] as? NSDictionary
            else { return nil }
            return Example(name: name, hex: hex, expected: expected)
        }
    }
}

func jsonObject(_ text: String) -> NSDictionary? {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? NSDictionary
}

/// A file that is gone with the test.
final class TemporaryFile {
    let path: String

    init(_ text: String) throws {
        path = NSTemporaryDirectory() + "replay-\(UUID().uuidString)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    deinit {
        unlink(path)
    }
}

/// One run of the built tool.
struct ToolRun {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    init(_ arguments: String..., input: String = "") throws {
        try self.init(arguments: arguments, input: input)
    }

    init(arguments: [String], input: String = "") throws {
        let tool = Process()
        tool.executableURL = try #require(Bundle.main.executableURL).deletingLastPathComponent()
            .appending(path: "framereplay")
        tool.arguments = arguments
        let (standardInput, standardOutput, standardError) = (try TemporaryFile(input), try TemporaryFile(""), Pipe())
        tool.standardInput = FileHandle(forReadingAtPath: standardInput.path)
        tool.standardOutput = FileHandle(forWritingAtPath: standardOutput.path)
        tool.standardError = standardError
        try tool.run()
        errors = String(decoding: standardError.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        tool.waitUntilExit()
        status = tool.terminationReason == .exit ? tool.terminationStatus : -tool.terminationStatus
        output = try String(contentsOfFile: standardOutput.path, encoding: .utf8)
    }
}
