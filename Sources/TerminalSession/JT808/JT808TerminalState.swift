import TerminalModel
import TerminalProtocols

/// What a session remembers of one terminal that speaks on its connection.
struct JT808TerminalState {
    let terminal: TerminalID
    /// The phone and version byte exactly as the terminal writes them; every answer repeats them.
    var phone: JT808Phone
    var protocolVersion: UInt8
    var profile: JT808Profile
    var trust: Trust
    /// It showed the right code on this connection; that verifies it as soon as the site lists it.
    var hasProvedItself = false
    /// When the directory was last asked; verified terminals are not looked up again.
    var lookedUpAt: Int64
    var lastHeardAt: Int64
    /// Our own message counter towards this terminal.
    var flowID: UInt16 = 0
    var reassembly = JT808Reassembly()
    var registration: PendingRegistration?
    /// Hashes of the last frames with alarms or keys, newest last: a frame that comes again is a retransmission.
    var recentAlarmFrames: [UInt64] = []
    var outstanding: OutstandingCommand?
    var waiting: [WaitingCommand] = []

    /// More retransmissions than this are not in flight at once (JT/T 808 section 10: each waits for its answer).
    static let maximumRecentAlarmFrames = 8

    struct PendingRegistration {
        let request: UInt32
        let flowID: UInt16
        let code: String
    }

    struct WaitingCommand {
        let id: Int64
        let command: TerminalCommand
        let expires: Int64
    }

    /// The command whose answer is awaited, with its frames for repetition.
    struct OutstandingCommand {
        let id: Int64
        let expires: Int64
        let messageID: UInt16
        let firstFlowID: UInt16
        let frames: [[UInt8]]
        var repetitions = 0
        var waitMilliseconds: Int64
        var deadline: Int64

        /// True when an answer with this flow id is for one of the frames.
        func awaits(flowID: UInt16) -> Bool {
            Int(flowID &- firstFlowID) < frames.count
        }
    }

    /// Remembers a frame and tells whether it was there already.
    mutating func hasSeen(alarmFrame hash: UInt64) -> Bool {
        guard !recentAlarmFrames.contains(hash) else { return true }
        if recentAlarmFrames.count == Self.maximumRecentAlarmFrames { recentAlarmFrames.removeFirst() }
        recentAlarmFrames.append(hash)
        return false
    }
}

/// A message whose answer waits for the disk.
struct PendingAnswer {
    let request: UInt32
    let terminal: TerminalID
    let flowID: UInt16
    let messageID: UInt16
    /// Set for a complete 0x0801, which is answered with 0x8800.
    let mediaID: UInt32?
    /// Items of a batch that have not been resolved.
    var remaining: Int
    var hasFailed = false
    var isAlarm = false
}
