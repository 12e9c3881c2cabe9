import Foundation
import Glibc
import Synchronization
import TerminalModel
import Testing

@testable import HostDevices

/// Says what gpsd says to a new client and ends the connection at once, again and again, as if it were killed each time.
private final class MortalDaemon: Sendable {
    private let listener: Int32
    let port: Int
    private let isStopping = Atomic<Bool>(false)

    init(_ lines: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(bound)
        port = Int(UInt16(bigEndian: address.sin_port))
        let bytes = Array(lines.utf8)
        Thread { [self] in
            while !isStopping.load(ordering: .relaxed) {
                let peer = accept(listener, nil, nil)
                guard peer >= 0 else { return }
                _ = send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                shutdown(peer, Int32(SHUT_WR))
                // Until the client has gone: its request would else turn the end into a reset, which loses what was said.
                var rest = [UInt8](repeating: 0, count: 256)
                while read(peer, &rest, rest.count) > 0 {}
                close(peer)
            }
        }.start()
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

private func residentKibibytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
}

private func now() -> Moment {
    let wall = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    return Moment(wall: wall, monotonicMilliseconds: Int64(ProcessInfo.processInfo.systemUptime * 1000))
}

@Suite(.serialized) struct GatewayFixWatchTests {
    private static let version = #"{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}"#
    private static let fix =
        #"{"class":"TPV","device":"/dev/ttyS7","mode":3,"time":"2026-03-14T02:10:12.000Z","lat":28.23,"lon":112.94,"#
        + #""altMSL":61.0,"eph":5.5}"#

    private static func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    /// In a process of its own, whose memory no other test changes.
    @Test(.timeLimit(.minutes(2))) func aThousandDeathsOfGpsdLeaveNothingBehind() async {
        await #expect(processExitsWith: .success) {
            let daemon = try MortalDaemon("\(Self.version)\n\(Self.fix)\n")
            let watch = GatewayFixWatch(
                host: "127.0.0.1", port: daemon.port, staleSeconds: 10, clockWarningMilliseconds: 2_000, pauses: 1...1,
                now: now)
            let (fixes, continuation) = AsyncStream.makeStream(of: GatewayFix.self)
            let before = try Self.openDescriptors()
            watch.start { fix, _ in continuation.yield(fix) }
            var cycles = 0
            var settled = 0
            var seen = 0
            for await fix in fixes {
                if fix.state == .fix {
                    seen += 1
                    precondition(fix.position?.latitudeDegrees == 28.23)
                    precondition(fix.position?.accuracyMetres == 6)
                    precondition(fix.receiver == "/dev/ttyS7")
                }
                guard fix.state == .disconnected else { continue }
                precondition(fix.currentPosition == nil)
                cycles += 1
                if cycles == 200 { settled = try residentKibibytes() }
                if cycles == 1_000 { break }
            }
            watch.stop()
            precondition(seen >= 1_000, "\(seen) fixes in \(cycles) cycles")
            let grown = Double(try residentKibibytes()) / Double(settled)
            precondition((0.95...1.05).contains(grown), "resident memory is \(grown) of what it was 800 cycles ago")
            // The daemon's thread may be about to close its last peer.
            for _ in 0..<200 where try Self.openDescriptors() > before { usleep(10_000) }
            let after = try Self.openDescriptors()
            precondition(after <= before, "\(before) descriptors became \(after)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func withoutGpsdItSaysSoAndStopsAtOnce() async throws {
        let watch = GatewayFixWatch(
            host: "127.0.0.1", port: 1, staleSeconds: 10, clockWarningMilliseconds: 2_000, now: now)
        let (fixes, continuation) = AsyncStream.makeStream(of: GatewayFix.self)
        watch.start { fix, _ in continuation.yield(fix) }
        for await fix in fixes {
            #expect(fix.state == .disconnected)
            #expect(fix.reason.contains("no gpsd at 127.0.0.1 port 1"))
            break
        }
        let began = ContinuousClock.now
        watch.stop()
        #expect(ContinuousClock.now - began < .seconds(3))
    }
}
