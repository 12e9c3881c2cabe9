import AlarmPipeline
import ControlAPI
import IncidentCore
import IncidentStore
import TerminalModel

extension PipelineOperations {
    func terminals(_ query: TerminalQuery) async throws -> TerminalPage {
        try await answering {
            var views: [TerminalView] = []
            var names = NameCache(store: pipeline.store)
            var after = query.after
            while views.count <= query.limit {
                let records = try pipeline.store.terminals(after: after, person: query.person, limit: 1000)
                let sessions = try await sessions(of: records.map(\.assignment.terminal))
                for record in records where views.count <= query.limit {
                    let session = sessions[record.assignment.terminal]
                    if let wanted = query.online, wanted != (session != nil) { continue }
                    let name = try names.name(of: record.assignment.person)
                    views.append(TerminalView(record, name: name, session: session))
                }
                guard records.count == 1000, let last = records.last else { break }
                after = last.assignment.terminal
            }
            // Nobody listed those, but they are there: an operator must be able to see and assign them.
            if query.person == nil, query.online != false {
                let strangers = try await pipeline.strangers(after: query.after, limit: query.limit + 1)
                let sessions = try await sessions(of: strangers)
                for id in strangers {
                    views.append(TerminalView(terminal: id.description, known: false, session: sessions[id]))
                }
                views.sort { $0.terminal < $1.terminal }
            }
            let page = Array(views.prefix(query.limit))
            return TerminalPage(terminals: page, next: views.count > query.limit ? page.last?.terminal : nil)
        }
    }

    func terminal(_ id: TerminalID) async throws -> TerminalView? {
        try await answering {
            let record = try pipeline.store.terminal(id)
            let session = try await sessions(of: [id])[id]
            let words = try await pipeline.lastWords(of: id)
            guard record != nil || session != nil || words != nil else { return nil }
            var names = NameCache(store: pipeline.store)
            var view =
                if let record {
                    TerminalView(record, name: try names.name(of: record.assignment.person), session: session)
                } else {
                    TerminalView(terminal: id.description, known: false, session: session)
                }
            view.lastSeen = words?.lastSeen ?? view.lastSeen
            view.lastEvent = words?.event.map { JSONTree(text: $0) }
            return view
        }
    }

    private func sessions(of terminals: [TerminalID]) async throws -> [TerminalID: SessionInfo] {
        let sessions = try await pipeline.sessions(of: terminals)
        return Dictionary(sessions.map { ($0.terminal, $0) }) { first, _ in first }
    }

    func track(_ id: TerminalID, from: Timestamp, to: Timestamp, limit: Int) async throws -> Track {
        try await answering {
            let found = try pipeline.tracks.track(
                of: id, from: from, to: to.adding(milliseconds: -1), limit: TrackStore.maximumPoints)
            let points = found.compactMap { ControlAPI.TrackPoint($0) }
            return Track(
                terminal: id.description, points: points.prefix(limit).reversed(), truncated: points.count > limit)
        }
    }

    func assign(_ id: TerminalID, _ request: AssignmentRequest, by actor: Operator) async throws -> TerminalView {
        try await answering {
            var assignment =
                try pipeline.store.terminal(id)?.assignment ?? TerminalAssignment(terminal: id, person: nil)
            assignment.person = request.person
            if let model = request.model {
                assignment.model = model
                assignment.trustedByID = trustedModels().contains(model)
            }
            if let offset = request.utcOffsetMinutes { assignment.utcOffsetMinutes = offset }
            if let trusted = request.trustByID { assignment.trustedByID = trusted }
            try await pipeline.assign(assignment, by: actor)
        }
        guard let view = try await terminal(id) else { throw Problem.notFound("terminal \(id)") }
        return view
    }

    func commands(_ id: TerminalID, limit: Int) async throws -> CommandList {
        try await answering {
            CommandList(commands: try pipeline.store.commands(for: id, limit: limit).map(CommandView.init))
        }
    }

    func command(
        _ id: TerminalID, _ command: TerminalCommand, expiresSeconds: Int, by actor: Operator
    ) async throws -> CommandView {
        guard try await terminal(id) != nil else { throw Problem.notFound("terminal \(id)") }
        return try await answering {
            CommandView(
                try await pipeline.submit(command, to: id, by: actor, lifetimeSeconds: expiresSeconds))
        }
    }
}

extension TerminalView {
    init(terminal: String, known: Bool, session: SessionInfo?) {
        self.init(terminal: terminal, known: known, online: session != nil)
        bearer = session?.bearer.rawValue
        peer = session?.peer
        onlineSince = session?.since
    }

    init(_ record: TerminalRecord, name: String?, session: SessionInfo?) {
        self.init(terminal: record.assignment.terminal.description, known: true, session: session)
        person = record.assignment.person
        personName = name
        model = record.assignment.model.isEmpty ? record.registeredModel ?? "" : record.assignment.model
        utcOffsetMinutes = record.assignment.utcOffsetMinutes
        trustByID = record.assignment.trustedByID
        lastSeen = record.lastSeen
    }
}

extension ControlAPI.TrackPoint {
    /// nil for a position without coordinates.
    init?(_ point: StoredPoint) {
        guard let latitude = point.position.latitudeDegrees, let longitude = point.position.longitudeDegrees else {
            return nil
        }
        self.init(at: point.received, latitude: latitude, longitude: longitude, valid: point.position.valid)
        deviceTime = point.deviceTime
        accuracyMetres = point.position.accuracyMetres
        speedKilometresPerHour = point.position.speedKilometresPerHour
        courseDegrees = point.position.courseDegrees
    }
}

extension CommandView {
    init(_ record: CommandRecord) {
        self.init(
            id: Int(record.id), terminal: record.terminal.description, command: record.command.name,
            incident: record.incident?.description, by: record.by, createdAt: record.createdAt,
            expiresAt: record.expiresAt, outcome: record.outcome.name, updatedAt: record.updatedAt)
        if case .failed(let reason) = record.outcome { self.reason = reason }
    }
}
