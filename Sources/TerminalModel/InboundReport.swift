/// How far the identity of a terminal is proven (promise P6).
public enum Trust: String, Sendable, Codable, CaseIterable {
    /// It presented the secret that its protocol offers.
    case verified
    /// Its protocol has no secret and its model is allowed to be known by its id alone.
    case byID = "by_id"
    /// A known id without what its protocol offers, or with a wrong secret.
    case claimed
    /// An id that is in no list.
    case unknown
}

/// The way on which a terminal is connected.
public enum Bearer: String, Sendable, Codable, CaseIterable {
    case tcp
    case udp
    case serial
}

/// One decoded event on its way from a session to the rules, with the evidence it was made from.
public struct InboundReport: Sendable {
    public var event: TerminalEvent
    public var trust: Trust
    public var bearer: Bearer
    /// Where the bytes came from: an address and port, or a device path.
    public var peer: String
    /// The frame as it came from the wire, kept with an incident as evidence; empty for the second and later items of a batch.
    public var frame: [UInt8]
    /// True when this is, to the byte, a frame that the session has seen before (a retransmission).
    public var retransmission: Bool

    public init(
        event: TerminalEvent, trust: Trust, bearer: Bearer, peer: String, frame: [UInt8],
        retransmission: Bool = false
    ) {
        self.event = event
        self.trust = trust
        self.bearer = bearer
        self.peer = peer
        self.frame = frame
        self.retransmission = retransmission
    }
}
