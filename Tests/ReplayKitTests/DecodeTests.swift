import Foundation
import Glibc
import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

@Suite struct DecodeTests {
    private let frame = "7e000200000177000001010003777e"

    private func decode(_ text: String, _ options: DecodeOptions = DecodeOptions()) throws -> (DecodeSummary, [String])
    {
        let input = try TemporaryFile(text)
        let output = try TemporaryFile("")
        let descriptor = open(output.path, O_WRONLY)
        defer { close(descriptor) }
        let summary = try Decoding.run(paths: [input.path], options: options, output: descriptor)
        let lines = try String(contentsOfFile: output.path, encoding: .utf8).split(separator: "\n").map(String.init)
        return (summary, lines)
    }

    private func error(_ line: String) throws -> NSDictionary {
        try #require(jsonObject(line)?["error"] as? NSDictionary)
    }

    @Test func everyExampleHasItsFields() throws {
        let examples = Example.frames
        try #require(examples.count == 30)
        var decoder = try #require(ProtocolRegistration.named(.jt808)).makeDecoder()
        for example in examples {
            for frame in decoder.decode(frame: example.bytes) {
                for line in Decoding.lines(for: frame, protocolName: .jt808, showsFields: true) {
                    let object = try #require(jsonObject(line.text))
                    #expect(object["fields"] as? NSDictionary == example.expected, "\(example.name)")
                }
            }
        }
    }

    @Test func theFileFormAndTheStreamFormSayTheSame() throws {
        let lines = Example.frames.map(\.hex)
        let alone = try decode(lines.joined(separator: "\n"), DecodeOptions(showsFields: true))
        let stream = try decode(lines.joined(separator: "\n"), DecodeOptions(isStream: true, showsFields: true))
        #expect(alone.0.failed == 0 && alone.0.decoded == lines.count)
        #expect(alone.0 == stream.0)
        #expect(alone.1 == stream.1)
        let oneLine = try decode(lines.joined(), DecodeOptions(isStream: true, showsFields: true))
        #expect(oneLine.1 == stream.1)
    }

    @Test(arguments: Example.streams) func streamsGiveTheirFrames(_ example: Example) throws {
        let (summary, _) = try decode(example.hex, DecodeOptions(isStream: true))
        #expect(summary.decoded == (example.expected["frames"] as? [String])?.count)
        let pending = example.expected["pendingHex"] == nil ? 0 : 1
        #expect(summary.failed == (example.expected["dropped"] as? Int ?? 0) + pending)
    }

    @Test func linesMayBeSpacedCommentedTimedAndInAnyCase() throws {
        let spaced = frame.enumerated().map { $0.offset % 2 == 0 ? " \($0.element)" : "\($0.element)" }.joined()
        let text = """
            \u{FEFF}# a comment

              \t
            \(spaced.uppercased())\r
            @1500 \(frame)
            2026-03-14T02:10:12.031Z\t\(frame)
              # another
            \(frame)
            """
        let (summary, lines) = try decode(text)
        #expect(summary == DecodeSummary(decoded: 4, failed: 0))
        #expect(Set(lines).count == 1)
    }

    @Test(arguments: [
        ("7e0002zz", 6), ("hello", 0), ("7e 00 2", 7), ("  7e\u{1}", 4), ("@12 7e0g", 7), ("7e00 # no", 5),
    ])
    func whatIsNotHexIsAnErrorWithItsPlace(_ line: String, _ offset: Int) throws {
        let (summary, lines) = try decode("\(frame)\n\(line)\n\(frame)\n")
        #expect(summary == DecodeSummary(decoded: 2, failed: 1))
        let error = try error(lines[1])
        #expect(error["code"] as? String == "bad_value")
        #expect(error["field"] as? String == "hex")
        #expect(error["offset"] as? Int == offset)
        #expect(jsonObject(lines[1])?["hex"] as? String == line)
    }

    @Test func noiseAroundAFrameIsPassedOver() throws {
        let (summary, _) = try decode("00ff0d0a\(frame)0d0a\n")
        #expect(summary == DecodeSummary(decoded: 1, failed: 0))
    }

    @Test(arguments: ["00", "7e", "7e7e", "7e007e", "0d0a", "7e00020000"])
    func aLineWithoutAFrameIsAnError(_ line: String) throws {
        let (summary, lines) = try decode(line)
        #expect(summary == DecodeSummary(decoded: 0, failed: 1))
        #expect(lines.count == 1)
        let stream = try decode(line, DecodeOptions(isStream: true))
        #expect(stream.0 == DecodeSummary(decoded: 0, failed: 1))
    }

    @Test func aLineOfAnyLengthIsReadInBoundedMemory() throws {
        let endless = String(repeating: "00", count: LineReader.longestPiece)
        let (summary, lines) = try decode("\(endless)\n\(frame)\n")
        #expect(summary == DecodeSummary(decoded: 1, failed: 1))
        #expect(lines.allSatisfy { $0.utf8.count < 1000 })
        let many = String(repeating: frame, count: 20_000)
        let stream = try decode(many, DecodeOptions(isStream: true))
        #expect(stream.0 == DecodeSummary(decoded: 20_000, failed: 0))
    }

    /// A change, a cut and an insertion at every byte of every example say something and never trap.
    @Test(arguments: Example.frames) func everyDamageOfAFrameGivesALine(_ example: Example) {
        var decoder = ProtocolChoice(nil, keys: .none)
        let bytes = example.bytes
        func check(_ damaged: [UInt8]) {
            let frames = decoder.decode(frame: damaged)
            let lines = frames.flatMap { Decoding.lines(for: $0, protocolName: .jt808, showsFields: true) }
            if lines.isEmpty || frames.isEmpty { Issue.record("silence for \(damaged)") }
        }
        for index in bytes.indices {
            for change: UInt8 in [0x7D, 0x7E, bytes[index] ^ 1] {
                var damaged = bytes
                damaged[index] = change
                check(damaged)
            }
            var damaged = bytes
            damaged.insert(index % 2 == 0 ? 0x7E : bytes[index], at: index)
            check(damaged)
            damaged = bytes
            damaged.remove(at: index)
            check(damaged)
            check(index % 2 == 0 ? Array(bytes[..<index]) : Array(bytes[index...]))
        }
    }
}

@Suite struct ExplainTests {
    @Test func aBrokenFrameSaysWhatIsWrong() throws {
        let broken = Explanation(try Explanation.bytes(hex: "7e000200000177000001010003767e"))
        #expect(!broken.isWhole)
        #expect(broken.text.contains("bad_integrity"))
        #expect(Explanation(try Explanation.bytes(hex: "7E 00 02 00 00 01 77 00 00 01 01 00 03 77 7E")).isWhole)
    }

    @Test(arguments: Example.frames) func everyExampleIsWhole(_ example: Example) {
        #expect(Explanation(example.bytes).isWhole)
    }

    @Test func damageIsExplainedWithoutATrap() {
        for example in Example.frames {
            for index in stride(from: 0, to: example.bytes.count, by: 3) {
                var damaged = example.bytes
                damaged[index] ^= 0x40
                #expect(!Explanation(damaged).text.isEmpty)
                #expect(!Explanation(Array(example.bytes[..<index])).isWhole)
            }
        }
    }
}

@Suite struct ToolTests {
    private let good = "7e000200000177000001010003777e"
    private let bad = "7e000200000177000001010003767e"

    @Test func exitStatusTellsHowItWent() throws {
        #expect(try ToolRun("decode", input: good).status == 0)
        #expect(try ToolRun("decode", "-", input: good + "\n" + bad).status == 3)
        #expect(try ToolRun("decode", input: "nonsense").status == 3)
        #expect(try ToolRun("decode", input: "").status == 0)
        #expect(try ToolRun("decode", "--protocol", "jt808", "--fields", "--stream", input: good).status == 0)
        #expect(try ToolRun("explain", good).status == 0)
        #expect(try ToolRun("explain", bad).status == 3)
        #expect(try ToolRun("--help").status == 0)
        #expect(try ToolRun("decode", "--help").status == 0)
    }

    @Test(arguments: [
        ["decode", "--protocol", "unknown"], ["decode", "--no-such-option"], ["explain"], ["explain", "7e0"],
        ["nothing"], ["decode", "/nonexistent/file"], ["decode", "/"],
    ])
    func wrongUsageIsTwo(_ arguments: [String]) throws {
        let run = try ToolRun(arguments: arguments)
        #expect(run.status == 2)
        #expect(!run.errors.isEmpty && run.output.isEmpty)
    }

    @Test func linesAreThoseOfTheDesign() throws {
        let run = try ToolRun("decode", input: good)
        let line =
            #"{"protocol":"jt808","terminal":"17700000101","message":"0x0002","sequence":3,"kind":"heartbeat","historical":false}"#
        #expect(run.lines == [line])
    }
}
