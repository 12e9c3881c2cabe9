internal import Reactor

/// The simulated terminals of one process in flat arrays, and the reports that wait for their answers.
struct LoadTerminals {
    enum State: UInt8 {
        /// Failed, or ended by the gateway.
        case closed
        case connecting
        case loggingIn
        case ready
        /// Lost in a storm, about to connect again.
        case dropped
    }

    /// A report in flight, packed into one word: time due (nanoseconds from the start) 47 | serial number 16 | SOS 1; 0 is none.
    private struct InFlight {
        let word: Int64

        init(due: Int64, serial: UInt16, isSOS: Bool) {
            word = (due + 1) << 17 | Int64(serial) << 1 | (isSOS ? 1 : 0)
        }

        init(word: Int64) { self.word = word }

        var due: Int64 { word >> 17 - 1 }
        var serial: UInt16 { UInt16(truncatingIfNeeded: word >> 1) }
        var isSOS: Bool { word & 1 == 1 }
    }

    /// A terminal's reports in flight at once at most; older ones count as unacknowledged.
    private static let maximumRing = 32_768
    private static let minimumRing = 4

    let count: Int
    var state: [State]
    /// The terminal's connection, or the socket that it shares with others.
    var connection: [Connection]
    /// The serial number of its next message.
    var serial: [UInt16]
    /// When the step that is under way began, nanoseconds.
    var since: [Int64]
    /// When its login was sent last, for a bearer that loses messages; nanoseconds.
    var loginSent: [Int64]
    private(set) var inFlightCount = 0
    private var inFlight: [Int64]
    private let ring: Int
    private let serials: ClosedRange<UInt16>

    init(_ options: LoadOptions, serials: ClosedRange<UInt16>) {
        self.serials = serials
        count = options.ownTerminals.count
        state = Array(repeating: .closed, count: count)
        connection = Array(repeating: Connection(rawValue: 0), count: count)
        serial = Array(repeating: serials.lowerBound, count: count)
        since = Array(repeating: 0, count: count)
        loginSent = Array(repeating: 0, count: options.isDatagram ? count : 0)
        // Reports that are due while answers are waited for, twice over; a login takes places too.
        let perTerminal =
            (options.reportsPerSecond + options.sosPerSecond) / Double(options.terminals) * options.timeoutSeconds * 2
            + Double(options.inFlight * 2)
        var ring = Self.minimumRing
        while Double(ring) < perTerminal, ring < Self.maximumRing { ring *= 2 }
        self.ring = ring
        inFlight = Array(repeating: 0, count: count * ring)
    }

    /// Takes the terminal's next serial number.
    mutating func takeSerial(_ terminal: Int) -> UInt16 {
        let taken = serial[terminal]
        serial[terminal] = taken == serials.upperBound ? serials.lowerBound : taken + 1
        return taken
    }

    mutating func remember(_ terminal: Int, due: Int64, serial: UInt16, isSOS: Bool) {
        let place = terminal * ring + (Int(serial) & (ring - 1))
        if inFlight[place] == 0 { inFlightCount += 1 }
        inFlight[place] = InFlight(due: due, serial: serial, isSOS: isSOS).word
    }

    /// The report that an answer with this serial number belongs to.
    mutating func answered(_ terminal: Int, serial: UInt16) -> (due: Int64, isSOS: Bool)? {
        let place = terminal * ring + (Int(serial) & (ring - 1))
        let found = InFlight(word: inFlight[place])
        guard found.word != 0, found.serial == serial else { return nil }
        inFlight[place] = 0
        inFlightCount -= 1
        return (found.due, found.isSOS)
    }

    /// The reports of a terminal whose answers cannot come any more, because its connection ended.
    mutating func takeUnanswered(_ terminal: Int) -> [(due: Int64, isSOS: Bool)] {
        var taken: [(due: Int64, isSOS: Bool)] = []
        for place in terminal * ring..<(terminal + 1) * ring where inFlight[place] != 0 {
            let found = InFlight(word: inFlight[place])
            inFlight[place] = 0
            inFlightCount -= 1
            taken.append((found.due, found.isSOS))
        }
        return taken
    }
}

/// Reports that came due while their terminal was not connected, each terminal's in order.
struct LoadBacklog {
    private struct Entry {
        var due: Int64
        var isSOS: Bool
        var next: Int32
    }

    private var entries: [Entry] = []
    /// The oldest and the newest entry of a terminal.
    private var ends: [Int: (first: Int32, last: Int32)] = [:]

    var isEmpty: Bool { ends.isEmpty }

    mutating func add(_ terminal: Int, due: Int64, isSOS: Bool) {
        let index = Int32(entries.count)
        entries.append(Entry(due: due, isSOS: isSOS, next: -1))
        guard let end = ends[terminal] else {
            ends[terminal] = (index, index)
            return
        }
        entries[Int(end.last)].next = index
        ends[terminal] = (end.first, index)
    }

    /// All that waits for a terminal, the oldest first.
    mutating func take(_ terminal: Int) -> [(due: Int64, isSOS: Bool)] {
        guard var index = ends.removeValue(forKey: terminal)?.first else { return [] }
        var taken: [(due: Int64, isSOS: Bool)] = []
        while index >= 0 {
            let entry = entries[Int(index)]
            taken.append((entry.due, entry.isSOS))
            index = entry.next
        }
        if ends.isEmpty { entries.removeAll() }
        return taken
    }
}
