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

/// A picture, sound or film that a terminal sent, put together from its packages.
///
/// A reference, since a report without one, which is nearly every report, must not grow by it.
public final class InboundMedia: Sendable {
    /// The terminal's own number of it.
    public let id: UInt32
    /// JT/T 808: 0 image, 1 audio, 2 video.
    public let type: UInt8
    /// JT/T 808: 0 JPEG, 1 TIF, 2 MP3, 3 WAV, 4 WMV; `amr` for the voice of watches.
    public let format: UInt8
    /// What made the terminal record it; JT/T 808: 0 platform order, 1 timed, 2 robbery or SOS, 3 collision or rollover.
    public let eventCode: UInt8
    public let data: [UInt8]

    /// The format of AMR sound, which JT/T 808 has no number for.
    public static let amr: UInt8 = 128

    public init(id: UInt32, type: UInt8, format: UInt8, eventCode: UInt8, data: [UInt8]) {
        self.id = id
        self.type = type
        self.format = format
        self.eventCode = eventCode
        self.data = data
    }
}

/// One decoded event on its way from a session to the rules, with the evidence it was made from.
public struct InboundReport: Sendable {
    public var event: TerminalEvent
    public var trust: Trust
    public var bearer: Bearer
    /// Where the bytes came from.
    public var peer: PeerAddress
    /// The frame as it came from the wire, kept with an incident as evidence; empty for the second and later items of a batch.
    public var frame: [UInt8]
    /// True when this is, to the byte, a frame that the session has seen before (a retransmission).
    public var retransmission: Bool
    /// What came with the event and is stored beside it.
    public var media: InboundMedia?

    public init(
        event: TerminalEvent, trust: Trust, bearer: Bearer, peer: PeerAddress, frame: [UInt8],
        retransmission: Bool = false, media: InboundMedia? = nil
    ) {
        self.event = event
        self.trust = trust
        self.bearer = bearer
        self.peer = peer
        self.frame = frame
        self.retransmission = retransmission
        self.media = media
    }
}
