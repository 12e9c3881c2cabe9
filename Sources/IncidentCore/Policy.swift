/// Who is told when, for one service and optionally one group of people.
public struct Policy: Sendable, Equatable {
    public var service: Service
    /// nil: for everybody whom no policy with a group fits.
    public var group: String?
    /// Sorted by delay; all targets of a step start together.
    public var steps: [PolicyStep]
    /// From the start of one round to the start of the next; the ladder repeats without end. 1,000 or more.
    public var repeatMilliseconds: Int
    /// No step starts in these hours, what is due waits for their end; without effect for a life-safety service.
    public var quietHours: [DayWindow]

    public init(
        service: Service, group: String? = nil, steps: [PolicyStep], repeatMilliseconds: Int,
        quietHours: [DayWindow] = []
    ) {
        self.service = service
        self.group = group
        self.steps = steps
        self.repeatMilliseconds = repeatMilliseconds
        self.quietHours = quietHours
    }
}

public struct PolicyStep: Sendable, Equatable {
    /// From the opening of the incident, or from the start of the round.
    public var afterMilliseconds: Int
    /// Names of targets, or of duty rosters that say which target it is.
    public var targets: [String]

    public init(afterMilliseconds: Int, targets: [String]) {
        self.afterMilliseconds = afterMilliseconds
        self.targets = targets
    }
}

/// What the engine has to know of a target: how it is reached is the channel's business.
public struct TargetFacts: Sendable, Equatable {
    public var name: String
    /// An ambulance service or its like: guarded by commissioning, consent, trust and age (promise P7).
    public var isEmergencyService: Bool
    public var audience: Audience

    public init(name: String, isEmergencyService: Bool, audience: Audience = .centre) {
        self.name = name
        self.isEmergencyService = isEmergencyService
        self.audience = audience
    }
}

/// The rules in force: policies, targets and the limits of DESIGN section 6.
public struct IncidentRules: Sendable, Equatable {
    public var policies: [Policy]
    public var targets: [TargetFacts]
    /// nil: terminals are not asked for positions after an SOS.
    public var chase: ChaseRules?
    /// Services that are not named have no due time of their own and take every disposition.
    public var services: [Service: ServiceRules]
    public var supervision: SupervisionRules
    public var rosters: [DutyRoster]
    /// The site's own clock, for quiet hours and duty rosters.
    public var utcOffsetMinutes: Int
    /// The explicit, logged act by which a site may reach emergency services (promise P7).
    public var isCommissioned: Bool
    /// So often emergency services are called for one incident, and within an hour for all together; above that a human is asked.
    public var emergencyCallsPerIncident: Int
    public var emergencyCallsPerHour: Int
    /// A stored SOS older than this does not dial 120 by itself.
    public var lateLimitSeconds: Int
    /// A level alarm still held this long after closing is a new press.
    public var heldAfterCloseSeconds: Int
    /// After acknowledgement further presses raise attention again at most once in this time.
    public var raiseIntervalSeconds: Int
    /// nil: no low-battery incidents from percentages.
    public var lowBatteryPercent: Int?
    public var silence: SilenceLimits
    /// With so many open incidents of terminals in no list, further such terminals are counted in one incident
    /// (promise P6); each is still stored and told of (promise P2).
    public var unidentifiedLimit: Int
    /// The same for terminals behind one address, so that one peer cannot use up the others' room.
    public var unidentifiedLimitPerPeer: Int
    /// A person's terminal is to be tested once in so many days; 0: nobody is ever due.
    public var testPressDays = 30
    /// When many terminals at once are one incident.
    public var massEvents = MassEventRules()

    public init(
        policies: [Policy], targets: [TargetFacts], isCommissioned: Bool = false,
        emergencyCallsPerIncident: Int = 3, emergencyCallsPerHour: Int = 60, lateLimitSeconds: Int = 900,
        heldAfterCloseSeconds: Int = 600, raiseIntervalSeconds: Int = 60, lowBatteryPercent: Int? = 15,
        silence: SilenceLimits = SilenceLimits(), unidentifiedLimit: Int = 20_000,
        unidentifiedLimitPerPeer: Int = 10_000, rosters: [DutyRoster] = [], utcOffsetMinutes: Int = 480,
        chase: ChaseRules? = nil, services: [Service: ServiceRules] = [:],
        supervision: SupervisionRules = SupervisionRules()
    ) {
        self.policies = policies
        self.targets = targets
        self.rosters = rosters
        self.chase = chase
        self.services = services
        self.supervision = supervision
        self.utcOffsetMinutes = utcOffsetMinutes
        self.isCommissioned = isCommissioned
        self.emergencyCallsPerIncident = emergencyCallsPerIncident
        self.emergencyCallsPerHour = emergencyCallsPerHour
        self.lateLimitSeconds = lateLimitSeconds
        self.heldAfterCloseSeconds = heldAfterCloseSeconds
        self.raiseIntervalSeconds = raiseIntervalSeconds
        self.lowBatteryPercent = lowBatteryPercent
        self.silence = silence
        self.unidentifiedLimit = unidentifiedLimit
        self.unidentifiedLimitPerPeer = unidentifiedLimitPerPeer
    }
}

/// How the position is chased while an emergency is open.
public struct ChaseRules: Sendable, Equatable {
    /// 1...3600: between two reports of the terminal.
    public var intervalSeconds: Int
    /// 60...3600: how long the terminal is asked to report fast, each time; then it returns to normal by itself.
    public var periodSeconds: Int
    /// 10...86,400: what a terminal that cannot be tracked for a time is set back to in the end.
    public var normalIntervalSeconds: Int
    /// Targets hear of a better place at most this often, 1...3600, after the first valid fix.
    public var updateSeconds: Int

    public init(
        intervalSeconds: Int = 10, periodSeconds: Int = 600, normalIntervalSeconds: Int = 300, updateSeconds: Int = 20
    ) {
        self.intervalSeconds = intervalSeconds
        self.periodSeconds = periodSeconds
        self.normalIntervalSeconds = normalIntervalSeconds
        self.updateSeconds = updateSeconds
    }
}

/// How incidents of one service end.
public struct ServiceRules: Sendable, Equatable {
    /// The words an incident may be closed with; empty: any.
    public var dispositions: [String]
    /// What is handed over without a time is due after so long, 60...2,592,000; nil: never.
    public var dueSeconds: Int?

    public init(dispositions: [String] = [], dueSeconds: Int? = nil) {
        self.dispositions = dispositions
        self.dueSeconds = dueSeconds
    }
}

/// How what was handed over is followed (督办).
public struct SupervisionRules: Sendable, Equatable {
    /// So long before the due time the receivers are reminded; 0: not.
    public var remindSeconds: Int
    /// While it is overdue, attention is raised again after so long, 60...86,400.
    public var overdueSeconds: Int

    public init(remindSeconds: Int = 900, overdueSeconds: Int = 900) {
        self.remindSeconds = remindSeconds
        self.overdueSeconds = overdueSeconds
    }
}
