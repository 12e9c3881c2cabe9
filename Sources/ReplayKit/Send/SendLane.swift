internal import Reactor
internal import TerminalModel
internal import TerminalProtocols

/// What is played over one connection or line, and what waits for its answer there.
struct SendLane {
    enum State {
        case opening, registering, playing, ended
    }

    /// A frame that was sent and may be answered.
    struct Pending {
        let source: String
        let header: JT808Header
        let mediaID: UInt32?
        let sentNanoseconds: Int64
    }

    /// A terminal that is to be registered before its frames are played.
    struct Registration {
        let phone: JT808Phone
        /// The recorded registration, where there is one.
        let recorded: ReplayFrame?
    }

    var state = State.opening
    var connection: Connection?
    var cursor = JT808Framer.Cursor()
    let frames: [ReplayFrame]
    var nextFrame = 0
    var registrations: [Registration]
    /// The time of the first frame in the recording.
    let originMilliseconds: Int64
    var pending: [Pending] = []
    var timer: TimerID?
    /// Counts the tool's own messages; far from where recordings begin.
    var flowID: UInt16 = 0xF000

    /// Messages that the platform need not answer (section 6).
    private static let unanswered: Set<UInt16> = [
        0x0001, 0x0005, 0x0104, 0x0107, 0x0201, 0x0302, 0x0500, 0x0608, 0x0700, 0x0802, 0x0805, 0x1300,
    ]

    static func needsAnswer(_ header: JT808Header) -> Bool {
        !unanswered.contains(header.messageID)
    }

    /// Lanes for a recording: one for each terminal, or one for all. Frames of the platform are left out, and with
    /// `registers` so are recorded registrations and authentications, whose code is not valid any more.
    static func lanes(of frames: [ReplayFrame], onePerTerminal: Bool, registers: Bool) -> [SendLane] {
        let frames = frames.filter { !$0.isFromPlatform }
        let origin = frames.compactMap(\.timeMilliseconds).min() ?? 0
        var order: [TerminalID] = []
        var groups: [TerminalID: [ReplayFrame]] = [:]
        // A broken frame goes with the terminal that was heard before it.
        var latest = frames.lazy.compactMap(\.header).first?.phone.terminal ?? TerminalID(nibbles: 0)
        for frame in frames {
            latest = frame.header?.phone.terminal ?? latest
            if groups[latest] == nil { order.append(latest) }
            groups[latest, default: []].append(frame)
        }
        let registrations = order.map { terminal in
            let own = groups[terminal] ?? []
            return Registration(
                phone: own.lazy.compactMap(\.header).first?.phone ?? JT808Phone(terminal),
                recorded: own.first { $0.header?.messageID == 0x0100 })
        }
        func lane(_ frames: [ReplayFrame], _ registrations: [Registration]) -> SendLane {
            let played = frames.filter { frame in
                !registers || frame.header.map { $0.messageID != 0x0100 && $0.messageID != 0x0102 } ?? true
            }
            return SendLane(
                frames: played, registrations: registers ? registrations : [], originMilliseconds: origin)
        }
        guard onePerTerminal else { return frames.isEmpty ? [] : [lane(frames, registrations)] }
        return zip(order, registrations).map { terminal, registration in
            lane(groups[terminal] ?? [], [registration])
        }
    }

    /// Takes out what an answer from the platform answers; several packages may share one.
    mutating func take(_ header: JT808Header, _ message: JT808Message) -> (answered: [Pending], result: UInt8) {
        func remove(_ matches: (Pending) -> Bool) -> [Pending] {
            let terminal = header.phone.terminal
            let found = pending.filter { $0.header.phone.terminal == terminal && matches($0) }
            pending.removeAll { $0.header.phone.terminal == terminal && matches($0) }
            return found
        }
        switch message {
        case .platformResponse(let answer):
            let found = remove { $0.header.messageID == answer.messageID && $0.header.flowID == answer.flowID }
            return (found, answer.result.rawValue)
        case .registrationReply(let answer):
            return (remove { $0.header.messageID == 0x0100 && $0.header.flowID == answer.flowID }, answer.result)
        case .mediaAcknowledgement(let answer) where answer.missing.isEmpty:
            return (remove { $0.header.messageID == 0x0801 && $0.mediaID ?? answer.mediaID == answer.mediaID }, 0)
        case .serverTime: return (remove { $0.header.messageID == 0x0004 }, 0)
        case .timeSyncReply: return (remove { $0.header.messageID == 0x0109 }, 0)
        default: return ([], 0)
        }
    }
}
