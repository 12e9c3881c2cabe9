import Foundation
import Glibc
import Histogram
import Reactor
import TerminalModel
import TerminalProtocols
import Testing

@testable import ReplayKit

/// The forms of load beside the plain one: datagrams, several reports at once, as fast as answers come, and storms.
@Suite struct LoadFormsTests {
    @Test func terminalsShareSocketsOverUDP() throws {
        let log = Log()
        let (thread, address) = try TrivialAcknowledger.start(isDatagram: true) { header, body in
            log.append(header, body)
            return header.messageID == 0x0100 ? .register(code: "CODE") : .acknowledge(result: 0)
        }
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address, terminals: 300)
        options.bearer = .udp
        options.sockets = 3
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        #expect(report.result.connected == 300 && report.result.registration.totalCount == 300)
        #expect(report.result.ordinary.acknowledged == 200 && report.result.sos.acknowledged == 10)
        #expect(log.phones.count == 300)
    }

    @Test func terminalsWithoutLoginAreReadyAtOnce() throws {
        let (thread, address) = try TrivialAcknowledger.start(isDatagram: true)
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address, terminals: 50_000)
        options.bearer = .udp
        options.registers = false
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        #expect(report.result.connected == 50_000 && report.result.registration.totalCount == 0)
    }

    @Test func loginsThatAreLostAreSaidAgain() throws {
        let log = Log()
        let (thread, address) = try TrivialAcknowledger.start(isDatagram: true) { header, body in
            log.append(header, body)
            // The first word of every terminal is lost.
            let isFirst = log.messages.filter { $0 == 0x0100 }.count <= 5
            return header.messageID != 0x0100 ? .acknowledge(result: 0) : isFirst ? .silence : .register(code: "CODE")
        }
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address, terminals: 5)
        options.bearer = .udp
        options.timeoutSeconds = 5
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        #expect(report.result.loginsRepeated == 5)
    }

    @Test func reportsInFlightLeaveTogether() throws {
        let (thread, address) = try TrivialAcknowledger.start()
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address)
        options.inFlight = 10
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        #expect(report.result.ordinary.acknowledged == 200)
        // 20 writes of ten reports each, 10 SOS, and two for each login.
        let reads = thread.counters.reads
        #expect(reads >= 20 && reads < 150, "\(reads)")
    }

    @Test func saturationKeepsAsManyInFlightAsAreAsked() throws {
        let (thread, address) = try TrivialAcknowledger.start()
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address, terminals: 4)
        options.saturates = true
        options.sosPerSecond = 0
        options.inFlight = 3
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        // 1,000 reports a second were asked for and have no meaning.
        #expect(report.result.ordinary.acknowledged > 300)
        #expect(report.result.runMicroseconds >= 200_000)
    }

    @Test(arguments: [LoadOptions.Bearer.tcp, .udp])
    func afterAStormEveryTerminalIsServedAndNothingIsLost(_ bearer: LoadOptions.Bearer) throws {
        let log = Log()
        let (thread, address) = try TrivialAcknowledger.start(isDatagram: bearer == .udp) { header, body in
            log.append(header, body)
            return header.messageID == 0x0100 ? .register(code: "CODE") : .acknowledge(result: 0)
        }
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address, terminals: 200)
        options.bearer = bearer
        options.stormSeconds = 0.1
        options.timeoutSeconds = 5
        let report = try LoadRun.run(options)
        #expect(report.isComplete, "\(report.text)")
        #expect(report.result.stormServed.totalCount == 200)
        #expect(report.result.connected == 200 && report.result.closed == 0)
        #expect(log.messages.filter { $0 == 0x0100 }.count == 400)
        #expect(report.result.ordinary.acknowledged == 200 && report.result.sos.acknowledged == 10)
        let storm = try #require(jsonObject(report.json.text)?["storm"] as? NSDictionary)
        #expect(storm["served"] as? Int == 200)
    }

    @Test func reportsOfALostTerminalWaitInOrder() {
        var backlog = LoadBacklog()
        #expect(backlog.isEmpty && backlog.take(1).isEmpty)
        for due: Int64 in 0..<6 { backlog.add(Int(due % 2), due: due, isSOS: due == 4) }
        let even = backlog.take(0)
        #expect(even.map(\.due) == [0, 2, 4] && even.map(\.isSOS) == [false, false, true])
        backlog.add(1, due: 9, isSOS: false)
        #expect(backlog.take(1).map(\.due) == [1, 3, 5, 9])
        #expect(backlog.isEmpty)
    }

    @Test func theProcessUnderLoadIsMeasured() throws {
        let (thread, address) = try TrivialAcknowledger.start()
        defer { thread.stop(drainMilliseconds: 0) }
        var options = LoadOptions.small(address)
        options.processID = getpid()
        let report = try LoadRun.run(options)
        let usage = try #require(report.usage)
        #expect(usage.frames == 210 && usage.cpuMicroseconds > 0 && usage.bytesBefore > 1_000_000)
        #expect(usage.bytesPeak >= usage.bytesConnected)
        #expect(usage.threads["acknowledger"] ?? 0 > 0, "\(usage.threads)")
        let process = try #require(jsonObject(report.json.text)?["process"] as? NSDictionary)
        #expect(process["cpu_us_per_frame"] as? Double ?? 0 > 0)
        options.processID = .max
        #expect(throws: ReplayFailure.self) { try LoadRun.run(options) }
    }

    @Test func formsThatExcludeEachOtherAreRefused() throws {
        let here = SocketAddress(ipv4: 0x7F00_0001, port: 1)
        func isRefused(_ change: (inout LoadOptions) -> Void) -> Bool {
            var options = LoadOptions.small(here)
            change(&options)
            do { try options.check() } catch { return true }
            return false
        }
        #expect(!isRefused { _ in })
        #expect(isRefused { $0.stormSeconds = 0.2 })
        #expect(
            isRefused {
                $0.stormSeconds = 0.1
                $0.saturates = true
            })
        #expect(isRefused { $0.inFlight = 0 })
        #expect(isRefused { $0.sockets = 0 })
        // Sockets are shared: half a million terminals need no ports of their own.
        #expect(
            !isRefused {
                $0.terminals = 500_000
                $0.bearer = .udp
                $0.sources = 1
            })
    }
}
