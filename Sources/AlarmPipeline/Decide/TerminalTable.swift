import IncidentCore
import TerminalModel

/// What is known of terminals without asking the database, in flat memory.
///
/// A terminal that is listed, has registered or is connected has a small number, under which everything about it stands:
/// here, in the condition watch and in the fence engine. So a frame costs one look-up of its id. A terminal that is known
/// costs 72 bytes beside its number (24), one that is connected 48 more, and one whose last words are not written 144 more.
struct TerminalTable: ~Copyable {
    /// What lasts while the terminal has a number.
    struct Known {
        var person: String?
        /// What somebody assigned.
        var model = ""
        /// What it called itself when it registered; empty when it never did.
        var registeredModel = ""
        /// Its place among the living plus one; 0 while it is neither connected nor has said anything unwritten.
        fileprivate var life: UInt32 = 0
        var utcOffsetMinutes: Int16 = 480
        var flags: Flags = []
        /// When its last frame came; before the last restart as far as that was read already.
        var lastSeen = never
        /// When a live report last showed a right clock.
        var clockRightAt = never

        /// The model that selects its alarm table; what somebody assigned goes before what it says itself.
        var effectiveModel: String { model.isEmpty ? registeredModel : model }
    }

    struct Flags: OptionSet {
        var rawValue: UInt16

        /// It has a row in the store: it was listed or has registered.
        static let hasRow = Flags(rawValue: 1)
        static let isListed = Flags(rawValue: 2)
        static let isTrustedByID = Flags(rawValue: 4)
        static let isConnected = Flags(rawValue: 8)
        /// The incident engine may know something of it; an ordinary report of any other means nothing there.
        static let mayHaveIncidents = Flags(rawValue: 16)
        static let mayHaveCommands = Flags(rawValue: 32)
        /// Its last words wait to be written and stand in the order of writing.
        static let hasUnwrittenWords = Flags(rawValue: 64)

        /// It was connected since the start.
        static let wasHere = Flags(rawValue: 1 << 13)

        /// It is connected over this bearer: one bit each from 7 on.
        static func isOn(_ bearer: Bearer) -> Flags { Flags(rawValue: 1 << (7 + bearer.place)) }
        /// It was heard last over this bearer: one bit each from 10 on.
        static func heardLast(_ bearer: Bearer) -> Flags { Flags(rawValue: 1 << (10 + bearer.place)) }

        private static let onAny = Flags(Bearer.allCases.map(isOn))
        private static let heardOnAny = Flags(Bearer.allCases.map(heardLast))

        var isOnAny: Bool { !isDisjoint(with: Self.onAny) }

        /// The bearer over which the terminal is reached: where it was heard last, as far as it is still there.
        var bearer: Bearer? {
            Bearer.allCases.first { contains([.isOn($0), .heardLast($0)]) }
                ?? Bearer.allCases.first { contains(.isOn($0)) }
        }

        mutating func hear(_ bearer: Bearer) {
            subtract(Self.heardOnAny)
            insert(.heardLast(bearer))
        }

        mutating func leave(_ bearer: Bearer) {
            subtract([.isOn(bearer), .heardLast(bearer)])
        }
    }

    static let never = Timestamp(milliseconds: .min)

    /// What lasts while the terminal is connected or its last words are not written.
    struct Life {
        var since = Timestamp(milliseconds: 0)
        var peer = PeerAddress.path("")
        var bearer = Bearer.tcp
        /// Over which the last command was handed out.
        var orderBearer = Bearer.tcp
        var protocolName = ProtocolName.jt808
        /// The groups of its person, as far as they were asked for.
        var groups = GroupSets.Number()
        /// The place of its unwritten words plus one; 0 while it has none.
        fileprivate var words: UInt32 = 0
    }

    private var numbers = TerminalNumbers()
    private var known = PagedArray<Known>()
    private var lives = Places<Life>()
    private var words = Places<TerminalEvent?>()
    /// Terminals with a row.
    private(set) var rowCount = 0

    init() {}

    func number(of terminal: TerminalID) -> UInt32? { numbers[terminal] }

    func id(_ number: UInt32) -> TerminalID { numbers.id(number) }

    subscript(number: UInt32) -> Known {
        get { known[Int(number)] }
        _modify { yield &known[Int(number)] }
    }

    /// What is known of a terminal that has a row.
    func row(_ terminal: TerminalID) -> Known? {
        guard let number = numbers[terminal], self[number].flags.contains(.hasRow) else { return nil }
        return self[number]
    }

    /// Gives the terminal a number, when it has none.
    mutating func insert(_ terminal: TerminalID) -> UInt32 {
        let number = numbers.insert(terminal)
        if number == known.count { known.append(Known()) }
        return number
    }

    mutating func setRow(_ number: UInt32, _ hasRow: Bool) {
        guard self[number].flags.contains(.hasRow) != hasRow else { return }
        self[number].flags.formSymmetricDifference(.hasRow)
        rowCount += hasRow ? 1 : -1
    }

    /// Takes the number back when there is no reason left for it.
    ///
    /// - Returns: true when it means nothing from here on.
    mutating func dropIfUnneeded(_ number: UInt32) -> Bool {
        guard self[number].flags.isDisjoint(with: [.hasRow, .isConnected]) else { return false }
        endLife(number)
        numbers.remove(numbers.id(number))
        self[number] = Known()
        return true
    }

    // MARK: The living

    func life(_ number: UInt32) -> Life? {
        let place = self[number].life
        return place == 0 ? nil : lives[place - 1]
    }

    /// Changes what is known of a living terminal; one that was not becomes so.
    mutating func live<Result>(_ number: UInt32, _ body: (inout Life) -> Result) -> Result {
        if self[number].life == 0 { self[number].life = lives.insert(Life()) + 1 }
        return body(&lives[self[number].life - 1])
    }

    /// What a terminal said last that is more than a sign of life; nil when that is written already.
    func lastWords(_ number: UInt32) -> TerminalEvent? {
        let place = life(number)?.words ?? 0
        return place == 0 ? nil : words[place - 1]
    }

    mutating func setLastWords(_ number: UInt32, _ event: TerminalEvent) {
        let place = life(number)?.words ?? 0
        if place == 0 {
            let place = words.insert(event) + 1
            live(number) { $0.words = place }
        } else {
            words[place - 1] = event
        }
    }

    mutating func forgetLastWords(_ number: UInt32) {
        guard let place = life(number)?.words, place != 0 else { return }
        words.remove(place - 1, leaving: nil)
        live(number) { $0.words = 0 }
    }

    /// Forgets the life of a terminal that is gone and has nothing unwritten.
    mutating func endLifeIfUnneeded(_ number: UInt32) {
        if self[number].flags.isDisjoint(with: [.isConnected, .hasUnwrittenWords]) { endLife(number) }
    }

    private mutating func endLife(_ number: UInt32) {
        guard self[number].life != 0 else { return }
        forgetLastWords(number)
        lives.remove(self[number].life - 1, leaving: Life())
        self[number].life = 0
    }

    // MARK: Walks, which cost a look at every terminal

    /// Terminals with a row that were heard some time.
    func forEachHeard(_ body: (UInt32, Timestamp) -> Void) {
        for number in 0..<UInt32(known.count) {
            let known = self[number]
            if known.flags.contains(.hasRow), known.lastSeen != Self.never { body(number, known.lastSeen) }
        }
    }

    /// Terminals of which a model is known.
    func forEachModel(_ body: (UInt32, String) -> Void) {
        for number in 0..<UInt32(known.count) {
            let model = self[number].effectiveModel
            if !model.isEmpty { body(number, model) }
        }
    }

    /// The cards of these people have changed: their groups are asked for again.
    mutating func forgetGroups(of people: Set<String>) {
        for number in 0..<UInt32(known.count) where self[number].life != 0 {
            guard let person = self[number].person, people.contains(person) else { continue }
            live(number) { $0.groups = GroupSets.Number() }
        }
    }

    /// The first connected terminals without a row whose ids come after `after`, in the order of their ids as text.
    func strangers(after: TerminalID?, limit: Int) -> [TerminalID] {
        var found: [TerminalID] = []
        // What comes behind as many as are wanted need not be looked at again.
        var end: TerminalID?
        func cut() {
            found.sort { $0.textOrder < $1.textOrder }
            guard found.count > limit else { return }
            found.removeLast(found.count - limit)
            end = found.last
        }
        for number in 0..<UInt32(known.count) {
            let flags = self[number].flags
            guard flags.contains(.isConnected), !flags.contains(.hasRow) else { continue }
            let id = numbers.id(number)
            if let after, id.textOrder <= after.textOrder { continue }
            if let end, id.textOrder >= end.textOrder { continue }
            found.append(id)
            if found.count >= 2 * max(limit, 500) { cut() }
        }
        cut()
        return found
    }
}

/// Values that come and go, in flat pages; the place of one that left is given out again.
private struct Places<Element> {
    private var elements = PagedArray<Element>()
    private var free: [UInt32] = []

    subscript(place: UInt32) -> Element {
        get { elements[Int(place)] }
        _modify { yield &elements[Int(place)] }
    }

    mutating func insert(_ element: Element) -> UInt32 {
        if let place = free.popLast() {
            self[place] = element
            return place
        }
        elements.append(element)
        return UInt32(elements.count - 1)
    }

    /// - Parameter empty: stands in the place from here on and holds no memory.
    mutating func remove(_ place: UInt32, leaving empty: Element) {
        self[place] = empty
        free.append(place)
    }
}

extension Bearer {
    /// Its place among the flags.
    fileprivate var place: UInt16 {
        switch self {
        case .tcp: 0
        case .udp: 1
        case .serial: 2
        }
    }
}
