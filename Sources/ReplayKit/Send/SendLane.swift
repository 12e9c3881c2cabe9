internal import Reactor
internal import TerminalModel
internal import TerminalProtocols

/// What is played over one connection, line or socket, and what waits for its answer there.
struct SendLane {
    enum State {
        case opening, registering, playing, ended
    }

    /// A frame that was sent and will be answered.
    struct Pending {
        let frame: ReplayFrame
        let awaited: AnswerKey
        let sentNanoseconds: Int64
    }

    /// A terminal that is to be registered before its frames are played.
    struct Registration {
        /// Tells how the terminal writes its id.
        let example: [UInt8]
        /// The recorded registration, where there is one.
        let recorded: ReplayFrame?
    }

    /// Whose frames go the same way.
    private struct Key: Hashable {
        let protocolName: ProtocolName
        let session: String?
        let terminal: TerminalID?
    }

    var state = State.opening
    /// Of a datagram lane, its socket.
    var connection: Connection?
    let protocolName: ProtocolName
    let frames: [ReplayFrame]
    var nextFrame = 0
    var registrations: [Registration]
    /// The time of the first frame in the recording.
    let originMilliseconds: Int64
    var pending: [Pending] = []
    var timer: TimerID?
    /// Counts the tool's own messages; far from where recordings begin.
    var serial: UInt16 = 0xF000

    /// Lanes for a recording: one for each terminal, or for each session where the recording tells them apart; or one for all.
    /// Frames of the platform are left out, and with `registers` so are recorded registrations and authentications, whose
    /// code is not valid any more.
    ///
    /// - Throws: `ReplayFailure` when one lane for all would have to speak several protocols.
    static func lanes(
        of frames: [ReplayFrame], onePerTerminal: Bool, registers: Bool
    ) throws(ReplayFailure) -> [SendLane] {
        let frames = frames.filter { !$0.isFromPlatform }
        let origin = frames.compactMap(\.timeMilliseconds).min() ?? 0
        var order: [Key] = []
        var groups: [Key: [ReplayFrame]] = [:]
        // A broken frame goes with the terminal that was heard before it.
        var latest = frames.first { $0.head?.terminal != nil }?.head?.terminal
        for frame in frames {
            latest = frame.head?.terminal ?? latest
            let key = Key(
                protocolName: frame.protocolName, session: frame.session,
                terminal: frame.session == nil ? latest : nil)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(frame)
        }
        if !onePerTerminal, let first = order.first {
            if let other = order.first(where: { $0.protocolName != first.protocolName }) {
                throw ReplayFailure(
                    .usage,
                    "a serial line speaks one protocol: the recording has \(first.protocolName.rawValue) and "
                        + "\(other.protocolName.rawValue)")
            }
            return [try lane(first.protocolName, frames, origin, registers)]
        }
        var lanes: [SendLane] = []
        for key in order { lanes.append(try lane(key.protocolName, groups[key] ?? [], origin, registers)) }
        return lanes
    }

    private static func lane(
        _ name: ProtocolName, _ frames: [ReplayFrame], _ origin: Int64, _ registers: Bool
    ) throws(ReplayFailure) -> SendLane {
        let knowsRegistration = try ReplayDialects.make(name).registers
        let registers = registers && knowsRegistration
        let played = registers ? frames.filter { $0.head?.step ?? .other == .other } : frames
        return SendLane(
            protocolName: name, frames: played, registrations: registers ? registrations(of: frames) : [],
            originMilliseconds: origin)
    }

    private static func registrations(of frames: [ReplayFrame]) -> [Registration] {
        var seen: Set<TerminalID> = []
        return frames.compactMap { frame in
            guard let terminal = frame.head?.terminal, seen.insert(terminal).inserted else { return nil }
            let recorded = frames.first { $0.head?.terminal == terminal && $0.head?.step == .registration }
            return Registration(example: frame.bytes, recorded: recorded)
        }
    }

    /// Takes out what an answer of the platform answers: the oldest frame that fits, or all that share the answer.
    mutating func take(_ answer: ReplayAnswer) -> [Pending] {
        guard let first = pending.firstIndex(where: { answer.key.answers($0.awaited) }) else { return [] }
        guard answer.isShared else { return [pending.remove(at: first)] }
        let found = pending.filter { answer.key.answers($0.awaited) }
        pending.removeAll { answer.key.answers($0.awaited) }
        return found
    }
}
