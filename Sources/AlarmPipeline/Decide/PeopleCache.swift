import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import Synchronization

/// The cards of people, read when they are needed and kept for a while.
///
/// A card that cannot be read never mutes an alarm: the person's id is kept and the rest is empty, which the rules treat
/// as a person who has not agreed to automatic alarms.
final class PeopleCache: Sendable {
    /// About 50 MB of cards; then all leave and are read again.
    static let maximumCards = 50_000

    private let cards = Mutex<[String: Person]>([:])
    private let store: IncidentStore
    private let logger: Logger

    init(store: IncidentStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// nil when there is no such person.
    func person(_ id: String) -> Person? {
        if let known = cards.withLock({ $0[id] }) { return known }
        do {
            guard let card = try store.person(id) else { return nil }
            keep(card)
            return card
        } catch {
            logger.error(
                "A person's card cannot be read; the alarm goes on without it",
                metadata: .keyed([
                    .errorCode: "\(ErrorCode.storeReadFailed.rawValue)", .errorDetail: "\(error.message)",
                ]))
            return Person(id: id, name: "")
        }
    }

    func keep(_ person: Person) {
        cards.withLock { cards in
            if cards.count >= Self.maximumCards { cards.removeAll() }
            cards[person.id] = person
        }
    }

    func forget(_ id: String) {
        cards.withLock { _ = $0.removeValue(forKey: id) }
    }
}
