import CGPS
public import TerminalModel

/// Follows the gateway's own position through gpsd on a thread of its own, and comes back to it without end.
///
/// The only place that touches libgps.
public final class GatewayFixWatch: Sendable {
    /// Pauses before gpsd is looked for again: the first, and what they double up to.
    static let pausesMilliseconds: ClosedRange<Int32> = 500...5_000
    /// How long the thread waits for a report before it looks at the time.
    private static let waitMilliseconds: Int32 = 250
    private static let tickMilliseconds: Int64 = 1_000

    private let host: String
    private let port: String
    private let staleSeconds: Int
    private let clockWarningMilliseconds: Int
    private let now: @Sendable () -> Moment
    private let pauses: ClosedRange<Int32>
    private let thread = StoppableThread()

    /// - Parameters:
    ///   - host: A numeric address.
    ///   - now: Wall and monotonic time.
    public convenience init(
        host: String, port: Int, staleSeconds: Int, clockWarningMilliseconds: Int,
        now: @escaping @Sendable () -> Moment
    ) {
        self.init(
            host: host, port: port, staleSeconds: staleSeconds, clockWarningMilliseconds: clockWarningMilliseconds,
            pauses: Self.pausesMilliseconds, now: now)
    }

    init(
        host: String, port: Int, staleSeconds: Int, clockWarningMilliseconds: Int, pauses: ClosedRange<Int32>,
        now: @escaping @Sendable () -> Moment
    ) {
        self.pauses = pauses
        self.host = host
        self.port = "\(port)"
        self.staleSeconds = staleSeconds
        self.clockWarningMilliseconds = clockWarningMilliseconds
        self.now = now
    }

    /// Begins to follow; `report` is called on the watch's thread with each change and at least every second, and with true
    /// when a connection was made.
    public func start(_ report: @escaping @Sendable (GatewayFix, _ connected: Bool) -> Void) {
        thread.start("ydt-position") { [self] in
            var tracker = GatewayFixTracker(
                staleSeconds: staleSeconds, clockWarningMilliseconds: clockWarningMilliseconds, now: now().wall)
            var pause = pauses.lowerBound
            while !thread.isStopping {
                var error: Int32 = 0
                if let gps = ydt_gps_open(host, port, &error) {
                    tracker.connected(now: now())
                    report(tracker.fix, true)
                    if follow(gps, &tracker, report) { pause = pauses.lowerBound }
                    ydt_gps_close(gps)
                    if thread.isStopping { return }
                    tracker.disconnected("gpsd closed the connection", now: now())
                } else {
                    let text = String(cString: ydt_gps_error_text(error))
                    tracker.disconnected("no gpsd at \(host) port \(port): \(text)", now: now())
                }
                report(tracker.fix, false)
                thread.bell.wait(nil, milliseconds: pause)
                pause = min(pause * 2, pauses.upperBound)
            }
        }
    }

    /// Ends the thread and waits for it.
    public func stop() { thread.stop() }

    /// Until gpsd is gone; true when it has reported anything.
    private func follow(
        _ gps: UnsafeMutablePointer<gps_data_t>, _ tracker: inout GatewayFixTracker,
        _ report: (GatewayFix, Bool) -> Void
    ) -> Bool {
        var found = ydt_gps_report()
        var hasReported = false
        var tickedAt = now().monotonicMilliseconds
        while !thread.isStopping {
            let result = ydt_gps_read(gps, Self.waitMilliseconds, &found)
            guard result >= 0 else { return hasReported }
            let moment = now()
            if result > 0 {
                hasReported = true
                tracker.report(FixReport(found), now: moment)
                report(tracker.fix, false)
            }
            if moment.monotonicMilliseconds - tickedAt >= Self.tickMilliseconds {
                tickedAt = moment.monotonicMilliseconds
                tracker.tick(now: moment)
                report(tracker.fix, false)
            }
        }
        return hasReported
    }
}

extension FixReport {
    fileprivate init(_ report: ydt_gps_report) {
        let receiver = withUnsafeBytes(of: report.receiver) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(
            receiver: receiver,
            place: report.has_fix == 0
                ? nil
                : Place(
                    latitudeDegrees: report.latitude, longitudeDegrees: report.longitude,
                    altitudeMetres: report.has_altitude == 0 ? nil : report.altitude,
                    accuracyMetres: report.has_accuracy == 0 ? nil : report.accuracy),
            time: report.has_time == 0 ? nil : Timestamp(milliseconds: report.milliseconds))
    }
}
