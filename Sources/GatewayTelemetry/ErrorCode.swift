/// Stable names of what can go wrong, as operators see them in logs, on the status socket and in `ydtctl`.
///
/// A code never changes its meaning; a new meaning gets a new code. Source: STYLE section 5.
public enum ErrorCode: String, Sendable, CaseIterable, Codable {
    case frameNotThisProtocol = "frame_not_this_protocol"
    case frameBadLength = "frame_bad_length"
    case frameBadIntegrity = "frame_bad_integrity"
    case frameBadValue = "frame_bad_value"
    case frameUnsupported = "frame_unsupported"
    case connectionTLSFailed = "connection_tls_failed"
    case certificateExpires = "certificate_expires"
    case listenerFailed = "listener_failed"
    case serialFailed = "serial_failed"
    case clockOff = "clock_off"
    case captureFailed = "capture_failed"
    case storeCommitFailed = "store_commit_failed"
    case storeDamaged = "store_damaged"
    case storeFull = "store_full"
    case storeLow = "store_low"
    case storeHangs = "store_hangs"
    case storeReadFailed = "store_read_failed"
    case incidentNotDurable = "incident_not_durable"
    case queueFull = "queue_full"
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
        .connectionTLSFailed:
            "A terminal did not get through TLS: no certificate that is believed here, or what it sends is no TLS.",
        .certificateExpires:
            "A certificate that terminals see ends within 30 days, or has ended: renew it and reload, or they stay away.",
        .listenerFailed: "A port could not be opened; check that the address exists and is free.",
        .serialFailed: "A serial line could not be opened or broke; it is tried again.",
        .clockOff:
            "The system clock and satellite time differ; deadlines and times of alarms may be wrong. Check time synchronisation.",
        .captureFailed:
            "Raw bytes cannot be written to a capture file; they are left out and counted, and everything else goes on.",
        .storeCommitFailed:
            "A write to disk failed. Nothing is acknowledged to terminals until it works; alarms still go out.",
        .storeDamaged: "A database file is damaged; it was set aside, not deleted. Restore a backup.",
        .storeFull: "The disk is full. Nothing is acknowledged to terminals until there is space.",
        .storeLow: "The disk is nearly full. Make room now: positions stop first, alarms have a reserve.",
        .storeHangs:
            "The disk does not answer. Nothing is acknowledged to terminals until it does; alarms still go out.",
        .storeReadFailed: "A database file could not be read.",
        .incidentNotDurable: "An incident is escalated but is not on disk yet; it is stored when the disk works.",
        .queueFull: "A queue reached its limit and work was dropped; the counter of dropped work names it.",
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
        .noChannelWorks: "No target has accepted an emergency. Alarm the people on duty by other means now.",
        .configInvalid: "The configuration has an error; the running one stays in force.",
        .requestInvalid: "A request to the status socket is wrong; its answer says what is allowed.",
        .notFound: "What was asked for does not exist.",
        .sirenLatchFailed:
            "The siren's latch could not be written; check the directory `siren` beside the databases and its owner.",
        .conflict: "The state has changed meanwhile and does not allow this any more.",
        .internalFault: "A fault inside the gateway; please report it with the log.",
    ]
}
