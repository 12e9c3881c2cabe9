import TerminalModel

/// One incident while a decision about it is being made.
struct Draft {
    var incident: Incident
    var person: Person?
    var entries: [TimelineEntry] = []
    var evidence: Evidence?
    var deliveries: [IncidentChange.Delivery] = []
    var commands: [Decision.Order] = []
    /// Something must be stored, even when there is no row on the timeline.
    var mustStore = false

    init(incident: Incident, person: Person?) {
        self.incident = incident
        self.person = person
    }

    var isChanged: Bool { mustStore || !entries.isEmpty || !deliveries.isEmpty }

    mutating func write(_ kind: TimelineEntry.Kind, by actor: String, _ detail: String, at: Timestamp) {
        entries.append(TimelineEntry(at: at, kind: kind, actor: actor, detail: detail))
    }

    /// Owes each target the next fact; facts are numbered without gaps.
    mutating func tell(_ kind: Notice.Kind, to targets: [String], at: Timestamp, round: Int = 0, step: Int = 0) {
        guard !targets.isEmpty else { return }
        incident.lastEventNumber += 1
        for target in targets {
            incident.episode.withheld[target] = nil
            if !incident.episode.told.contains(target) { incident.episode.told.append(target) }
        }
        let notice = Notice(kind: kind, at: at, incident: incident, person: person, round: round, step: step)
        deliveries.append(.init(notice: notice, targets: targets))
    }

    mutating func order(_ command: TerminalCommand, lifetimeSeconds: Int? = nil) {
        commands.append(
            .init(
                terminal: incident.terminal, command: command, incident: incident.id, lifetimeSeconds: lifetimeSeconds))
    }
}

/// What an incident is about: a terminal has at most one open incident of each.
enum Matter: Hashable {
    case emergency
    case assistance
    case security
    case lowBattery
    case silence
    case supervision
    /// Many terminals at once.
    case infrastructure
    case fence(String)
    case other(Service)

    init(_ incident: Incident) {
        switch incident.service {
        case .emergency: self = .emergency
        case .securityAlarm:
            let isOfMany = incident.causes.first?.hasPrefix(IncidentEngine.massCausePrefix) == true
            self = isOfMany ? .infrastructure : .security
        case .fenceWatch: self = .fence(incident.fence ?? "")
        case .lifeAssistance:
            switch incident.causes.first {
            case "low_battery": self = .lowBattery
            case "silence": self = .silence
            case "supervision_lost": self = .supervision
            default: self = .assistance
            }
        case .careContact, .elderLocation, .childLocation: self = .other(incident.service)
        }
    }

    init(_ condition: Condition) {
        switch condition {
        case .fenceCrossed(let fence, _, _, _, _): self = .fence(fence)
        case .lowBattery, .batteryRecovered: self = .lowBattery
        case .silence, .heardAgain: self = .silence
        case .supervisionLost, .supervisionRestored: self = .supervision
        case .reminderMissed: self = .other(.careContact)
        }
    }

    /// What an alarm of a terminal is about; nil for kinds that are no incident by themselves.
    init?(_ kind: AlarmKind) {
        switch kind {
        case .sos, .fall, .fire, .gas: self = .emergency
        case .help, .welfare, .heartRate: self = .assistance
        case .removed, .tamper, .powerCut, .intrusion, .duress: self = .security
        case .fenceEnter, .fenceExit, .fenceCross: self = .fence("")
        default: return nil
        }
    }

    var service: Service {
        switch self {
        case .emergency: .emergency
        case .assistance, .lowBattery, .silence, .supervision: .lifeAssistance
        case .security, .infrastructure: .securityAlarm
        case .fence: .fenceWatch
        case .other(let service): service
        }
    }

    /// The kinds that `init(_: AlarmKind)` knows.
    static let openingAlarms = AlarmSet(AlarmKind.allCases.filter { Matter($0) != nil })
}

extension Trust {
    /// Higher is better proven.
    var rank: Int {
        switch self {
        case .verified: 3
        case .byID: 2
        case .claimed: 1
        case .unknown: 0
        }
    }
}
