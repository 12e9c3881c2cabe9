public import TerminalModel

/// The one door through which every telephone number leaves the process, also those sent to terminals to dial.
///
/// Until the site is commissioned no writing of an emergency number passes; afterwards calls to emergency services are
/// capped. Dial the number in the verdict, never the one that was handed in. Source: promise P7 and the escalation
/// document section 7.
public struct DialGuard: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// May be dialled, in exactly this writing.
        case allowed(number: String, isEmergency: Bool)
        case refused(Refusal)
    }

    public enum Refusal: Sendable, Equatable {
        case notDialable(reason: String)
        case notCommissioned(code: String)
        case incidentCap(calls: Int)
        case hourCap(calls: Int)

        /// The stable name on every interface.
        public var code: String {
            switch self {
            case .notDialable: "number_not_dialable"
            case .notCommissioned: "emergency_number_not_commissioned"
            case .incidentCap: "emergency_calls_per_incident"
            case .hourCap: "emergency_calls_per_hour"
            }
        }
    }

    /// One permitted call to an emergency service; kept across restarts by whoever owns the guard.
    public struct Call: Sendable, Equatable, Codable {
        public var at: Timestamp
        public var incident: IncidentID?

        public init(at: Timestamp, incident: IncidentID?) {
            self.at = at
            self.incident = incident
        }
    }

    /// Set only by the explicit, logged act of commissioning.
    public var isCommissioned: Bool
    public let callsPerIncident: Int
    public let callsPerHour: Int
    /// The calls that still count, oldest first.
    public private(set) var calls: [Call]

    /// Calls of one incident are counted for this long.
    static let memoryMilliseconds: Int64 = 7 * 86_400_000
    static let hourMilliseconds: Int64 = 3_600_000

    public init(
        isCommissioned: Bool = false, callsPerIncident: Int = 3, callsPerHour: Int = 6, restored: [Call] = []
    ) {
        self.isCommissioned = isCommissioned
        self.callsPerIncident = callsPerIncident
        self.callsPerHour = callsPerHour
        self.calls = restored
    }

    /// Judges without counting: for configuration, cards and operators' input.
    public func examine(_ number: String) -> Verdict {
        switch DialledNumber(number) {
        case .ordinary(let digits): .allowed(number: digits, isEmergency: false)
        case .notDialable(let reason): .refused(.notDialable(reason: reason))
        case .emergency(let code, _) where !isCommissioned: .refused(.notCommissioned(code: code))
        case .emergency(_, let digits?): .allowed(number: digits, isEmergency: true)
        case .emergency(let code, nil):
            .refused(.notDialable(reason: "an emergency number (\(code)) is written with nothing around it"))
        }
    }

    /// Judges a call that is about to be made, and counts it when it is allowed and goes to an emergency service.
    public mutating func authorize(_ number: String, incident: IncidentID?, now: Moment) -> Verdict {
        let verdict = examine(number)
        guard case .allowed(_, isEmergency: true) = verdict else { return verdict }
        // A call dated in the future was made before the clock was set back: it counts.
        calls.removeAll { now.wall.milliseconds &- $0.at.milliseconds > Self.memoryMilliseconds }
        let lately = calls.filter { now.wall.milliseconds &- $0.at.milliseconds < Self.hourMilliseconds }
        if lately.count >= callsPerHour { return .refused(.hourCap(calls: lately.count)) }
        if let incident {
            let made = calls.count { $0.incident == incident }
            if made >= callsPerIncident { return .refused(.incidentCap(calls: made)) }
        }
        calls.append(Call(at: now.wall, incident: incident))
        return verdict
    }
}
