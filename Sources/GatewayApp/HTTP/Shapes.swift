import IncidentCore
import TerminalModel

/// The shapes of all bodies on the status socket.
enum Shapes {
    static let fault = Schema.named(
        "ImportFault",
        .object([
            .required("line", .integer(0...Int(Int32.max)), "1 is the first line of the file, or the first feature"),
            .required("column", .string), .required("found", .string), .required("allowed", .string),
        ]))

    static let problem = Schema.named(
        "Problem",
        .object([
            .required("status", .integer(400...599)), .required("title", .string),
            .required("code", .string, "a stable name for programs"), .required("detail", .string),
            .optional("pointer", .string, "where: a JSON pointer, query.NAME, path.NAME or a header"),
            .optional("found", .string), .optional("allowed", .string),
            .optional("faults", .array(fault, count: 0...Int.max)),
        ]))

    static let anyInteger = Schema.integer(Int(Int32.min)...Int(Int32.max))
    static let count = Schema.integer(0...Int(Int32.max))
    static let words = Schema.array(.string, count: 0...Int.max)
    static let operatorID = Schema.line(1...64)
    static let reason = Schema.line(1...500)

    // Status

    static let status = Schema.named(
        "Status",
        .object([
            .required("name", .string), .required("version", .string), .required("started_at", .time),
            .required("now", .time), .required("healthy", .boolean), .required("ready", .boolean),
            .required("commissioned", .boolean), .optional("drill", drill, "the one that is on"),
            .required("terminals_known", count),
            .required("terminals_online", count), .required("incidents", .map(count), "not closed, by state"),
            .required("not_durable", count), .required("outbox_pending", count),
            .required(
                "faults",
                .array(
                    .object([
                        .required("code", .string), .required("detail", .string), .required("since", .time),
                    ]), count: 0...Int.max)),
        ]))

    static let health = Schema.named("Health", .object([.required("ok", .boolean), .optional("detail", .string)]))

    // Terminals

    static let terminal = Schema.named(
        "Terminal",
        .object([
            .required("terminal", .string), .optional("person", .string), .optional("person_name", .string),
            .required("model", .string), .required("utc_offset_minutes", anyInteger),
            .required("trust_by_id", .boolean), .required("known", .boolean), .required("online", .boolean),
            .optional("bearer", .string), .optional("peer", .string), .optional("online_since", .time),
            .optional("last_seen", .time), .optional("last_event", .anything, "in the form that all tools print"),
        ]))

    static let terminalPage = page("terminals", terminal)

    static func page(_ name: String, _ element: Schema) -> Schema {
        .object([
            .required(name, .array(element, count: 0...Int.max)),
            .optional("next", .string, "pass as `after` for the rest; absent at the end"),
        ])
    }

    static let trackPoint = Schema.named(
        "TrackPoint",
        .object([
            .required("at", .time), .optional("device_time", .time), .required("latitude", latitude),
            .required("longitude", longitude), .required("valid", .boolean), .optional("accuracy_m", count),
            .optional("speed_kmh", .number(0...10_000)), .optional("course_deg", anyInteger),
        ]))

    static let latitude = Schema.number(-90...90)
    static let longitude = Schema.number(-180...180)

    static let track = Schema.named(
        "Track",
        .object([
            .required("terminal", .string), .required("points", .array(trackPoint, count: 0...Int.max)),
            .required("truncated", .boolean),
        ]))

    static let assignment = Schema.named(
        "Assignment",
        .object([
            .required("operator", operatorID), .required("person", .orNull(.identifier)),
            .optional("model", .lineOrEmpty(64)), .optional("utc_offset_minutes", .integer(-720...840)),
            .optional("trust_by_id", .boolean),
        ]))

    private static func variant(_ word: String, _ properties: [Schema.Property]) -> (word: String, schema: Schema) {
        let common: [Schema.Property] = [
            .required("operator", operatorID), .required("command", .choice([word])),
            .optional("expires_seconds", .integer(1...604_800), "86400 when absent"),
        ]
        return (word, .object(common + properties))
    }

    static let command = Schema.named(
        "CommandRequest",
        .variants(
            by: "command",
            [
                variant("call-back", [.required("number", .phone), .optional("listen", .boolean)]),
                variant("fall-detection", [.required("enabled", .boolean)]),
                variant("find", []),
                variant("locate", []),
                variant("message", [.required("text", .line(1...500)), .optional("urgent", .boolean)]),
                variant("power-off", []),
                variant("report-interval", [.required("seconds", .integer(1...86_400))]),
                variant("restart", []),
                variant(
                    "set-numbers",
                    [
                        .required("purpose", .choice(NumberPurpose.allCases.map(\.rawValue))),
                        .required("numbers", .array(.phone, count: 0...10)),
                    ]),
                variant(
                    "track",
                    [
                        .required("interval_seconds", .integer(0...86_400)),
                        .required("duration_seconds", .integer(0...604_800)),
                    ]),
            ]))

    static let commandView = Schema.named(
        "Command",
        .object([
            .required("id", .integer(0...Int.max)), .required("terminal", .string), .required("command", .string),
            .optional("incident", .string), .required("by", .string), .required("created_at", .time),
            .required("expires_at", .time),
            .required("outcome", .choice(["queued", "sent", "confirmed", "failed", "expired"])),
            .optional("reason", .string), .required("updated_at", .time),
        ]))

    static let commandList = Schema.object([.required("commands", .array(commandView, count: 0...Int.max))])

    // Incidents

    static let position = Schema.named(
        "Position",
        .object([
            .required("latitude", latitude), .required("longitude", longitude), .optional("accuracy_m", count),
            .required("valid", .boolean), .required("source", .choice(Position.Source.allCases.map(\.rawValue))),
            .required("fix_time", .time),
        ]))

    static let incident = Schema.named(
        "Incident",
        .object([
            .required("id", .incident), .required("service", .choice(Service.allCases.map(\.rawValue))),
            .required("state", .choice(IncidentState.allCases.map(\.rawValue))), .required("terminal", .string),
            .optional("person", .string), .optional("person_name", .string),
            .required("trust", .choice(Trust.allCases.map(\.rawValue))), .required("causes", words),
            .required("keys", .array(anyInteger, count: 0...Int.max)), .optional("fence", .string),
            .required("opened_at", .time), .optional("device_time", .time), .required("late", .boolean),
            .optional("drill", .boolean, "true for one that began in a drill; no emergency service hears of it"),
            .optional("test_press", .boolean, "true for an announced test press, which is a drill as well"),
            .optional("position", position), .required("presses", count),
            .optional("affected_terminals", count, "the most that an incident of many terminals stood for"),
            .optional("acknowledged_by", .string),
            .optional("acknowledged_at", .time), .optional("owner", .string), .optional("due_at", .time),
            .optional("closed_at", .time), .optional("disposition", .string),
        ]))

    static let incidentPage = page("incidents", incident)

    static let incidentDetail = Schema.named(
        "IncidentDetail",
        .object([
            .required("incident", incident), .optional("person", person),
            .required(
                "timeline",
                .array(
                    .object([
                        .required("at", .time),
                        .required("kind", .choice(TimelineEntry.Kind.allCases.map(\.rawValue))),
                        .required("actor", .string), .required("detail", .string),
                    ]), count: 0...Int.max)),
            .required(
                "evidence",
                .array(
                    .object([
                        .required("at", .time), .required("protocol", .string), .required("peer", .string),
                        .required("bearer", .string), .required("frame", .string, "lower-case hexadecimal"),
                        .required("event", .anything),
                    ]), count: 0...Int.max)),
        ]))

    static let acknowledge = Schema.object([.required("operator", operatorID), .required("reason", reason)])
    static let note = Schema.object([.required("operator", operatorID), .required("text", .line(1...2000))])
    static let handover = Schema.object([
        .required("operator", operatorID), .required("to", .line(1...64)), .required("reason", reason),
        .optional("due_at", .time, "when it must be done"),
    ])
    static let close = Schema.object([
        .required("operator", operatorID),
        .required("disposition", .line(1...64), "how it ended, for example helped, false_alarm, test"),
        .required("reason", reason),
    ])
    static let assignIncident = Schema.object([.required("operator", operatorID), .required("person", .identifier)])

    // Policies

    static let policyTest = Schema.named(
        "PolicyTest",
        .object([
            .required("person", .string), .required("service", .choice(Service.allCases.map(\.rawValue))),
            .required("at", .time), .optional("group", .string, "of the policy in force; absent: of everybody"),
            .required("fallback", .boolean, "there is no policy: everybody but emergency services is told at once"),
            .required("repeat_milliseconds", count),
            .required(
                "rows",
                .array(
                    .object([
                        .required("after_milliseconds", .integer(0...Int.max)), .required("at", .time),
                        .required("outcome", .choice(LadderRehearsal.Row.Outcome.allCases.map(\.rawValue))),
                        .optional("target", .string), .optional("step", count), .optional("detail", .string),
                        .optional("recipients", .array(contact, count: 0...Int.max), "whom the target is to reach"),
                    ]), count: 0...Int.max)),
        ]))

    static let report = Schema.named(
        "Report",
        .object([
            .required("from", .time), .required("to", .time),
            .required(
                "services",
                .array(
                    .object([
                        .required("service", .choice(Service.allCases.map(\.rawValue))), .required("opened", count),
                        .required("answered", count, "a human took over"), .required("answered_within_60_s", count),
                        .required("answered_within_180_s", count), .required("closed", count),
                        .required("supervised", count, "handed over with a due time"),
                        .required("closed_on_time", count, "of those, never overdue"),
                        .required("overdue", count, "of those, at least once"),
                    ]), count: 0...Int.max)),
            .optional("test_presses", testPressFigures, "who is to be tested now"),
        ]))

    // Administration

    static let importReport = Schema.named(
        "ImportReport",
        .object([
            .required("stored", count), .required("rejected", count),
            .required("faults", .array(fault, count: 0...Int.max)),
        ]))
    static let backup = Schema.object([.required("operator", operatorID)])
    static let backupReport = Schema.object([.required("directory", .string)])
    static let commission = Schema.object([
        .required("operator", operatorID), .required("reason", reason),
        .optional("commissioned", .boolean, "false takes the site out of service again"),
    ])
    static let drill = Schema.object([
        .required("started_by", .string), .required("started_at", .time), .required("until", .time),
        .optional("group", .string, "only people of this group take part"),
    ])
    static let drillRequest = Schema.object([
        .required("operator", operatorID),
        .required("minutes", .integer(0...Drill.maximumMinutes), "0 ends the drill that is on"),
        .optional("group", .identifier, "only people of this group take part"),
    ])
    static let drillReport = Schema.object([.optional("drill", drill, "absent when none is on")])
    static let sirenTestRequest = Schema.object([.required("operator", operatorID)])
    static let sirenTestReport = Schema.object([
        .required("at", .time), .required("outputs", words),
        .required("failures", words, "empty when every output could be heard"),
    ])
    static let real = Schema.object([.required("operator", operatorID), .required("reason", reason)])
    static let commissionReport = Schema.object([.required("commissioned", .boolean)])
}
