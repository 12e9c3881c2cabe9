/// A piece of raw bytes as it passed a port: one line of a capture file.
///
///     {"time":"2026-03-14T02:10:12.031Z","session":"1773454212031-0-7","direction":"in","transport":"tcp",
///      "listener":"0.0.0.0:6808","peer":"192.0.2.7:40112","protocol":"gt06","bytes":"78781101…"}
///
/// `docs/captures.md` describes the form. Every member but `time`, `session`, `direction` and `bytes` may be absent.
public struct CaptureRecord: Sendable, Equatable {
    public enum Direction: String, Sendable {
        /// From a terminal.
        case incoming = "in"
        /// To a terminal.
        case outgoing = "out"
    }

    /// The first line of a file.
    public static let header: JSONValue = {
        var object = JSONObject()
        object.set("capture", "yidiantong")
        object.set("version", 1)
        return object.value
    }()

    /// When the bytes were read, or handed over to be sent.
    public var time: Timestamp
    /// One connection, line or UDP peer; its pieces of one direction belong together in their order.
    public var session: String
    public var direction: Direction
    public var transport: Bearer?
    /// The address of the port, or the path of the line.
    public var listener: String?
    public var peer: String?
    /// Nil while nobody knows what is spoken.
    public var protocolName: ProtocolName?
    /// Bytes that lack between the piece before and this one; nil where they lack but nobody knows how many.
    public var missing: Int?
    public var bytes: [UInt8]

    public init(
        time: Timestamp, session: String, direction: Direction, transport: Bearer? = nil, listener: String? = nil,
        peer: String? = nil, protocolName: ProtocolName? = nil, missing: Int? = 0, bytes: [UInt8]
    ) {
        self.time = time
        self.session = session
        self.direction = direction
        self.transport = transport
        self.listener = listener
        self.peer = peer
        self.protocolName = protocolName
        self.missing = missing
        self.bytes = bytes
    }

    public var json: JSONValue {
        var object = JSONObject()
        object.set("time", time.description)
        object.set("session", session)
        object.set("direction", direction.rawValue)
        object.set("transport", transport?.rawValue)
        object.set("listener", listener)
        object.set("peer", peer)
        object.set("protocol", protocolName?.rawValue)
        if missing != 0 { object.set("missing", missing.map { .int($0) } ?? .string("unknown")) }
        object.set("bytes", Self.hex(bytes))
        return object.value
    }

    /// What a recorder leaves out when it cannot keep up, as a line of its own.
    public static func leftOut(pieces: Int, bytes: Int, at time: Timestamp) -> JSONValue {
        var lost = JSONObject()
        lost.set("pieces", pieces)
        lost.set("bytes", bytes)
        var object = JSONObject()
        object.set("time", time.description)
        object.set("left_out", lost.value)
        return object.value
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: bytes.count * 2) { text in
            for (index, byte) in bytes.enumerated() {
                text[index * 2] = digits[Int(byte >> 4)]
                text[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }
}
