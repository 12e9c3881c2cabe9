/// Stable names of what can go wrong, as operators see them in logs, on the status socket and in `ydtctl`.
///
/// A code never changes its meaning; a new meaning gets a new code. Source: STYLE section 5.
public enum ErrorCode: String, Sendable, CaseIterable, Codable {
    case frameNotThisProtocol = "frame_not_this_protocol"
    case frameBadLength = "frame_bad_length"
    case frameBadIntegrity = "frame_bad_integrity"
    case frameBadValue = "frame_bad_value"
    case frameUnsupported = "frame_unsupported"
    case frameOversized = "frame_oversized"
    case terminalUnknown = "terminal_unknown"
    case terminalBadCode = "terminal_bad_code"
    case terminalReplaced = "terminal_replaced"
    case terminalSilent = "terminal_silent"
    case connectionIdle = "connection_idle"
    case connectionSlowFrame = "connection_slow_frame"
    case connectionWriteLimit = "connection_write_limit"
    case connectionLimit = "connection_limit"
    case connectionFailed = "connection_failed"
    case connectionTLSFailed = "connection_tls_failed"
    case certificateExpires = "certificate_expires"
    case listenerFailed = "listener_failed"
    case serialFailed = "serial_failed"
    case captureFailed = "capture_failed"
    case storeCommitFailed = "store_commit_failed"
    case storeDamaged = "store_damaged"
    case storeFull = "store_full"
    case storeLow = "store_low"
    case storeReadFailed = "store_read_failed"
    case incidentNotDurable = "incident_not_durable"
    case queueFull = "queue_full"
    case commandExpired = "command_expired"
    case commandRefused = "command_refused"
    case numberRefused = "number_refused"
    case channelRefused = "channel_refused"
    case channelTimeout = "channel_timeout"
    case channelUnreachable = "channel_unreachable"
    case channelTLSFailed = "channel_tls_failed"
    case channelAddressForbidden = "channel_address_forbidden"
    case channelRedirect = "channel_redirect"
    case channelGone = "channel_gone"
    case channelSecretInvalid = "channel_secret_invalid"
    case channelUnknown = "channel_unknown"
    case heartbeatFailed = "heartbeat_failed"
    case noChannelWorks = "no_channel_works"
    case configInvalid = "config_invalid"
    case importRowInvalid = "import_row_invalid"
    case requestInvalid = "request_invalid"
    case notFound = "not_found"
    case conflict = "conflict"
    case sirenLatchFailed = "siren_latch_failed"
    case internalFault = "internal_fault"

    /// What it means and what to do, in one or two sentences.
    public var explanation: String {
        Self.explanations[self] ?? rawValue
    }

    private static let explanations: [ErrorCode: String] = [
        .frameNotThisProtocol: "Bytes arrived that are not of the protocol this port is set to; check the port.",
        .frameBadLength: "A frame's length does not fit its content; it was dropped, the line goes on.",
        .frameBadIntegrity: "A frame's checksum is wrong, usually a disturbed line; it was dropped.",
        .frameBadValue: "A field of a frame holds a value that its protocol does not allow.",
        .frameUnsupported: "A frame is well formed but of a kind the gateway does not handle; it was logged.",
        .frameOversized: "More bytes came without a frame end than the longest frame has; they were dropped.",
        .terminalUnknown: "A terminal that is in no list reported; assign it to a person or refuse it.",
        .terminalBadCode: "A terminal presented a wrong authentication code; its SOS never dials 120 by itself.",
        .terminalReplaced: "The same terminal connected again, so its older connection was closed.",
        .terminalSilent: "Nothing was heard from a terminal for the configured time; call its owner.",
        .connectionIdle: "A connection sent nothing for the idle limit and was closed.",
        .connectionSlowFrame: "A peer began a frame and did not finish it in time; it was closed.",
        .connectionWriteLimit: "A peer did not read what the gateway sent it; it was closed.",
        .connectionLimit: "The limit of connections was reached; new ones are refused.",
        .connectionFailed: "A connection broke; the terminal is expected to connect again.",
        .connectionTLSFailed:
            "A terminal did not get through TLS: no certificate that is believed here, or what it sends is no TLS.",
        .certificateExpires:
            "A certificate that terminals see ends within 30 days, or has ended: renew it and reload, or they stay away.",
        .listenerFailed: "A port could not be opened; check that the address exists and is free.",
        .serialFailed: "A serial line could not be opened or broke; it is tried again.",
        .captureFailed:
            "Raw bytes cannot be written to a capture file; they are left out and counted, and everything else goes on.",
        .storeCommitFailed:
            "A write to disk failed. Nothing is acknowledged to terminals until it works; alarms still go out.",
        .storeDamaged: "A database file is damaged; it was set aside, not deleted. Restore a backup.",
        .storeFull: "The disk is full. Nothing is acknowledged to terminals until there is space.",
        .storeLow: "The disk is nearly full. Make room now: positions stop first, alarms have a reserve.",
        .storeReadFailed: "A database file could not be read.",
        .incidentNotDurable: "An incident is escalated but is not on disk yet; it is stored when the disk works.",
        .queueFull: "A queue reached its limit and work was dropped; the counter of dropped work names it.",
        .commandExpired: "A command was not delivered before it expired; send it again when the terminal is online.",
        .commandRefused: "The terminal refused a command.",
        .numberRefused: "A telephone number was refused: emergency numbers need a commissioned site.",
        .channelRefused: "A target answered with an error; delivery is tried again.",
        .channelTimeout: "A target did not answer in time; delivery is tried again.",
        .channelUnreachable: "No connection to a target could be made; delivery is tried again.",
        .channelTLSFailed: "A target's certificate was not accepted; check its name, its date and the CA file.",
        .channelAddressForbidden:
            "A target's name leads to a private or loopback address that is not listed for it; nothing was sent.",
        .channelRedirect: "A target answered with a redirect, which is never followed; correct its URL.",
        .channelGone: "A target said that it is gone for good (410); it must be replaced in the configuration.",
        .channelSecretInvalid: "A signing secret cannot be used; check the file, its permissions and its form.",
        .channelUnknown: "A policy or a waiting delivery names a target that is not configured.",
        .heartbeatFailed: "A target did not take the gateway's heartbeat; it may believe that the gateway is dead.",
        .noChannelWorks: "No target accepted an emergency. Alarm the people on duty by other means now.",
        .configInvalid: "The configuration has an error; the running one stays in force.",
        .importRowInvalid: "A row of an import is wrong and was left out.",
        .requestInvalid: "A request to the status socket is wrong; its answer says what is allowed.",
        .notFound: "What was asked for does not exist.",
        .sirenLatchFailed:
            "The siren's latch could not be written; check the directory `siren` beside the databases and its owner.",
        .conflict: "The state has changed meanwhile and does not allow this any more.",
        .internalFault: "A fault inside the gateway; please report it with the log.",
    ]
}
