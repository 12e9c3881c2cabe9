import TerminalModel

/// Every metric of the gateway, each created once at start with every label value at zero. Source: STYLE section 8.
public enum GatewayMetric {
    // Terminals

    public static let bytesReceived = counter(
        "received_bytes_total", "Bytes read from terminals.", [transport])
    public static let framesReceived = counter(
        "frames_received_total", "Frames whose check was right.", [protocolLabel])
    public static let framesRejected = counter(
        "frames_rejected_total", "Frames that could not be decoded.",
        [
            protocolLabel,
            .init(
                "reason",
                ["not_this_protocol", "bad_length", "bad_integrity", "bad_value", "unsupported", "oversized"]),
        ])
    public static let eventsReceived = counter(
        "events_received_total", "Decoded events by kind.", [.init("kind", EventKind.allCases.map(\.rawValue))])
    public static let captureBytes = counter(
        "capture_bytes_total", "Raw bytes of recorded ports, lines and terminals, by what became of them.",
        [.init("outcome", ["written", "queue_full", "disk_error"])])
    public static let datagramsStray = counter(
        "datagrams_stray_total",
        "Datagrams of unknown peers that named no terminal in a good frame; nothing is kept of them.")
    public static let retransmissions = counter(
        "retransmissions_received_total", "Frames that were equal to an earlier one.", [protocolLabel])
    public static let terminalsConnected = gauge(
        "terminals_connected", "Terminals that are identified on a live connection.", [transport])
    public static let connectionsOpen = gauge(
        "connections_open", "Open connections, identified or not.", [transport])
    public static let connectionsAccepted = counter(
        "connections_accepted_total", "Connections taken.", [transport])
    public static let connectionsClosed = counter(
        "connections_closed_total", "Connections ended, by reason.",
        [
            transport,
            .init(
                "reason",
                ["peer", "idle", "slow_frame", "write_limit", "replaced", "limit", "protocol", "error", "shutdown"]),
        ])
    public static let connectionsRefused = counter(
        "connections_refused_total", "Connections refused at once, by reason.",
        [.init("reason", ["limit", "peer_limit", "descriptors", "handshake", "handshake_timeout"])])
    public static let handshakesCompleted = counter(
        "handshakes_completed_total", "Connections on which TLS was agreed on.")
    public static let acceptPauses = counter(
        "accept_pauses_total", "Rests of a port because the system had no descriptor or memory left.")
    public static let acceptFailures = counter(
        "accept_failures_total", "Connections that were gone before they were taken.")
    public static let bytesSent = counter("sent_bytes_total", "Bytes written to terminals.")
    public static let bytesSentDropped = counter(
        "sent_bytes_dropped_total", "Bytes for terminals given up because their connection ended.")
    public static let partialFrameBytes = gauge(
        "partial_frame_bytes", "Memory that holds frames which have not arrived completely.")
    public static let unfinishedMessageBytes = gauge(
        "unfinished_message_bytes", "Memory that holds messages whose packages have not all arrived.")
    public static let writeQueueBytes = gauge(
        "write_queue_bytes", "Memory that holds bytes which terminals have not taken yet.")
    public static let datagramsReceived = counter("datagrams_received_total", "Datagrams read from terminals.")
    public static let datagramsSent = counter("datagrams_sent_total", "Datagrams written to terminals.")
    public static let datagramsDropped = counter(
        "datagrams_dropped_total", "Datagrams given up: longer than any frame, or not taken by the system.",
        [.init("reason", ["too_long", "not_sent"])])
    public static let serialOpens = counter(
        "serial_opens_total", "Attempts to open a serial line.", [.init("outcome", ["opened", "failed"])])
    public static let serialBaudsTried = counter(
        "serial_bauds_tried_total", "Changes to another rate on serial lines where only noise came.")
    public static let devices = gauge("devices", "Serial ports by how they stand with the gateway.", [deviceState])
    public static let deviceStates = counter(
        "device_states_entered_total", "How often serial ports entered each state.", [deviceState])
    public static let deviceEventsLost = counter(
        "device_events_lost_total", "Times that udev's events were lost and all ports were listed again.")
    public static let devicesLeftOut = counter(
        "devices_left_out_total", "Serial ports for which the table of devices had no room.")
    public static let gatewayFix = gauge(
        "gateway_fix", "1 for what is known of the gateway's own position.",
        [.init("state", ["disconnected", "no_fix", "stale", "fix"])])
    public static let gatewayFixAge = gauge(
        "gateway_fix_age_seconds", "Age of the gateway's last own position; -1 without one.")
    public static let gatewayClock = gauge(
        "gateway_clock", "1 for what satellite time says of the system clock.",
        [.init("state", ["unknown", "ok", "warning"])])
    public static let gatewayClockOffset = gauge(
        "gateway_clock_offset_seconds", "System clock less satellite time; 0 while unknown.")
    public static let gpsdConnections = counter("gpsd_connections_total", "Connections made to gpsd.")
    public static let authentications = counter(
        "authentications_total", "Terminals that were identified, by the trust they got.",
        [.init("trust", Trust.allCases.map(\.rawValue))])
    public static let acknowledgementsSent = counter(
        "acknowledgements_sent_total", "Acknowledgements sent to terminals.",
        [.init("kind", ["alarm", "position", "other"])])
    public static let acknowledgementsWithheld = counter(
        "acknowledgements_withheld_total", "Reports left without acknowledgement, so that they are sent again.",
        [.init("reason", ["store_error", "queue_full", "connection_closed"])])
    public static let commands = counter(
        "commands_total", "Commands to terminals by what became of them.",
        [.init("outcome", ["queued", "sent", "confirmed", "expired", "failed"])])

    public static let careContacts = counter(
        "care_contacts_total", "Reminders to people by what became of them.",
        [.init("outcome", ["queued", "sent", "confirmed", "missed", "not_sent"])])

    // Incidents

    public static let incidentsOpened = counter("incidents_opened_total", "Incidents opened.", [service])
    public static let incidentsClosed = counter("incidents_closed_total", "Incidents closed by a human.", [service])
    public static let incidentsAnswered = counter(
        "incidents_answered_total", "Incidents that a human took over for the first time, by how soon.",
        [service, .init("within", ["60s", "180s", "later"])])
    public static let incidentsDue = counter(
        "incidents_due_total", "Closed incidents that had been handed over with a due time.",
        [service, .init("outcome", ["on_time", "late"])])
    public static let incidentsOpen = gauge("incidents_open", "Incidents that are not closed.", [service])
    public static let incidentsUnacknowledged = gauge(
        "incidents_unacknowledged", "Incidents that wait for a human.", [service])
    public static let incidentsNotDurable = gauge(
        "incidents_not_durable", "Incidents that are escalated but not on disk yet.")
    public static let ladderSteps = counter(
        "ladder_steps_total", "Steps of escalation ladders started, and targets told between two of them.", [service])
    public static let targetsWithheld = counter(
        "targets_withheld_total", "Targets left out of a step; the incident's history names the reason.")
    public static let fenceTransitions = counter(
        "fence_transitions_total", "Confirmed fence crossings.", [.init("direction", ["enter", "exit"])])
    public static let massEvents = counter(
        "mass_events_total", "Incidents opened for many terminals at once, by what came first.",
        [.init("cause", ["mass_silence", "mass_disconnect", "mass_reconnect"])])
    public static let massSilentTerminals = gauge(
        "mass_silent_terminals", "Silent terminals that stand in one incident of many.")
    public static let testPressesDue = gauge(
        "test_presses_due", "People with a terminal whose last passed test press is too long ago, or who never had one."
    )
    public static let numbersRefused = counter(
        "numbers_refused_total", "Telephone numbers stopped by the guard of emergency numbers.")

    // Times that matter

    public static let alarmToCommit = duration(
        "alarm_to_commit_seconds", "From the last byte of an alarm to its commit on disk.")
    public static let alarmToHandover = duration(
        "alarm_to_handover_seconds", "From the last byte of an alarm to the first acceptance by a target.")
    public static let positionToCommit = duration(
        "position_to_commit_seconds", "From the last byte of a position to its commit on disk.")

    // Store

    public static let commits = counter(
        "store_commits_total", "Transactions by database and outcome.",
        [database, .init("outcome", ["ok", "failed"])])
    public static let commitDuration = duration("store_commit_seconds", "Time of one commit.", [database])
    public static let commitRows = SizeMetric(
        definition: MetricDefinition(
            prefix + "store_commit_rows", "Items in one commit.", .histogram(buckets: sizeBuckets),
            labels: [database]))
    public static let commitWindow = gauge(
        "store_commit_window_seconds", "How long the next commit waits for more, from the load and the disk's speed.",
        [database])
    public static let commitsStoodBack = counter(
        "store_commits_stood_back_total", "Commits that waited until alarms were on disk.", [database])
    public static let storeFree = gauge("store_free_bytes", "Free space on the disk of the state directory.")
    public static let storeReserve = gauge(
        "store_reserve_bytes", "Space that is held for alarms on a full disk; 0 when it is used.")
    public static let storeHealthy = gauge("store_healthy", "1 while the database can be written, else 0.", [database])

    // Escalation

    public static let escalationAttempts = counter(
        "escalation_attempts_total", "Attempts to hand an event over to a target.",
        [channel, .init("outcome", ["accepted", "retry", "gave_up"])])
    public static let escalationLatency = duration(
        "escalation_latency_seconds", "Time of one attempt.", [channel])
    public static let outboxPending = gauge("outbox_pending", "Events that wait for a target.", [channel])
    public static let heartbeats = counter(
        "heartbeats_total", "Heartbeats to targets.", [channel, .init("outcome", ["accepted", "failed"])])

    // The process

    public static let queueDepth = gauge("queue_depth", "Items waiting in a queue.", [stage])
    public static let queueDropped = counter(
        "queue_dropped_total", "Work dropped by a full queue.",
        [stage, .init("reason", ["full"])])
    public static let loopWakeUps = counter("loop_wake_ups_total", "Returns of the accept loops from waiting.")
    public static let loopTimersFired = counter("loop_timers_fired_total", "Timers of the accept loops that were due.")
    public static let loopStaleEvents = counter(
        "loop_stale_events_total", "Events for connections that had ended in the same moment.")
    public static let logLinesSuppressed = counter(
        "log_lines_suppressed_total", "Repeated log lines that were left out.")
    public static let startTime = gauge("start_time_seconds", "Start of the process, Unix time in seconds.")
    public static let buildInfo = gauge("build_info", "Always 1; the version is the label.", [.init("version")])

    /// All of them, in the order of their names.
    public static let all: [MetricDefinition] = {
        let counters = [
            bytesReceived, framesReceived, framesRejected, captureBytes, datagramsStray, eventsReceived,
            retransmissions, connectionsAccepted,
            connectionsClosed, connectionsRefused, handshakesCompleted, acceptPauses, acceptFailures, bytesSent,
            bytesSentDropped, datagramsReceived, datagramsSent, datagramsDropped, serialOpens, serialBaudsTried,
            deviceStates, deviceEventsLost, devicesLeftOut, gpsdConnections,
            loopWakeUps,
            loopTimersFired, loopStaleEvents, authentications, acknowledgementsSent, acknowledgementsWithheld,
            commands, careContacts, incidentsOpened, incidentsClosed, incidentsAnswered, incidentsDue, ladderSteps,
            targetsWithheld, fenceTransitions, massEvents, numbersRefused, commits, commitsStoodBack,
            escalationAttempts, heartbeats, queueDropped, logLinesSuppressed,
        ]
        let gauges = [
            terminalsConnected, connectionsOpen, devices, gatewayFix, gatewayFixAge, gatewayClock, gatewayClockOffset,
            partialFrameBytes, unfinishedMessageBytes, writeQueueBytes, incidentsOpen,
            incidentsUnacknowledged, incidentsNotDurable, storeHealthy, commitWindow, storeFree, storeReserve,
            outboxPending, queueDepth, startTime, buildInfo, massSilentTerminals,
            testPressesDue,
        ]
        let durations = [
            alarmToCommit, alarmToHandover, positionToCommit, commitDuration,
            escalationLatency,
        ]
        let sizes = [commitRows]
        let definitions =
            counters.map(\.definition) + gauges.map(\.definition) + durations.map(\.definition)
            + sizes.map(\.definition)
        return definitions.sorted { $0.name < $1.name }
    }()

    /// The labels whose values the configuration gives: names of targets, and the version.
    public enum ConfiguredLabel {
        public static let channel = "channel"
        public static let version = "version"
    }

    // From half a millisecond (a commit) to a minute (a ladder round); the goals of 20 ms and 100 ms are bounds.
    private static let secondsBuckets = [
        0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
    ]
    private static let sizeBuckets: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

    private static let prefix = "yidiantong_"
    private static let transport = MetricLabel("transport", Bearer.allCases.map(\.rawValue))
    private static let protocolLabel = MetricLabel("protocol", ProtocolName.allCases.map(\.rawValue))
    private static let deviceState = MetricLabel(
        "state",
        [
            "found", "not_ours", "opening", "no_permission", "busy", "hung_up", "read_error", "failed", "silent",
            "open",
            "unplugged",
        ])
    private static let service = MetricLabel(
        "service",
        [
            "emergency", "life_assistance", "care_contact", "security_alarm", "fence_watch", "elder_location",
            "child_location",
        ])
    private static let channel = MetricLabel(ConfiguredLabel.channel)
    private static let database = MetricLabel("database", ["incidents", "tracks", "messages"])
    private static let stage = MetricLabel(
        "stage",
        ["ingest", "loop", "commands", "outbox", "events", "writes", "packages"])

    private static func counter(_ name: String, _ help: String, _ labels: [MetricLabel] = []) -> CounterMetric {
        CounterMetric(definition: MetricDefinition(prefix + name, help, .counter, labels: labels))
    }

    private static func gauge(_ name: String, _ help: String, _ labels: [MetricLabel] = []) -> GaugeMetric {
        GaugeMetric(definition: MetricDefinition(prefix + name, help, .gauge, labels: labels))
    }

    private static func duration(_ name: String, _ help: String, _ labels: [MetricLabel] = []) -> DurationMetric {
        DurationMetric(
            definition: MetricDefinition(prefix + name, help, .histogram(buckets: secondsBuckets), labels: labels))
    }
}
