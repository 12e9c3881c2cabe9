import Foundation
import Glibc
import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

/// A watch's frame may stand in a file as text, beside frames in hex.
@Suite struct WatchDecodeTests {
    private let text = "[3G*1000000003*000C*LK,1520,3,83]"
    private let hex = "5b33472a313030303030303030332a303030432a4c4b2c313532302c332c38335d"
    private let jt808 = "7e000200000177000001010003777e"

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

    @Test func textAndHexSayTheSame() throws {
        let lines =
            "# a comment\n\(text)\r\n  \(text)\n@1500 \(text)\n2026-03-14T02:10:12.031Z \(hex)\n\(jt808)\n\(text)\n"
        let (summary, output) = try decode(lines)
        #expect(summary == DecodeSummary(decoded: 6, failed: 0))
        #expect(Set(output).count == 2)
        #expect(output[0].hasPrefix(#"{"protocol":"watch","terminal":"1000000003","message":"LK""#))
        #expect(output[4].hasPrefix(#"{"protocol":"jt808""#))
        #expect(try decode(lines, DecodeOptions(protocolName: .watch)).0 == DecodeSummary(decoded: 5, failed: 1))
    }

    @Test func textIsAStreamToo() throws {
        let halves = "\(text.prefix(20))\n\(text.dropFirst(20))\n"
        let (summary, _) = try decode("\(text)\n\(text)\n\(hex)", DecodeOptions(isStream: true))
        #expect(summary == DecodeSummary(decoded: 3, failed: 0))
        // Only a line that begins with a bracket is text.
        #expect(try decode(halves, DecodeOptions(isStream: true)).0.failed > 0)
    }

    @Test func aFrameWhoseLengthIsTooLongIsFoundAtTheEnd() throws {
        let long = "[3G*1000000003*00FF*AL,1]"
        let (summary, output) = try decode("\(text)\(long)", DecodeOptions(isStream: true))
        #expect(summary == DecodeSummary(decoded: 2, failed: 0))
        #expect(output.last?.contains(#""alarms":["other"]"#) == true)
    }

    @Test func explainTakesText() throws {
        let explanation = Explanation(try Explanation.bytes(hex: text))
        #expect(explanation.isWhole)
        #expect(explanation.text.contains("link keep"))
        #expect(!Explanation(try Explanation.bytes(hex: "[3G*1000000003*000D*LK,1520,3,83]")).isWhole)
    }
}
