public import TerminalModel

/// One thing found in recorded bytes.
public struct DecodedFrame: Sendable {
    /// What a frame turned out to be.
    public enum Result: Sendable {
        /// At least one event, and the protocol's own fields.
        case events([TerminalEvent], fields: JSONValue)
        case failed(DecodeError)
    }

    /// The bytes as they came, start and end markers included where they were there.
    public var bytes: [UInt8]
    public var result: Result

    public init(bytes: [UInt8], result: Result) {
        self.bytes = bytes
        self.result = result
    }

    public var error: DecodeError? {
        if case .failed(let error) = result { error } else { nil }
    }

    public var events: [TerminalEvent] {
        if case .events(let events, _) = result { events } else { [] }
    }

    public var fields: JSONValue? {
        if case .events(_, let fields) = result { fields } else { nil }
    }
}

/// One line of an explained frame: bytes, what field they are, and what that means.
public struct ExplainedField: Sendable, Equatable {
    /// Counts unescaped bytes from the start marker.
    public var offset: Int
    public var bytes: [UInt8]
    public var field: String
    public var value: String
    public var meaning: String
    /// True where the frame is wrong; `meaning` says how.
    public var isWrong: Bool

    public init(
        offset: Int, bytes: [UInt8], field: String, value: String, meaning: String = "", isWrong: Bool = false
    ) {
        self.offset = offset
        self.bytes = bytes
        self.field = field
        self.value = value
        self.meaning = meaning
        self.isWrong = isWrong
    }
}

/// Decodes recorded bytes of one protocol and carries what later frames need (packages, logins) from frame to frame.
///
/// No input makes a decoder trap or loop; every frame gives events or an error.
public protocol OfflineDecoder {
    /// Bytes of a stream; frames that they complete. Bytes of an unfinished frame are kept for the next call.
    mutating func feed(stream bytes: [UInt8]) -> [DecodedFrame]
    /// The next thing in the unfinished rest of the stream, taken out; nil when nothing is left.
    mutating func finish() -> DecodedFrame?
    /// One recorded frame by itself; bytes that hold no frame give one error.
    mutating func decode(frame bytes: [UInt8]) -> [DecodedFrame]
    /// The frame byte by byte, also a broken one, up to and past what is wrong with it.
    func explain(_ bytes: [UInt8]) -> [ExplainedField]
}

/// What opens the encrypted frames of a recording.
public struct DecoderKeys: Sendable {
    /// The key of an account, nil for one that speaks in clear text.
    public var cipher: @Sendable (TerminalID) -> DC09Cipher?

    public init(cipher: @escaping @Sendable (TerminalID) -> DC09Cipher?) {
        self.cipher = cipher
    }

    public static let none = DecoderKeys { _ in nil }
}

/// One line in the list of protocols.
public struct ProtocolRegistration: Sendable {
    public let name: ProtocolName
    /// How likely the bytes are this protocol: 0 no, 1 by their markers, 2 by their checksum too.
    public let likelihood: @Sendable ([UInt8]) -> Int
    private let decoder: @Sendable (DecoderKeys) -> any OfflineDecoder

    public init(
        name: ProtocolName, likelihood: @escaping @Sendable ([UInt8]) -> Int,
        makeDecoder: @escaping @Sendable (DecoderKeys) -> any OfflineDecoder
    ) {
        self.name = name
        self.likelihood = likelihood
        decoder = makeDecoder
    }

    public func makeDecoder(keys: DecoderKeys = .none) -> any OfflineDecoder { decoder(keys) }

    /// Every protocol, sorted by name; adding one is one line here.
    public static let all: [ProtocolRegistration] = [
        DC09.registration,
        EV07B.registration,
        GT06.registration,
        JT808.registration,
        Watch.registration,
    ]

    public static func named(_ name: ProtocolName) -> ProtocolRegistration? {
        all.first { $0.name == name }
    }

    /// The protocol whose frames these bytes look most like; nil when they look like none.
    public static func recognised(in bytes: [UInt8]) -> ProtocolRegistration? {
        all.map { (registration: $0, score: $0.likelihood(bytes)) }.filter { $0.score > 0 }
            .max { $0.score < $1.score }?.registration
    }
}
