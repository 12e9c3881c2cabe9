public import IncidentCore
public import TerminalModel

/// One event as a receiver gets it: the same id and the same body bytes in every retry.
public struct WebhookMessage: Sendable, Equatable {
    /// Longest body in bytes. Source: Standard Webhooks 1.0.0, payload size.
    public static let maximumBodyBytes = 20_000

    /// The header `webhook-id`: the receiver's idempotency key, without a dot.
    public let id: String
    public let body: [UInt8]

    /// An incident's news; `gateway` is the name of this gateway, `audience` whom the receiver is to reach.
    public init(_ notice: Notice, gateway: String, audience: Audience = .centre) {
        self.id = notice.identifier
        self.body = WebhookBody.render(notice, gateway: gateway, audience: audience)
    }

    /// A sign of life.
    public init(_ heartbeat: GatewayHeartbeat) {
        let name = heartbeat.gateway.unicodeScalars.filter {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "-"
        }
        self.id = "hb_\(String(String.UnicodeScalarView(name.prefix(64))))_\(heartbeat.at.milliseconds)"
        self.body = WebhookBody.render(heartbeat)
    }

    /// The headers of an attempt at that time; the time is the attempt's, the id is the event's.
    public func headers(at time: Timestamp, signer: WebhookSigner) -> [(name: String, value: String)] {
        [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", String(time.unixSeconds)),
            ("webhook-signature", signer.signature(id: id, at: time, body: body)),
        ]
    }
}

/// What a gateway says of itself at intervals, so that a hub notices a dead one.
public struct GatewayHeartbeat: Sendable, Equatable {
    public var gateway: String
    public var version: String
    public var at: Timestamp
    public var uptimeSeconds: Int
    public var openIncidents: Int
    /// Open incidents that no human has taken over.
    public var unacknowledgedIncidents: Int
    public var storeHealthy: Bool
    /// Names and values of the site's choice, in this order; the first 100 are sent.
    public var counters: [(name: String, value: Int)]

    public init(
        gateway: String, version: String, at: Timestamp, uptimeSeconds: Int, openIncidents: Int,
        unacknowledgedIncidents: Int, storeHealthy: Bool, counters: [(name: String, value: Int)] = []
    ) {
        self.gateway = gateway
        self.version = version
        self.at = at
        self.uptimeSeconds = uptimeSeconds
        self.openIncidents = openIncidents
        self.unacknowledgedIncidents = unacknowledgedIncidents
        self.storeHealthy = storeHealthy
        self.counters = counters
    }

    public static func == (left: GatewayHeartbeat, right: GatewayHeartbeat) -> Bool {
        WebhookBody.render(left) == WebhookBody.render(right)
    }
}
