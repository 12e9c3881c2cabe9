/// Who is told when, for one service and optionally one group of people.
public struct Policy: Sendable, Equatable {
    public var service: Service
    /// nil: for everybody whom no policy with a group fits.
    public var group: String?
    /// Sorted by delay; all targets of a step start together.
    public var steps: [PolicyStep]
    /// From the start of one round to the start of the next; the ladder repeats without end. 1,000 or more.
    public var repeatMilliseconds: Int

    public init(service: Service, group: String? = nil, steps: [PolicyStep], repeatMilliseconds: Int) {
        self.service = service
        self.group = group
        self.steps = steps
        self.repeatMilliseconds = repeatMilliseconds
    }
}

public struct PolicyStep: Sendable, Equatable {
    /// From the opening of the incident, or from the start of the round.
    public var afterMilliseconds: Int
    /// Names of targets.
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

    public init(name: String, isEmergencyService: Bool) {
        self.name = name
        self.isEmergencyService = isEmergencyService
    }
}

/// The rules in force: policies, targets and the limits of DESIGN section 6.
public struct IncidentRules: Sendable, Equatable {
    public var policies: [Policy]
    public var targets: [TargetFacts]
    /// The explicit, logged act by which a site may reach emergency services (promise P7).
    public var isCommissioned: Bool
    /// A stored SOS older than this does not dial 120 by itself.
    public var lateLimitSeconds: Int
    /// A level alarm still held this long after closing is a new press.
    public var heldAfterCloseSeconds: Int
    /// After acknowledgement further presses raise attention again at most once in this time.
    public var raiseIntervalSeconds: Int
    /// nil: no low-battery incidents from percentages.
    public var lowBatteryPercent: Int?
    /// nil: silence is not watched.
    public var silenceSeconds: Int?
    /// With so many open incidents of terminals in no list, further such terminals are counted in one incident
    /// (promise P6); each is still stored and told of (promise P2).
    public var unidentifiedLimit: Int
    /// The same for terminals behind one address, so that one peer cannot use up the others' room.
    public var unidentifiedLimitPerPeer: Int

    public init(
        policies: [Policy], targets: [TargetFacts], isCommissioned: Bool = false, lateLimitSeconds: Int = 900,
        heldAfterCloseSeconds: Int = 600, raiseIntervalSeconds: Int = 60, lowBatteryPercent: Int? = 15,
        silenceSeconds: Int? = nil, unidentifiedLimit: Int = 20_000, unidentifiedLimitPerPeer: Int = 10_000
    ) {
        self.policies = policies
        self.targets = targets
        self.isCommissioned = isCommissioned
        self.lateLimitSeconds = lateLimitSeconds
        self.heldAfterCloseSeconds = heldAfterCloseSeconds
        self.raiseIntervalSeconds = raiseIntervalSeconds
        self.lowBatteryPercent = lowBatteryPercent
        self.silenceSeconds = silenceSeconds
        self.unidentifiedLimit = unidentifiedLimit
        self.unidentifiedLimitPerPeer = unidentifiedLimitPerPeer
    }
}
