internal import Histogram

/// What one kind of report came to.
struct LoadLane {
    var sent: UInt64 = 0
    var acknowledged: UInt64 = 0
    /// Answered with a result that is neither 0 nor 4; not counted as acknowledged.
    var refused: UInt64 = 0
    /// Due, but the terminal had no connection.
    var notSent: UInt64 = 0
    /// From the time that the report was due to the arrival of its answer, microseconds.
    var latency = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

    var unacknowledged: UInt64 { sent - min(sent, acknowledged + refused) }
}

/// What a load run found out; several processes' results are added.
struct LoadResult {
    var ordinary = LoadLane()
    var sos = LoadLane()
    var connected: UInt64 = 0
    var failed: UInt64 = 0
    /// Connections that ended while the run was on.
    var closed: UInt64 = 0
    /// Commands of the platform that were answered.
    var commands: UInt64 = 0
    var brokenFrames: UInt64 = 0
    /// Logins that were said again because no answer came.
    var loginsRepeated: UInt64 = 0
    /// Processor time of the generator during the run, set-up left out.
    var cpuMicroseconds: UInt64 = 0
    /// The part of one core that the busiest generator thread used, in thousandths.
    var busiestPerMille: UInt64 = 0
    var setUpMicroseconds: UInt64 = 0
    /// From the start to the last answer.
    var runMicroseconds: UInt64 = 0
    /// From the call to the established connection, microseconds.
    var connect = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// From the established connection to the answer of 0x0102, microseconds.
    var registration = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// From the beginning of the storm until a terminal could report again, microseconds.
    var stormServed = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// From the leaving of an SOS during the storm to its answer, microseconds.
    var stormSOS = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// How late reports left, microseconds.
    var slip = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    var firstError: String?

    var isComplete: Bool {
        failed == 0 && [ordinary, sos].allSatisfy { $0.unacknowledged == 0 && $0.notSent == 0 && $0.refused == 0 }
    }

    private static let sums: [(String, any WritableKeyPath<LoadResult, UInt64> & Sendable)] = [
        ("ordinary.sent", \.ordinary.sent), ("ordinary.acknowledged", \.ordinary.acknowledged),
        ("ordinary.refused", \.ordinary.refused), ("ordinary.notSent", \.ordinary.notSent),
        ("sos.sent", \.sos.sent), ("sos.acknowledged", \.sos.acknowledged), ("sos.refused", \.sos.refused),
        ("sos.notSent", \.sos.notSent), ("connected", \.connected), ("failed", \.failed), ("closed", \.closed),
        ("commands", \.commands), ("brokenFrames", \.brokenFrames), ("loginsRepeated", \.loginsRepeated),
        ("cpuMicroseconds", \.cpuMicroseconds),
    ]

    private static let maxima: [(String, any WritableKeyPath<LoadResult, UInt64> & Sendable)] = [
        ("busiestPerMille", \.busiestPerMille), ("setUpMicroseconds", \.setUpMicroseconds),
        ("runMicroseconds", \.runMicroseconds),
    ]

    private static let histograms: [(String, any WritableKeyPath<LoadResult, Histogram<UInt64>> & Sendable)] = [
        ("ordinary.latency", \.ordinary.latency), ("sos.latency", \.sos.latency), ("connect", \.connect),
        ("registration", \.registration), ("stormServed", \.stormServed), ("stormSOS", \.stormSOS), ("slip", \.slip),
    ]

    /// The lane of one kind of report, changed in place.
    subscript(isSOS isSOS: Bool) -> LoadLane {
        get { isSOS ? sos : ordinary }
        _modify {
            if isSOS { yield &sos } else { yield &ordinary }
        }
    }

    mutating func add(_ other: LoadResult) {
        for (_, path) in Self.sums { self[keyPath: path] += other[keyPath: path] }
        for (_, path) in Self.maxima { self[keyPath: path] = max(self[keyPath: path], other[keyPath: path]) }
        for (_, path) in Self.histograms { self[keyPath: path].add(other[keyPath: path]) }
        firstError = firstError ?? other.firstError
    }

    /// One line for each number, for the process that adds them up.
    var lines: [String] {
        var lines = (Self.sums + Self.maxima).map { "\($0.0) \(self[keyPath: $0.1])" }
        for (name, path) in Self.histograms {
            let values = self[keyPath: path].recordedValues().map { " \($0.value):\($0.count)" }
            lines.append(name + values.joined())
        }
        if let firstError { lines.append("firstError \(firstError)") }
        return lines
    }

    /// Reads what `lines` wrote; unknown lines are passed over.
    mutating func read(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard let name = words.first else { return }
        if let (_, path) = (Self.sums + Self.maxima).first(where: { $0.0 == name }) {
            self[keyPath: path] = words.count > 1 ? UInt64(words[1]) ?? 0 : 0
        } else if let (_, path) = Self.histograms.first(where: { $0.0 == name }) {
            for word in words.dropFirst() {
                let parts = word.split(separator: ":")
                guard parts.count == 2, let value = UInt64(parts[0]), let count = UInt64(parts[1]) else { continue }
                self[keyPath: path].record(value, count: count)
            }
        } else if name == "firstError" {
            firstError = words.dropFirst().joined(separator: " ")
        }
    }
}
