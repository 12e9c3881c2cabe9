import AlarmPipeline
import EscalationChannels
import Foundation
import GatewayTelemetry
import TerminalModel
import Testing

/// `Tests/Peers/webhook_receiver.py` as a process: signatures are verified by code that is not ours.
///
/// Its Python is `$YIDIANTONG_TEST_VENV/bin/python3`, else `python3`; the package `standardwebhooks` must be there.
private final class PyPIReceiver {
    struct Entry: Decodable {
        var verified: Bool
        var error: String?
        var status: Int
        var id: String?
        var type: String?
        var received: String
    }

    private let process = Process()
    private let log: String
    let port: Int

    init(directory: TemporaryDirectory, secrets: [String], arguments: [String] = []) throws {
        log = directory.path("receiver-\(UUID().uuidString).jsonl")
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Peers/webhook_receiver.py").standardized.path
        let environment = ProcessInfo.processInfo.environment["YIDIANTONG_TEST_VENV"]
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            [environment.map { "\($0)/bin/python3" } ?? "python3", script, "--port", "0", "--log", log, "--secret"]
            + secrets + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(
            Int(line.trimmingCharacters(in: .whitespacesAndNewlines)),
            "the receiver did not start: install the Python package standardwebhooks")
    }

    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func entries() throws -> [Entry] {
        try Data(contentsOf: URL(filePath: log)).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Entry.self, from: Data($0))
        }
    }
}

@Suite struct PyPIReceiverTests {
    private func fixture(port: Int) throws -> ChannelFixture {
        // The package compares with the real clock.
        try ChannelFixture(url: "http://127.0.0.1:\(port)/hooks", now: StandardErrorLogHandler.wallClock)
    }

    @Test func theReferencePackageAcceptsOurSignatures() async throws {
        let directory = try TemporaryDirectory()
        let secrets = [
            try directory.write("old", Fixture.otherSecret), try directory.write("new", Fixture.secret),
        ]
        let receiver = try PyPIReceiver(
            directory: directory, secrets: secrets, arguments: ["--status", "500,503,200", "--retry-after", "2"])
        defer { receiver.stop() }
        let results = try await fixture(port: receiver.port).send(4)
        #expect(results[0].text.hasPrefix("retry after 2000 channel_refused: HTTP 500"), "\(results)")
        #expect(results[1].text.hasPrefix("retry after 2000 channel_refused: HTTP 503"))
        #expect(results[2].text.hasPrefix("accepted HTTP 200"))
        let entries = try receiver.entries()
        #expect(entries.map(\.verified) == [true, true, true, true], "\(entries)")
        #expect(entries.map(\.status) == [500, 503, 200, 200])
        #expect(entries.map(\.id) == (1...4).map { "inc_7F3A0001C9D20044_\($0)" })
        #expect(entries.allSatisfy { $0.type == "incident.opened" && Timestamp($0.received) != nil })
    }

    @Test func aWrongSecretIsNoticed() async throws {
        let directory = try TemporaryDirectory()
        let receiver = try PyPIReceiver(
            directory: directory, secrets: [try directory.write("other", Fixture.otherSecret)])
        defer { receiver.stop() }
        let results = try await fixture(port: receiver.port).send()
        #expect(results.first?.text.hasPrefix("retry after - channel_refused: HTTP 401") == true)
        let entries = try receiver.entries()
        #expect(entries.map(\.verified) == [false])
        #expect(entries.first?.error == "No matching signature found")
    }

    @Test func aTargetOfManyNoticesKeepsUp() async throws {
        let directory = try TemporaryDirectory()
        let receiver = try PyPIReceiver(
            directory: directory, secrets: [try directory.write("secret", Fixture.secret)])
        defer { receiver.stop() }
        let fixture = try fixture(port: receiver.port)
        let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...200 {
                group.addTask {
                    let notice = try Fixture.notice(number: number)
                    return await fixture.channel.send(notice, attempt: 1).text.hasPrefix("accepted")
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        await fixture.channel.shutdown()
        #expect(accepted == 200)
        let entries = try receiver.entries()
        #expect(Set(entries.map(\.id)).count == 200)
        #expect(entries.allSatisfy { $0.verified })
    }
}
