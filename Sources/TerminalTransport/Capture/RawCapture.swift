import AlarmPipeline
import CoreMetrics
import Foundation
import GatewayTelemetry
import Logging
import Reactor
import Synchronization
import TerminalModel

/// Takes raw bytes from the loops and writes them to files on a thread of its own.
///
/// A loop never waits: what the queue has no room for is left out, counted, and said in the file.
final class RawCapture: Sendable {
    static let maximumQueuedPieces = 16_384
    static let maximumQueuedBytes = 32 << 20
    private static let piecesPerTurn = 1024
    /// A disk that failed is tried again after this time; what comes before is left out.
    private static let retryMilliseconds: Int64 = 10_000

    private struct Loss: Sendable {
        var pieces = 0
        var bytes = 0
    }

    private let queue: Mailbox<CaptureRecord>
    private let queuedBytes = Atomic<Int>(0)
    private let leftOut = Mutex(Loss())
    private let settings: Mutex<CaptureSettings>
    private let isStopping = Atomic<Bool>(false)
    private let finished = DispatchSemaphore(value: 0)
    private let written = GatewayMetric.captureBytes.counter("written")
    private let refused = GatewayMetric.captureBytes.counter("queue_full")
    private let failed = GatewayMetric.captureBytes.counter("disk_error")
    private let logger: Logger

    /// - Throws: when the system has no descriptor left.
    init(_ settings: CaptureSettings, logger: Logger) throws(ReactorError) {
        queue = try Mailbox(name: "capture", capacity: Self.maximumQueuedPieces)
        self.settings = Mutex(settings)
        self.logger = logger
        let thread = Thread { [self] in run() }
        thread.name = "ydt-capture"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Files are begun by these rules from now on.
    func change(to new: CaptureSettings) {
        settings.withLock { $0 = new }
    }

    /// Takes a piece over from any thread, or leaves it out.
    func record(_ record: CaptureRecord) {
        let count = record.bytes.count
        let (_, queued) = queuedBytes.add(count, ordering: .relaxed)
        if queued <= Self.maximumQueuedBytes, queue.post(record) { return }
        _ = queuedBytes.subtract(count, ordering: .relaxed)
        refused.increment(by: count)
        leftOut.withLock {
            $0.pieces += 1
            $0.bytes += count
        }
    }

    /// Writes what is queued and ends the file.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        finished.wait()
        finished.signal()
    }

    private func run() {
        try? Thread.current.name?.write(toFile: "/proc/thread-self/comm", atomically: false, encoding: .utf8)
        var files = CaptureFiles(settings.withLock { $0 })
        var blockedUntil: Int64 = 0
        while true {
            // Read first, so that nothing that was posted before is left behind.
            let isLast = isStopping.load(ordering: .acquiring)
            _ = queue.wait(milliseconds: isLast ? 0 : 200)
            var lines: [UInt8] = []
            var bytes = 0
            queue.drain(maximum: Self.piecesPerTurn) { record in
                record.json.write(to: &lines)
                lines.append(0x0A)
                bytes += record.bytes.count
            }
            _ = queuedBytes.subtract(bytes, ordering: .relaxed)
            let now = SystemClock.now().wall
            appendLoss(&lines, now)
            guard !lines.isEmpty else {
                if isLast { break }
                continue
            }
            files.change(to: settings.withLock { $0 })
            guard now.milliseconds >= blockedUntil else {
                failed.increment(by: bytes)
                continue
            }
            do throws(CaptureFileError) {
                try files.append(lines, now: now)
                written.increment(by: bytes)
            } catch {
                failed.increment(by: bytes)
                blockedUntil = now.milliseconds + Self.retryMilliseconds
                logger.error(
                    "Raw bytes cannot be recorded",
                    metadata: .keyed([
                        .errorCode: "\(ErrorCode.captureFailed.rawValue)", .errorDetail: "\(error)",
                    ]))
            }
        }
        finished.signal()
    }

    private func appendLoss(_ lines: inout [UInt8], _ now: Timestamp) {
        let loss = leftOut.withLock { loss in
            defer { loss = Loss() }
            return loss
        }
        guard loss.pieces > 0 else { return }
        CaptureRecord.leftOut(pieces: loss.pieces, bytes: loss.bytes, at: now).write(to: &lines)
        lines.append(0x0A)
    }
}
