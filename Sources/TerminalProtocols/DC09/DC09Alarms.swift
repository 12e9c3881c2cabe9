public import TerminalModel

/// What the event codes of one model of panel mean: the document's table, or that with some rows changed.
///
/// Source: section 1.9 read from the receiver's side, and its list of neighbours.
public struct DC09Alarms: Sendable, Equatable {
    /// What one code says.
    enum Meaning: Equatable {
        case alarm(AlarmKind)
        /// The panel tries whether it is heard.
        case test
        /// Opened, closed, bypassed: the daily life of a house.
        case nothing
    }

    /// Contact ID events.
    private static let events: [ClosedRange<Int>: Meaning] = [
        100...101: .alarm(.sos),  // medical, personal emergency
        102...102: .alarm(.welfare),  // did not report in
        110...119: .alarm(.fire),
        120...120: .alarm(.sos),  // panic on a fixed call point
        121...122: .alarm(.duress),  // duress, silent
        123...123: .alarm(.sos),  // audible panic
        124...125: .alarm(.duress),  // at entry, at exit
        130...136: .alarm(.intrusion),
        137...137: .alarm(.tamper),
        138...142: .alarm(.intrusion),
        143...143: .alarm(.deviceFault),
        144...145: .alarm(.tamper),
        146...146: .alarm(.intrusion),
        147...147: .alarm(.deviceFault),
        151...151: .alarm(.gas),
        152...153: .alarm(.temperature),
        158...159: .alarm(.temperature),
        162...162: .alarm(.gas),  // carbon monoxide
        300...300: .alarm(.deviceFault),
        301...301: .alarm(.powerCut),
        302...302: .alarm(.lowBattery),
        303...304: .alarm(.deviceFault),
        305...305: .alarm(.powerOn),  // started again
        306...306: .nothing,
        307...307: .alarm(.deviceFault),
        308...308: .alarm(.powerOff),
        309...310: .alarm(.deviceFault),
        311...311: .alarm(.lowBattery),  // missing
        312...354: .alarm(.deviceFault),  // sounders, modules, paths
        355...356: .alarm(.supervisionLost),  // of the radio, of polling
        357...380: .alarm(.deviceFault),
        381...382: .alarm(.supervisionLost),  // a radio sensor, such as a pendant; a module
        383...383: .alarm(.tamper),
        384...384: .alarm(.lowBattery),  // of a radio sensor, such as a pendant
        385...393: .alarm(.deviceFault),
        400...405: .nothing,
        406...406: .alarm(.sosCleared),  // cancelled by the person
        407...499: .nothing,
        500...599: .nothing,
        601...603: .test,
        604...607: .nothing,
        608...608: .test,
        609...699: .nothing,
    ]

    /// SIA codes.
    private static let codes: [String: Meaning] = [
        "QA": .alarm(.sos), "MA": .alarm(.sos), "PA": .alarm(.sos), "QH": .alarm(.sosCleared),
        "MH": .alarm(.sosCleared), "PH": .alarm(.sosCleared), "QR": .alarm(.sosCleared), "MR": .alarm(.sosCleared),
        "PR": .alarm(.sosCleared), "OC": .alarm(.sosCleared), "HA": .alarm(.duress), "FA": .alarm(.fire),
        "KA": .alarm(.fire), "GA": .alarm(.gas), "NA": .alarm(.welfare), "BA": .alarm(.intrusion),
        "BV": .alarm(.intrusion), "TA": .alarm(.tamper), "AT": .alarm(.powerCut), "YT": .alarm(.lowBattery),
        "XT": .alarm(.lowBattery), "YC": .alarm(.supervisionLost), "YS": .alarm(.deviceFault),
        "YX": .alarm(.deviceFault),
        "YW": .alarm(.powerOn), "RR": .alarm(.powerOn), "RX": .test, "RP": .test, "TX": .test, "OP": .nothing,
        "CL": .nothing, "AR": .nothing, "BR": .nothing, "FR": .nothing, "GR": .nothing, "HR": .nothing, "KR": .nothing,
        "NR": .nothing, "TR": .nothing, "UR": .nothing, "XR": .nothing, "YK": .alarm(.supervisionRestored),
        "YR": .nothing,
    ]

    /// 101 is the SOS of every model and stays it (promise P2), and so is QA.
    private static let sosEvent = 101
    private static let sosCode = "QA"

    /// Rows that differ from the document's; the dictionary is shared by all panels of a model.
    private let overrides: [Int: AlarmKind?]

    /// The document's table with the given codes changed; nil makes a code mean nothing.
    ///
    /// - Parameter overrides: by the number of a Contact ID event, or for a SIA code by the numbers of its letters, the first
    ///   times 256: 20,545 is `PA`.
    public init(overrides: [Int: AlarmKind?] = [:]) {
        self.overrides = overrides
    }

    public static let standard = DC09Alarms()

    /// An event that is not known is `other`, never nothing.
    func meaning(of event: DC09ContactID) -> Meaning {
        guard let number = event.number else { return .alarm(.other) }
        if number != Self.sosEvent, let changed = overrides[number] { return changed.map(Meaning.alarm) ?? .nothing }
        return Self.events.first { $0.key.contains(number) }?.value ?? .alarm(.other)
    }

    func meaning(of code: String) -> Meaning {
        let number = code.utf8.reduce(0) { $0 << 8 | Int($1) }
        if code != Self.sosCode, let changed = overrides[number] { return changed.map(Meaning.alarm) ?? .nothing }
        return Self.codes[code] ?? .alarm(.other)
    }

    /// What a restore says: that an emergency or a fall is over by the word of the panel, which closes nothing (promise P4), or that
    /// a supervised device is heard again.
    static func restored(_ kind: AlarmKind) -> AlarmKind? {
        switch kind {
        case .sos: .sosCleared
        case .fall: .fallCleared
        case .supervisionLost: .supervisionRestored
        default: nil
        }
    }
}

extension DC09Packet {
    /// The alarms that the frame states, and whether it is a test.
    func alarms(_ table: DC09Alarms) -> (kinds: AlarmSet, isTest: Bool) {
        var kinds = AlarmSet()
        var isTest = false
        func add(_ meaning: DC09Alarms.Meaning, isRestored: Bool) {
            switch meaning {
            case .alarm(let kind):
                if let kind = isRestored ? DC09Alarms.restored(kind) : kind { kinds.insert(kind) }
            case .test: isTest = true
            case .nothing: break
            }
        }
        switch message {
        case .contactID(let event):
            add(
                table.meaning(of: event),
                isRestored: event.qualifier == DC09ContactID.Qualifier.restored.rawValue && event.number != 406)
        case .sia(let data):
            for event in data.events { add(table.meaning(of: event.code), isRestored: false) }
        case .empty, .other: break
        }
        return (kinds, isTest)
    }
}
