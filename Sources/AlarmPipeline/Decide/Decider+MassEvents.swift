import CoreMetrics
import GatewayTelemetry
import IncidentCore
import TerminalModel

/// Many terminals silent, lost or back at once are one incident of the infrastructure.
extension Decider {
    /// A terminal in a list has come; once it was here since the start, that is coming back. Strangers count for nothing, so that
    /// nobody can make an event of them.
    mutating func noteComing(_ number: UInt32, wasConnected: Bool) {
        let flags = terminals[number].flags
        if !wasConnected { connectedCount += 1 }
        if flags.isSuperset(of: [.isListed, .wasHere]) { mass.reconnected(number) }
        mark(number, .wasHere, true)
    }

    /// A terminal has left its last bearer.
    mutating func noteLeaving(_ number: UInt32, isOurs: Bool) {
        connectedCount -= 1
        if !isOurs, terminals[number].flags.contains(.isListed) { mass.disconnected(number) }
    }

    /// Opens incidents for what was found: one for many, and one each for those that are alone.
    mutating func decideMassEvents(now: Moment) {
        let findings = mass.advance(connected: connectedCount, now: now)
        for news in findings.news {
            let decision = engine.massEvent(
                news.kind, words(for: news), affected: news.count, isEnd: news.isEnd, now: now)
            if decision.changes.contains(where: { $0.entries.contains { $0.kind == .opened } }) {
                GatewayMetric.massEvents.counter(news.kind.rawValue).increment()
            }
            if !decision.isEmpty { add(decision, now: now) }
        }
        for (number, since) in findings.alone where terminals[number].flags.contains(.hasRow) {
            let terminal = terminals.id(number)
            let trust: Trust = terminals[number].flags.contains(.isListed) ? .byID : .unknown
            let decision = engine.condition(
                .silence(since: since), terminal: terminal, trust: trust, person: person(of: terminal), now: now)
            if !decision.isEmpty { add(decision, now: now) }
        }
        guard mass.silentTogether != shownSilentTogether else { return }
        shownSilentTogether = mass.silentTogether
        GatewayMetric.massSilentTerminals.gauge().set(Double(shownSilentTogether))
    }

    private func words(for news: MassEventWatch.News) -> String {
        let examples = news.examples.map { terminals.id($0).description }.joined(separator: ", ")
        let example = examples.isEmpty ? "" : "; for example \(examples)"
        let here = "\(news.connected) are connected"
        return switch (news.kind, news.isEnd) {
        case (.silence, false): "\(news.count) terminals are silent, \(here)\(example)"
        case (.silence, true):
            "the others are heard again, \(here); \(news.count) still silent get incidents of their own\(example)"
        case (.disconnect, false): "\(news.count) terminals lost their connections, \(here)\(example)"
        case (.disconnect, true): "no more terminals than usual lose their connections, \(here)"
        case (.reconnect, false): "\(news.count) terminals connected again, \(here)\(example)"
        case (.reconnect, true): "no more terminals than usual connect again, \(here)"
        }
    }
}
