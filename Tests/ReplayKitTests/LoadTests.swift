import Foundation
import Histogram
import Reactor
import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

@Suite struct LoadTests {
    private func options(_ address: SocketAddress?, terminals: Int = 20) -> LoadOptions {
        LoadOptions.small(address, terminals: terminals)
    }

    @Test func everyReportIsAcknowledgedAndMeasured() throws {
        let log = Log()
        let (thread, address) = try TrivialAcknowledger.start { header, body in
            log.append(header, body)
            return header.messageID == 0x0100 ? .register(code: "CODE") : .acknowledge(result: 0)
        }
        defer { thread.stop(drainMilliseconds: 0) }
        var options = options(address)
        options.sources = 3
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        #expect(report.result.ordinary.acknowledged == 200)
        #expect(report.result.sos.acknowledged == 10)
        #expect(report.result.connected == 20 && report.result.registration.totalCount == 20)
        #expect(log.phones.count == 20)
        #expect(log.messages.filter { $0 == 0x0200 }.count == 210)
        let json = try #require(jsonObject(report.json.text))
        let sos = try #require(json["sos"] as? NSDictionary)
        #expect(sos["acknowledged"] as? Int == 10)
        #expect((sos["latency_ms"] as? NSDictionary)?["p99.99"] is Double)
        #expect(report.text.contains("p99.99 ms"))
    }

    @Test func whatIsNotAcknowledgedIsCounted() throws {
        let (thread, address) = try TrivialAcknowledger.start { header, body in
            switch (header.messageID, body) {
            case (0x0100, _): .register(code: "CODE")
            case (0x0200, let body) where body[3] == 1: .silence
            case (0x0200, _) where header.flowID % 4 == 0: .acknowledge(result: 1)
            default: .acknowledge(result: 0)
            }
        }
        defer { thread.stop(drainMilliseconds: 0) }
        let report = try LoadRun.run(options(address))
        #expect(!report.isComplete)
        #expect(report.result.sos.unacknowledged == 10)
        #expect(report.result.ordinary.refused > 0 && report.result.ordinary.unacknowledged == 0)
    }

    @Test func commandsAreAnsweredAndClosedConnectionsCounted() throws {
        let log = Log()
        let (thread, address) = try TrivialAcknowledger.start { header, body in
            log.append(header, body)
            var flowID: UInt16 = 7
            switch (header.messageID, header.flowID) {
            case (0x0200, 0):
                let ask = JT808Codec.encode(.queryLocation(JT808Bytes()), phone: header.phone, flowID: &flowID)
                return .bytes(ask.flatMap { $0 })
            case (0x0200, 3): return .close
            default: return .acknowledge(result: 0)
            }
        }
        defer { thread.stop(drainMilliseconds: 0) }
        var options = options(address)
        options.registers = false
        let report = try LoadRun.run(options)
        #expect(report.result.commands == 20)
        #expect(log.messages.filter { $0 == 0x0201 }.count == 20)
        #expect(report.result.closed == 20)
        #expect(report.result.ordinary.notSent > 0)
    }

    @Test func refusedRegistrationsAndRefusedConnectionsFail() throws {
        let (thread, address) = try TrivialAcknowledger.start { header, _ in
            header.messageID == 0x0102 ? .acknowledge(result: 1) : .register(code: "CODE")
        }
        let report = try LoadRun.run(options(address, terminals: 5))
        #expect(report.result.failed == 5 && report.result.connected == 5 && !report.isComplete)
        #expect(report.result.firstError?.contains("authentication was refused") == true)
        thread.stop(drainMilliseconds: 0)
        thread.waitUntilStopped()
        #expect(throws: ReplayFailure.self) { try LoadRun.run(options(address, terminals: 5)) }
    }

    @Test func lateReportsCountFromTheTimeThatWasFixed() throws {
        let (thread, address) = try TrivialAcknowledger.start()
        defer { thread.stop(drainMilliseconds: 0) }
        // The start lies 100 ms back, so half of the reports leave late, the first one by all of it.
        let result = try LoadRun.runHere(options(address)) { MonotonicClock.nanoseconds - 100_000_000 }
        #expect(result.isComplete)
        #expect(result.slip.max >= 99_000)
        #expect(result.ordinary.latency.valueAtPercentile(90) > 70_000)
        #expect(!LoadReport(options: options(address), result: result).bottlenecks.isEmpty)
    }

    @Test func requestsThatMakeNoSenseAreRefused() throws {
        let here = SocketAddress(ipv4: 0x7F00_0001, port: 1)
        #expect(throws: ReplayFailure.self) { try options(SocketAddress(ipv4: 0x0A00_0001, port: 1)).check() }
        var remote = options(SocketAddress(ipv4: 0x0A00_0001, port: 1))
        remote.allowsRemote = true
        #expect(throws: Never.self) { try remote.check() }
        #expect(remote.source(of: 0) == nil)
        var crowded = options(here, terminals: 17_000)
        crowded.sources = 2
        #expect(throws: ReplayFailure.self) { try crowded.check() }
        crowded.sources = nil
        #expect(throws: Never.self) { try crowded.check() }
        let many = options(here, terminals: 100_000_0)
        let failure = #expect(throws: ReplayFailure.self) { try many.reserveDescriptors() }
        #expect(failure?.message.contains("--processes") == true)
    }

    @Test(arguments: [
        ("127.0.0.1:7611", true), ("localhost:1", true), ("[::1]:80", true), ("127.9.8.7:1", true),
        ("10.0.0.1:1", false),
        ("[2001:db8::1]:1", false),
    ])
    func targetsAreReadAndLoopbackIsKnown(_ text: String, _ isLoopback: Bool) throws {
        #expect(try NetworkTarget(text).isLoopback == isLoopback)
    }

    @Test(arguments: ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", ":1"])
    func targetsOfAnotherFormAreRefused(_ text: String) {
        #expect(throws: ReplayFailure.self) { try NetworkTarget(text) }
    }

    @Test func sharesAddUpToTheWhole() {
        for count in 1...5 {
            var terminals = 0
            var reports = 0
            for index in 0..<count {
                var part = LoadOptions(
                    target: nil, terminals: 1003, reportsPerSecond: 1234, sosPerSecond: 10, durationSeconds: 10)
                part.share = LoadOptions.Share(index: index, count: count)
                #expect(part.ownTerminals.lowerBound == terminals)
                terminals = part.ownTerminals.upperBound
                let schedule = LoadSchedule(part)
                reports += schedule.ordinaryCount + schedule.sosCount
                let last = schedule.ordinary(schedule.ordinaryCount - 1) ?? 0
                #expect(last <= schedule.durationNanoseconds && last % LoadSchedule.gridNanoseconds == 0)
                #expect(schedule.ordinary(schedule.ordinaryCount) == nil)
            }
            #expect(terminals == 1003)
            #expect(abs(reports - 12_440) <= count)
        }
    }

    @Test func resultsSurviveTheWayFromAWorker() {
        var result = LoadResult()
        result.sos.sent = 5
        result.sos.acknowledged = 4
        result.connected = 9
        result.firstError = "connect: Connection refused"
        for value: UInt64 in [1, 1, 77, 123_456, 60_000_000] { result.sos.latency.record(value) }
        var copy = LoadResult()
        for line in result.lines { copy.read(line: line) }
        #expect(copy.lines == result.lines)
        copy.add(result)
        #expect(copy.sos.unacknowledged == 2 && copy.sos.latency.totalCount == 10)
    }

    @Test func theToolTellsByItsStatus() throws {
        let run = try ToolRun(
            "load", "--self-test", "--terminals", "10", "--rate", "200", "--sos", "10", "--duration", "0.2s", "--json")
        #expect(run.status == 0, "\(run.errors)")
        #expect((jsonObject(run.output)?["ordinary"] as? NSDictionary)?["acknowledged"] as? Int == 40)
        #expect(try ToolRun("load", "--tcp", "192.0.2.1:1", "--terminals", "1", "--duration", "1").status == 2)
        #expect(try ToolRun("load", "--self-test", "--terminals", "1", "--duration", "x").status == 2)
        #expect(try ToolRun("load", "--tcp", "127.0.0.1:1", "--terminals", "1", "--duration", "1").status == 3)
    }

    @Test func severalProcessesShareTheWork() throws {
        let (thread, address) = try TrivialAcknowledger.start()
        defer { thread.stop(drainMilliseconds: 0) }
        let run = try ToolRun(
            "load", "--tcp", "\(address)", "--terminals", "21", "--rate", "400", "--sos", "20", "--duration", "0.2",
            "--processes", "2", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let json = try #require(jsonObject(run.output))
        #expect((json["setup"] as? NSDictionary)?["connected"] as? Int == 21)
        #expect((json["ordinary"] as? NSDictionary)?["acknowledged"] as? Int == 80)
    }
}

extension LoadOptions {
    /// 200 reports and 10 SOS in a fifth of a second.
    static func small(_ address: SocketAddress?, terminals: Int = 20) -> LoadOptions {
        var options = LoadOptions(
            target: address.map { NetworkTarget($0) }, terminals: terminals, reportsPerSecond: 1000, sosPerSecond: 50,
            durationSeconds: 0.2)
        options.timeoutSeconds = 0.3
        return options
    }
}
