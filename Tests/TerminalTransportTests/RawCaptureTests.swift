import Foundation
import Logging
import TerminalModel
import Testing

@testable import TerminalTransport

@Suite struct RawCaptureTests {
    /// A directory that is gone with the test.
    private final class Directory {
        let path = NSTemporaryDirectory() + "captures-\(UUID().uuidString)"

        var files: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().map { "\(path)/\($0)" }
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private static func lines(_ path: String) throws -> [NSDictionary] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            try #require((try JSONSerialization.jsonObject(with: Data(line.utf8))) as? NSDictionary)
        }
    }

    private static func record(_ bytes: [UInt8]) -> CaptureRecord {
        CaptureRecord(
            time: Timestamp(milliseconds: 1_773_454_212_031), session: "s", direction: .incoming, transport: .tcp,
            listener: "127.0.0.1:1", peer: "127.0.0.1:2", protocolName: .gt06, bytes: bytes)
    }

    @Test func aPieceIsALine() {
        #expect(
            Self.record([0x78, 0x0D]).json.text
                == #"{"time":"2026-03-14T02:10:12.031Z","session":"s","direction":"in","transport":"tcp","listener":"127.0.0.1:1","peer":"127.0.0.1:2","protocol":"gt06","bytes":"780d"}"#
        )
        var gap = Self.record([1])
        gap.missing = 7
        #expect(gap.json.text.contains(#""missing":7,"bytes":"01""#))
        gap.missing = nil
        #expect(gap.json.text.contains(#""missing":"unknown""#))
    }

    @Test func filesAreForTheirOwnerAndBounded() throws {
        let directory = Directory()
        var files = CaptureFiles(
            CaptureSettings(directory: directory.path, maximumFileBytes: 1000, maximumTotalBytes: 3000))
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 299) + [0x0A]
        for index in 0..<20 {
            try files.append(line, now: Timestamp(milliseconds: 1_773_454_212_000 + Int64(index)))
        }
        files.end()
        #expect(directory.files.count == 3)
        for file in directory.files {
            let facts = try FileManager.default.attributesOfItem(atPath: file)
            #expect(facts[.posixPermissions] as? Int == 0o600)
            #expect((facts[.size] as? Int ?? 0) <= 1000)
            #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix(CaptureRecord.header.text))
        }
        #expect(
            try FileManager.default.attributesOfItem(atPath: directory.path)[.posixPermissions] as? Int == 0o700)
    }

    @Test func aDirectoryThatCannotBeIsAnError() throws {
        let file = Directory()
        try "no directory".write(toFile: file.path, atomically: false, encoding: .utf8)
        var files = CaptureFiles(CaptureSettings(directory: file.path + "/captures"))
        #expect(throws: CaptureFileError.self) { try files.append([0x0A], now: Timestamp(milliseconds: 0)) }
    }

    /// More than the queue holds comes at once: what has no room is said in the file, and every byte is accounted for.
    @Test func whatHasNoRoomIsLeftOutAndSaid() throws {
        let directory = Directory()
        let capture = try RawCapture(
            CaptureSettings(directory: directory.path, maximumFileBytes: 1 << 30, maximumTotalBytes: 1 << 30),
            logger: Logger(label: "test"))
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        let count = 3 * RawCapture.maximumQueuedBytes / piece.count
        for _ in 0..<count { capture.record(Self.record(piece)) }
        capture.stop()
        let lines = try directory.files.flatMap(Self.lines)
        let written = lines.count { $0["bytes"] is String }
        let leftOut = lines.compactMap { $0["left_out"] as? NSDictionary }
        let lost = leftOut.reduce(0) { $0 + ($1["pieces"] as? Int ?? 0) }
        #expect(written + lost == count)
        #expect(lost > 0 && written > 0)
        #expect(leftOut.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } == lost * piece.count)
    }

    @Test func whatWasTakenIsWrittenBeforeTheEnd() throws {
        let directory = Directory()
        let capture = try RawCapture(CaptureSettings(directory: directory.path), logger: Logger(label: "test"))
        for index in 0..<5000 { capture.record(Self.record([UInt8(index % 256)])) }
        capture.stop()
        let bytes = try directory.files.flatMap(Self.lines).compactMap { $0["bytes"] as? String }
        #expect(bytes.count == 5000)
        #expect(bytes.prefix(3) == ["00", "01", "02"])
    }
}
