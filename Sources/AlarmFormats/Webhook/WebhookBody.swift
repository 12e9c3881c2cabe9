import Geofencing
import IncidentCore
import TerminalModel

/// Renders events as JSON: `{"type","timestamp","data"}`, equal bytes for equal events, never above the size limit.
///
/// Texts that are too long are cut and end in `…`; `truncated` then is true. Identity, position and call-back number
/// are never cut. Source: escalation document sections 0, 3 and 7.1.
enum WebhookBody {
    static func render(_ notice: Notice, gateway: String, audience: Audience) -> [UInt8] {
        // Everything fits at the first size unless a card is a novel.
        for size in TextLimits.sizes.dropLast() {
            let body = render(notice, gateway: gateway, audience: audience, limits: size)
            if body.count <= WebhookMessage.maximumBodyBytes { return body }
        }
        return render(notice, gateway: gateway, audience: audience, limits: TextLimits.smallest)
    }

    static func render(_ heartbeat: GatewayHeartbeat) -> [UInt8] {
        var cut = false
        var limits = TextCutter(limits: TextLimits.sizes[0])
        var counters = JSONObject()
        for (name, value) in heartbeat.counters.prefix(maximumCounters) {
            counters.set(TextCutter.cut(TextCutter.clean(name), bytes: 100, didCut: &cut), value)
        }
        var data = JSONObject()
        data.set("gateway", limits.identity(heartbeat.gateway))
        data.set("version", limits.identity(heartbeat.version))
        data.set("uptime_s", heartbeat.uptimeSeconds)
        data.set("open_incidents", heartbeat.openIncidents)
        data.set("unacknowledged_incidents", heartbeat.unacknowledgedIncidents)
        data.set("store_healthy", heartbeat.storeHealthy)
        data.set("counters", counters.value)
        return envelope(type: "gateway.heartbeat", at: heartbeat.at, data: data)
    }

    private static let maximumCounters = 100

    private static func envelope(type: String, at time: Timestamp, data: JSONObject) -> [UInt8] {
        var root = JSONObject()
        root.set("type", type)
        root.set("timestamp", time)
        root.set("data", data.value)
        return Array(root.value.text.utf8)
    }

    private static func render(
        _ notice: Notice, gateway: String, audience: Audience, limits: TextLimits
    ) -> [UInt8] {
        let incident = notice.incident
        var cutter = TextCutter(limits: limits)
        var data = JSONObject()
        data.set("incident_id", incident.id.description)
        data.set("event", incident.lastEventNumber)
        data.set("service", incident.service.rawValue)
        data.set("state", incident.state.rawValue)
        data.set("severity", severity(incident.service))
        data.set("late", incident.late)
        data.set("durable", notice.durable)
        data.set("drill", incident.isDrill ?? false)
        if incident.isTest { data.set("test_press", true) }
        data.set("gateway", cutter.identity(gateway))
        data.set("terminal", incident.terminal.description)
        data.set("trust", incident.trust.rawValue)
        data.set("call_back_number", notice.person.flatMap { $0.phone.isEmpty ? nil : cutter.identity($0.phone) })
        if audience != .centre { data.set("recipients", recipients(audience, of: notice.person, &cutter)) }
        data.set("position", incident.position.map { position($0, at: notice.at) } ?? .null)
        data.set("person", notice.person.map { card($0, &cutter) } ?? .null)
        data.set("causes", cutter.texts(incident.causes))
        data.set("keys", .array(incident.keys.prefix(maximumKeys).map(JSONValue.int)))
        data.set("fence", incident.fence.map { cutter.text($0) })
        data.set("presses", incident.presses)
        data.set("gathered_terminals", incident.gathered)
        data.set("affected_terminals", incident.affected)
        data.set("round", notice.round)
        data.set("step", notice.step)
        data.set("received_at", incident.openedAt)
        data.set("device_time", incident.deviceTime)
        data.set("sequence", incident.sequence)
        data.set("acknowledged_by", incident.acknowledgedBy.map { cutter.text($0) })
        data.set("acknowledged_at", incident.acknowledgedAt)
        data.set("owner", incident.owner.map { cutter.text($0) })
        data.set("due_at", incident.dueAt)
        data.set("closed_at", incident.closedAt)
        data.set("disposition", incident.disposition.map { cutter.text($0) })
        if audience == .centre, !incident.episode.withheld.isEmpty {
            data.set("withheld", withheld(incident.episode.withheld, &cutter))
        }
        if cutter.didCut { data.set("truncated", true) }
        return envelope(type: notice.kind.rawValue, at: notice.at, data: data)
    }

    /// More keys than a terminal has.
    private static let maximumKeys = 64
    /// As many as a card holds: nobody who is to be told is cut off.
    private static let maximumRecipients = 20

    /// Whom the receiver is to reach, with numbers in digits that passed the dial guard.
    private static func recipients(
        _ audience: Audience, of person: Person?, _ cutter: inout TextCutter
    ) -> JSONValue {
        let contacts = person?.recipients(audience).prefix(maximumRecipients) ?? []
        return .array(
            contacts.map { contact in
                var object = JSONObject()
                object.set("name", cutter.text(contact.name))
                object.set("phone", cutter.number(contact.phone))
                object.set("relation", cutter.text(contact.relation))
                object.set("guardian", contact.isGuardian)
                return object.value
            })
    }

    /// Who was not told, with the reason: an operator may have to call an ambulance by telephone.
    private static func withheld(_ reasons: [String: String], _ cutter: inout TextCutter) -> JSONValue {
        var object = JSONObject()
        for (target, reason) in reasons.sorted(by: { $0.key < $1.key }).prefix(maximumRecipients) {
            object.set(cutter.identity(target), cutter.text(reason))
        }
        return object.value
    }

    /// How much it hurries: `life`, `urgent` or `normal`.
    private static func severity(_ service: Service) -> String {
        switch service {
        case .emergency: "life"
        case .securityAlarm, .fenceWatch: "urgent"
        case .lifeAssistance, .careContact, .elderLocation, .childLocation: "normal"
        }
    }

    /// Both datums, each labelled: dispatch screens use GCJ-02, everything else WGS-84.
    private static func position(_ position: IncidentPosition, at time: Timestamp) -> JSONValue {
        let place = Coordinate(
            latitudeDegrees: position.latitudeDegrees, longitudeDegrees: position.longitudeDegrees)
        var object = JSONObject()
        object.set("wgs84", coordinates(place))
        object.set("gcj02", coordinates(Datum.gcj02.fromWGS84(place)))
        object.set("accuracy_m", position.accuracyMetres)
        object.set("source", position.source.rawValue)
        object.set("valid", position.valid)
        object.set("fix_time", position.fixTime)
        // A fix from a clock that runs ahead is as fresh as can be, not younger than now.
        let age = (time.milliseconds - position.fixTime.milliseconds) / 1000
        object.set("fix_age_s", Int(max(0, age)))
        return object.value
    }

    /// Six decimals are 0.1 m.
    private static func coordinates(_ place: Coordinate) -> JSONValue {
        var object = JSONObject()
        object.set("latitude", (place.latitudeDegrees * 1e6).rounded() / 1e6)
        object.set("longitude", (place.longitudeDegrees * 1e6).rounded() / 1e6)
        return object.value
    }

    private static func card(_ person: Person, _ cutter: inout TextCutter) -> JSONValue {
        var object = JSONObject()
        object.set("id", cutter.identity(person.id))
        object.set("name", cutter.identity(person.name))
        object.set("sex", cutter.text(person.sex))
        object.set("birth_date", cutter.text(person.birthDate))
        object.set("address", cutter.text(person.address))
        object.set("district", person.district.map { cutter.text($0) })
        object.set("landmark", cutter.text(person.landmark))
        object.set("conditions", cutter.text(person.conditions))
        object.set("medicines", cutter.text(person.medicines))
        object.set("blood_type", cutter.text(person.bloodType))
        object.set("allergies", cutter.text(person.allergies))
        object.set("phone", cutter.identity(person.phone))
        let contacts = cutter.first(person.contacts).map { contact in
            var object = JSONObject()
            object.set("name", cutter.text(contact.name))
            object.set("phone", cutter.number(contact.phone))
            object.set("relation", cutter.text(contact.relation))
            object.set("guardian", contact.isGuardian)
            return object.value
        }
        object.set("contacts", .array(contacts))
        object.set("groups", cutter.texts(person.groups))
        object.set("services", .array(Set(person.services).map(\.rawValue).sorted().map(JSONValue.string)))
        object.set("consents_to_automatic_120", person.consentsToAutomatic120)
        return object.value
    }
}
