import Foundation
import GatewayTelemetry
import Logging
import TerminalModel
import Testing

@Suite struct LogTests {
    /// What a logger writes into a real pipe.
    private func written(
        form: StandardErrorLogHandler.Form, level: Logger.Level = .trace, _ body: (inout Logger) -> Void
    ) throws -> [String] {
        let pipe = Pipe()
        var logger = Logger(label: "gateway") { label in
            StandardErrorLogHandler(
                label: label, level: level, form: form, descriptor: pipe.fileHandleForWriting.fileDescriptor,
                now: { Timestamp(milliseconds: 1_772_332_212_031) })
        }
        body(&logger)
        try pipe.fileHandleForWriting.close()
        let data = try #require(try pipe.fileHandleForReading.readToEnd())
        let text = try #require(String(bytes: data, encoding: .utf8))
        #expect(text.hasSuffix("\n"))
        return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test func journaldGetsPriorityAndNoTime() throws {
        let lines = try written(form: .journald) { logger in
            logger.trace("Bytes")
            logger.debug("Session")
            logger.info("State")
            logger.notice(
                "Incident opened", metadata: .keyed([.incidentID: "7F3A0001C9D20044", .incidentService: "emergency"]))
            logger.warning("Retry")
            logger.error("Failed")
            logger.critical("No channel works")
        }
        #expect(
            lines == [
                "<7>Bytes", "<7>Session", "<6>State",
                "<5>Incident opened incident.id=7F3A0001C9D20044 incident.service=emergency", "<4>Retry",
                "<3>Failed", "<2>No channel works",
            ])
    }

    @Test func elsewhereALineBeginsWithTheTime() throws {
        let lines = try written(form: .plain, level: .info) { logger in
            logger[.frameProtocol] = "jt808"
            logger.debug("Left out")
            logger.info("Terminal registered", metadata: .keyed([.terminalID: "17700000101"]))
        }
        #expect(
            lines == [
                "2026-03-01T02:30:12.031Z info gateway: Terminal registered frame.protocol=jt808 "
                    + "terminal.id=17700000101"
            ])
    }

    @Test func textFromOutsideStaysOnItsLine() throws {
        let lines = try written(form: .journald) { logger in
            logger.info(
                "Text",
                metadata: .keyed([.errorDetail: "a\n<2>forged \"quoted\" \\ \u{1B}[31m \u{202E}x", .count: ""]))
        }
        #expect(
            lines == [
                #"<6>Text count="" error.detail="a\n<2>forged \"quoted\" \\ \u{1b}[31m \u{202e}x""#
            ])
    }

    @Test func endlessTextIsCut() throws {
        let lines = try written(form: .journald) { logger in
            logger.info("Text", metadata: .keyed([.errorDetail: .string(String(repeating: "x", count: 40_000))]))
        }
        #expect(lines.count == 1)
        #expect(lines.first?.utf8.count == 16_383)
    }

    @Test(arguments: [true, false])
    func aReaderThatStandsStillStopsNobody(isSocket: Bool) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue)
        #expect((isSocket ? socketpair(AF_UNIX, type, 0, &ends) : pipe(&ends)) == 0)
        defer { ends.forEach { close($0) } }
        let handler = StandardErrorLogHandler(label: "t", form: .journald, descriptor: ends[1])
        let logger = Logger(label: "t") { _ in handler }
        // Far more than any buffer holds; a handler that waited would never come back.
        for _ in 0..<4000 { logger.notice("\(String(repeating: "x", count: 1000))") }
    }

    @Test func journaldIsKnownByTheFileItself() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        var status = stat()
        #expect(fstat(descriptor, &status) == 0)
        let own = "\(status.st_dev):\(status.st_ino)"
        #expect(StandardErrorLogHandler.Form.detect(environment: own, descriptor: descriptor) == .journald)
        #expect(StandardErrorLogHandler.Form.detect(environment: "1:2", descriptor: descriptor) == .plain)
        #expect(StandardErrorLogHandler.Form.detect(environment: nil, descriptor: descriptor) == .plain)
    }

    @Test func repeatsAreLimitedPerTerminalAndCode() throws {
        let limiter = LogLimiter(intervalMilliseconds: 1_000)
        let first = try #require(TerminalID("17700000101"))
        let second = try #require(TerminalID("17700000102"))
        #expect(limiter.admit(.frameBadIntegrity, terminal: first, at: 0) == .write(suppressed: 0))
        #expect(limiter.admit(.frameBadIntegrity, terminal: first, at: 1) == .suppress)
        #expect(limiter.admit(.frameBadIntegrity, terminal: first, at: 999) == .suppress)
        #expect(limiter.admit(.frameBadIntegrity, terminal: second, at: 999) == .write(suppressed: 0))
        #expect(limiter.admit(.frameBadLength, terminal: first, at: 999) == .write(suppressed: 0))
        #expect(limiter.admit(.frameBadIntegrity, terminal: first, at: 1_000) == .write(suppressed: 2))
        #expect(limiter.admit(.frameBadIntegrity, terminal: first, at: 2_000) == .write(suppressed: 0))
    }

    @Test func aFullLimiterStaysBounded() {
        let limiter = LogLimiter(intervalMilliseconds: 1_000)
        for index in 0..<LogLimiter.maximumEntries {
            _ = limiter.admit(.serialFailed, terminal: TerminalID(nibbles: UInt128(index)), at: 0)
        }
        let late = (0..<100).map {
            limiter.admit(.serialFailed, terminal: TerminalID(nibbles: UInt128(1_000_000 + $0)), at: 10)
        }
        #expect(late == [.write(suppressed: 0)] + Array(repeating: .suppress, count: 99))
        let fresh = limiter.admit(.serialFailed, terminal: TerminalID(nibbles: 5_000_000), at: 5_000)
        #expect(fresh == .write(suppressed: 0))
    }

    @Test(arguments: ErrorCode.allCases) func everyCodeIsExplained(code: ErrorCode) {
        #expect(code.explanation.count > 20)
        #expect(code.rawValue.wholeMatch(of: /[a-z0-9_]+/) != nil)
    }
}
