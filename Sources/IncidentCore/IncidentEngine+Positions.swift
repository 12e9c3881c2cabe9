import TerminalModel

extension IncidentEngine {
    /// After the first valid fix, targets hear of a better place at most this often where nothing is chased.
    static let positionIntervalMilliseconds: Int64 = 60_000
    /// About 30 m: less is no news to somebody on the way.
    static let movedDegrees = 0.0003
    /// A fix from satellites is not replaced by a coarser source within this time.
    static let satelliteFixMilliseconds: Int64 = 120_000

    static func position(of context: ReportContext) -> IncidentPosition? {
        guard let position = context.event.position, let latitude = position.latitudeDegrees,
            let longitude = position.longitudeDegrees, (-90...90).contains(latitude),
            (-180...180).contains(longitude)
        else { return nil }
        return IncidentPosition(
            latitudeDegrees: latitude, longitudeDegrees: longitude, accuracyMetres: position.accuracyMetres,
            valid: position.valid, source: position.source,
            fixTime: fixTime(of: context.sighting))
    }

    /// A stored fix is as old as the terminal says. A live one is new, also where the clock is wrong: else the place would
    /// stand still until a clock that was set back has caught up (promise P8).
    private static func fixTime(of sighting: Sighting) -> Timestamp {
        guard let device = sighting.device,
            sighting.isStored || TerminalClock.isRight(device, received: sighting.received)
        else { return sighting.received }
        return min(device, sighting.received)
    }

    /// Brings the place of the terminal's open incidents up to date and tells those who were told of the incident.
    mutating func improvePosition(_ context: ReportContext, into decision: inout Decision) {
        guard let candidate = Self.position(of: context) else { return }
        for id in byTerminal[context.event.terminal] ?? [] {
            guard var incident = incidents[id], incident.state.isOpen, incident.position != candidate,
                context.report.trust.rank >= min(incident.trust.rank, Trust.byID.rank),
                candidate.isBetter(than: incident.position)
            else { continue }
            let old = incident.position
            incident.position = candidate
            guard isNews(candidate, after: old, in: incident, now: context.now) else {
                incidents[id] = incident
                continue
            }
            var draft = Draft(incident: incident, person: person(of: incident, context.person))
            draft.incident.episode.lastUpdateAt = context.now.wall
            draft.evidence = context.evidence
            draft.write(
                .attached, by: context.actor, old?.valid == true ? "a better position" : "the first valid position",
                at: context.now.wall)
            draft.tell(.updated, to: toldTargets(of: draft.incident), at: context.now.wall)
            commit(draft, into: &decision, now: context.now)
        }
    }

    private func isNews(
        _ candidate: IncidentPosition, after old: IncidentPosition?, in incident: Incident, now: Moment
    ) -> Bool {
        guard candidate.valid else { return false }
        guard let old, old.valid else { return true }
        let interval =
            incident.chase == nil
            ? Self.positionIntervalMilliseconds
            : rules.chase.map { Int64($0.updateSeconds) * 1000 } ?? Self.positionIntervalMilliseconds
        guard elapsed(since: incident.episode.lastUpdateAt, now: now) >= interval,
            elapsed(since: incident.openedAt, now: now) >= interval
        else { return false }
        if let accuracy = candidate.accuracyMetres, let before = old.accuracyMetres, accuracy * 2 <= before {
            return true
        }
        return abs(candidate.latitudeDegrees - old.latitudeDegrees) >= Self.movedDegrees
            || abs(candidate.longitudeDegrees - old.longitudeDegrees) >= Self.movedDegrees
    }
}

extension IncidentPosition {
    /// Valid beats invalid, then fresher beats older, except that a coarse source does not push out a new satellite fix.
    func isBetter(than other: IncidentPosition?) -> Bool {
        guard let other else { return true }
        guard valid == other.valid else { return valid }
        let newer = fixTime.milliseconds &- other.fixTime.milliseconds
        if valid, source != .gnss, other.source == .gnss {
            return newer > IncidentEngine.satelliteFixMilliseconds
        }
        return newer > 0
    }
}
