import TerminalModel

/// Reads the HTTP header `Retry-After`. Source: RFC 9110 sections 5.6.7 and 10.2.3.
enum RetryAfter {
    /// Milliseconds from now, 0 or more; nil when the text is neither seconds nor a date.
    static func milliseconds(_ text: String, now: Timestamp) -> Int? {
        let trimmed = text.drop { $0 == " " || $0 == "\t" }
        if !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return (Int(trimmed) ?? maximumSeconds).clamped(to: 0...maximumSeconds) * 1000
        }
        guard let date = date(String(trimmed)) else { return nil }
        return Int((date.milliseconds - now.milliseconds).clamped(to: 0...Int64(maximumSeconds) * 1000))
    }

    /// A day; what is beyond is the outbox's business.
    private static let maximumSeconds = 86_400

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The three forms a recipient must read: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`,
    /// `Sun Nov  6 08:49:37 1994`.
    private static func date(_ text: String) -> Timestamp? {
        let parts = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        let fields: (day: String, month: String, year: String, time: String)
        switch parts.count {
        case 6 where parts[5] == "GMT": fields = (parts[1], parts[2], parts[3], parts[4])
        case 5: fields = (parts[2], parts[1], parts[4], parts[3])
        default: return nil
        }
        let time = fields.time.split(separator: ":").compactMap { Int($0) }
        guard let day = Int(fields.day), let month = months.firstIndex(of: fields.month),
            var year = Int(fields.year), time.count == 3
        else { return nil }
        // Two digits: the years from 1970 on, then this century.
        if fields.year.count == 2 { year += year < 70 ? 2000 : 1900 }
        return Timestamp(
            year: year, month: month + 1, day: day, hour: time[0], minute: time[1], second: min(time[2], 59))
    }
}

extension Comparable {
    func clamped(to range: ClosedRange<Self>) -> Self {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
