internal import TerminalModel
internal import TerminalProtocols

/// What became of what was to be made anonymous.
public struct AnonymiseCounts: Sendable, Equatable {
    public var frames = 0
    /// Frames that were dropped, by protocol and message.
    public var droppedFrames: [String: Int] = [:]
    /// Parts of frames that were kept, by protocol, message and part.
    public var droppedParts: [String: Int] = [:]
}

/// What is left of one frame.
enum AnonymousFrame {
    /// The frame with everything personal replaced, and the names of its parts that were dropped.
    case kept([UInt8], droppedParts: [String])
    /// Nothing: it says something that is not understood, or nothing but what is personal.
    case dropped(String)
}

/// Makes the frames of one session anonymous: knows every field that it lets pass, and drops everything else.
protocol FrameAnonymiser: AnyObject {
    func anonymise(_ frame: [UInt8]) -> AnonymousFrame
}

/// Makes captures anonymous.
struct CaptureAnonymiser {
    /// Sorted by name; adding a protocol is one line here. Without one its frames are dropped.
    private static let all: [(name: ProtocolName, make: @Sendable (Pseudonyms) -> any FrameAnonymiser)] = [
        (.dc09, { DC09Anonymiser($0) }),
        (.ev07b, { EV07BAnonymiser($0) }),
        (.gt06, { GT06Anonymiser($0) }),
        (.jt808, { JT808Anonymiser($0) }),
        (.watch, { WatchAnonymiser($0) }),
    ]

    private let pseudonyms: Pseudonyms
    private var sessions: [String: any FrameAnonymiser] = [:]
    private(set) var counts = AnonymiseCounts()

    init(_ pseudonyms: Pseudonyms = Pseudonyms()) {
        self.pseudonyms = pseudonyms
    }

    /// The piece of a capture with everything personal replaced, nil when it is dropped.
    mutating func anonymise(_ record: CaptureRecord) -> CaptureRecord? {
        guard let name = record.protocolName, let anonymiser = anonymiser(name, record) else {
            counts.droppedFrames["unknown protocol", default: 0] += 1
            return nil
        }
        switch anonymiser.anonymise(record.bytes) {
        case .dropped(let message):
            counts.droppedFrames["\(name.rawValue) \(message)", default: 0] += 1
            return nil
        case .kept(let bytes, let parts):
            counts.frames += 1
            for part in parts { counts.droppedParts["\(name.rawValue) \(part)", default: 0] += 1 }
            var kept = record
            kept.time = pseudonyms.moved(record.time)
            kept.session = pseudonyms.name(record.session, of: "session")
            kept.listener = record.listener.map { pseudonyms.name($0, of: "listener") }
            kept.peer = record.peer.map { pseudonyms.name($0, of: "peer") }
            kept.bytes = bytes
            return kept
        }
    }

    private mutating func anonymiser(_ name: ProtocolName, _ record: CaptureRecord) -> (any FrameAnonymiser)? {
        let key = "\(name.rawValue) \(record.session)"
        if let known = sessions[key] { return known }
        guard let row = Self.all.first(where: { $0.name == name }) else { return nil }
        let made = row.make(pseudonyms)
        sessions[key] = made
        return made
    }
}
