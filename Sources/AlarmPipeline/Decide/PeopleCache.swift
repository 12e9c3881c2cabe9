import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import Synchronization

/// The cards of people, read when they are needed and kept for a while.
///
/// A thread of its own reads them, and whoever decides waits for it only briefly: a disk that hangs must not stand in
/// front of an alarm (promise P2). A card that is not there in time, or cannot be read, never mutes one: the person's id
/// is kept and the rest is empty, which the rules treat as a person who has not agreed to automatic alarms. When it has
/// come after all, `late` tells of it.
final class PeopleCache: Sendable {
    enum Card {
        case known(Person)
        /// There is no such person.
        case missing
        /// The disk has not answered, or cannot.
        case unread
    }

    fileprivate struct State {
        var cards: [String: Person] = [:]
        /// People whose cards are to be read, in this order.
        var wanted: [String] = []
        /// The one that is being read; nil when its card has changed meanwhile.
        var reading: String?
        /// The one that somebody waits for, and what was found.
        var awaited: String?
        var answer: Card?
        /// A read has taken too long and goes on: nobody waits for another until it ends.
        var isHanging = false
    }

    /// About 50 MB of cards; then all leave and are read again.
    static let maximumCards = 50_000
    /// So long an alarm waits for a card, once: while the disk hangs, those after it wait for nothing.
    static let longestWaitMilliseconds: Int64 = 200
    /// Cards that wait to be read; further ones are asked for again with the next report.
    static let maximumWanted = 10_000

    let thread = WorkerThread(name: "ydt-cards")
    private let state = Mutex(State())
    private let arrived = Doorbell()
    private let store: IncidentStore
    private let logger: Logger
    /// A card that was asked for and not waited for to the end.
    private let late: @Sendable (Person) -> Void

    init(store: IncidentStore, logger: Logger, late: @escaping @Sendable (Person) -> Void) {
        self.store = store
        self.logger = logger
        self.late = late
    }

    func start() {
        thread.start { [self] in
            thread.atTheDisk { readNext() } ? 0 : WorkerThread.maximumSleepMilliseconds
        } last: {
        }
    }

    func stop() { thread.stop() }

    /// nil when there is no such person. Called on one thread at a time.
    func person(_ id: String) -> Person? {
        switch card(id) {
        case .known(let person): person
        case .missing: nil
        case .unread: Person(id: id, name: "")
        }
    }

    /// The same for whoever must know whether the card was read.
    func card(_ id: String) -> Card {
        let known: Card? = state.withLock { state in
            if let card = state.cards[id] { return .known(card) }
            if state.wanted.count < Self.maximumWanted, !state.wanted.contains(id) { state.wanted.append(id) }
            if state.isHanging { return .unread }
            (state.awaited, state.answer) = (id, nil)
            return nil
        }
        thread.bell.ring()
        return known ?? waited()
    }

    private func waited() -> Card {
        if SteppedThreads.isOn { while thread.step() == 0 {} }
        let start = ContinuousClock.now
        var left = Self.longestWaitMilliseconds
        while left > 0 {
            arrived.wait(milliseconds: left)
            if let answer = state.withLock(\.answer) { return answer }
            left = Self.longestWaitMilliseconds - Int64((ContinuousClock.now - start) / .milliseconds(1))
        }
        let answer: Card? = state.withLock { state in
            state.awaited = nil
            state.isHanging = state.answer == nil
            return state.answer
        }
        if answer == nil {
            logger.error(
                "A person's card does not come from the disk; alarms go on without cards",
                metadata: .keyed([.errorCode: "\(ErrorCode.storeReadFailed.rawValue)"]))
        }
        return answer ?? .unread
    }

    func keep(_ person: Person) {
        state.withLock { state in
            state.keep(person)
            if state.reading == person.id { state.reading = nil }
        }
    }

    func forget(_ id: String) {
        state.withLock { state in
            state.cards[id] = nil
            if state.reading == id { state.reading = nil }
        }
    }

    // MARK: The reading thread

    /// - Returns: false when nothing is wanted.
    private func readNext() -> Bool {
        let next: String? = state.withLock { state in
            guard !state.wanted.isEmpty else { return nil }
            state.reading = state.wanted.removeFirst()
            return state.reading
        }
        guard let next else { return false }
        let card = read(next)
        let missed: Person? = state.withLock { state in
            // A card that was changed or erased meanwhile is not the one that was read.
            let isStill = state.reading == next
            state.reading = nil
            state.isHanging = false
            if isStill, case .known(let person) = card { state.keep(person) }
            let present = state.cards[next].map(Card.known) ?? (isStill ? card : .unread)
            if state.awaited == next {
                (state.awaited, state.answer) = (nil, present)
                return nil
            }
            if case .known(let person) = present { return person }
            return nil
        }
        arrived.ring()
        if let missed { late(missed) }
        return true
    }

    private func read(_ id: String) -> Card {
        store.options.willReadCard?()
        do {
            return try store.person(id).map(Card.known) ?? .missing
        } catch {
            logger.error(
                "A person's card cannot be read; the alarm goes on without it",
                metadata: .keyed([
                    .errorCode: "\(ErrorCode.storeReadFailed.rawValue)", .errorDetail: "\(error.message)",
                ]))
            return .unread
        }
    }
}

extension PeopleCache.State {
    fileprivate mutating func keep(_ person: Person) {
        if cards.count >= PeopleCache.maximumCards { cards.removeAll() }
        cards[person.id] = person
    }
}
