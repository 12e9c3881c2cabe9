import AlarmPipeline
import ControlAPI
import TerminalModel

/// The pipeline's events as server-sent events, with a sign of life so that both ends notice a dead connection.
enum EventFeed {
    static let signOfLifeSeconds = 15
    /// Events kept for a watcher that reads slowly; it loses the oldest.
    static let maximumWaiting = 1024

    /// - Parameter ended: called once, when nobody watches any more.
    static func stream(
        _ events: AsyncStream<PipelineEvent>, ended: @escaping @Sendable () -> Void
    ) -> AsyncStream<ServerEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ServerEvent.self, bufferingPolicy: .bufferingNewest(maximumWaiting))
        continuation.yield(.signOfLife)
        let life = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(signOfLifeSeconds))
                continuation.yield(.signOfLife)
            }
        }
        let feed = Task {
            for await event in events { continuation.yield(ServerEvent(event)) }
            continuation.finish()
        }
        continuation.onTermination = { _ in
            life.cancel()
            feed.cancel()
            ended()
        }
        return stream
    }
}

extension ServerEvent {
    init(_ event: PipelineEvent) {
        switch event {
        case .event(let event, let trust):
            var members = JSONObject()
            members.set("trust", trust.rawValue)
            members.set("event", event.json)
            self.init(name: "frame", data: members.value.text)
        case .incident(let incident): self.init(name: "incident", json: IncidentView(incident, name: nil))
        case .online(let terminal, let bearer, let peer, let at):
            self.init(
                name: "session",
                data: Self.session(terminal, bearer, at, "online", peer: peer.description, reason: nil))
        case .offline(let terminal, let bearer, let reason, let at):
            self.init(name: "session", data: Self.session(terminal, bearer, at, "offline", peer: nil, reason: reason))
        case .command(let record): self.init(name: "command", json: CommandView(record))
        }
    }

    private init(name: String, json: some Encodable) {
        let data = (try? ControlJSON.encode(json)).map { String(decoding: $0, as: UTF8.self) }
        self.init(name: name, data: data ?? "{}")
    }

    private static func session(
        _ terminal: TerminalID, _ bearer: Bearer, _ at: Timestamp, _ state: String, peer: String?, reason: String?
    ) -> String {
        var members = JSONObject()
        members.set("terminal", terminal.description)
        members.set("state", state)
        members.set("bearer", bearer.rawValue)
        members.set("at", at)
        members.set("peer", peer)
        members.set("reason", reason)
        return members.value.text
    }
}
