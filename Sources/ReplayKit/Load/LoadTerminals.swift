internal import Reactor
internal import TerminalProtocols

/// The simulated terminals of one process in flat arrays, and the reports that wait for their answers.
struct LoadTerminals {
    enum State: UInt8 {
        case closed, connecting, registering, authenticating, ready
    }

    /// A report in flight, packed into one word: time due (nanoseconds from the start) 47 | flow id 16 | SOS 1; 0 is none.
    private struct InFlight {
        let word: Int64

        init(due: Int64, flowID: UInt16, isSOS: Bool) {
            word = (due + 1) << 17 | Int64(flowID) << 1 | (isSOS ? 1 : 0)
        }

        init(word: Int64) { self.word = word }

        var due: Int64 { word >> 17 - 1 }
        var flowID: UInt16 { UInt16(truncatingIfNeeded: word >> 1) }
        var isSOS: Bool { word & 1 == 1 }
    }

    /// A terminal's reports in flight at once at most; older ones count as unacknowledged.
    private static let maximumRing = 32_768
    private static let minimumRing = 16

    let count: Int
    var state: [State]
    var connection: [Connection]
    var flowID: [UInt16]
    var cursor: [JT808Framer.Cursor]
    /// When the step of the set-up that is under way began.
    var since: [Int64]
    private(set) var inFlightCount = 0
    private var inFlight: [Int64]
    private let ring: Int

    init(_ options: LoadOptions) {
        count = options.ownTerminals.count
        state = Array(repeating: .closed, count: count)
        connection = Array(repeating: Connection(rawValue: 0), count: count)
        flowID = Array(repeating: 0, count: count)
        cursor = Array(repeating: JT808Framer.Cursor(), count: count)
        since = Array(repeating: 0, count: count)
        let perTerminal =
            (options.reportsPerSecond + options.sosPerSecond) / Double(options.terminals) * options.timeoutSeconds * 2
        var ring = Self.minimumRing
        while Double(ring) < perTerminal, ring < Self.maximumRing { ring *= 2 }
        self.ring = ring
        inFlight = Array(repeating: 0, count: count * ring)
    }

    mutating func remember(_ terminal: Int, due: Int64, flowID: UInt16, isSOS: Bool) {
        let place = terminal * ring + (Int(flowID) & (ring - 1))
        if inFlight[place] == 0 { inFlightCount += 1 }
        inFlight[place] = InFlight(due: due, flowID: flowID, isSOS: isSOS).word
    }

    /// The report that an answer with this flow id belongs to.
    mutating func answered(_ terminal: Int, flowID: UInt16) -> (due: Int64, isSOS: Bool)? {
        let place = terminal * ring + (Int(flowID) & (ring - 1))
        let found = InFlight(word: inFlight[place])
        guard found.word != 0, found.flowID == flowID else { return nil }
        inFlight[place] = 0
        inFlightCount -= 1
        return (found.due, found.isSOS)
    }
}
