import IncidentCore
import IncidentStore
import Logging
import TerminalModel

extension Decider {
    /// The setting that the act of commissioning leaves.
    static let commissionedSetting = "commissioned"

    /// Goes on where the last run ended, and fills the directory that the sessions look into.
    init(
        configuration: PipelineConfiguration, restored: RestoredState, people: PeopleCache,
        directory: TerminalDirectory, hub: EventHub, logger: Logger, now: Moment,
        post: @escaping @Sendable (DecisionMessage) -> Void
    ) {
        let isCommissionedByAct = restored.settings[Self.commissionedSetting] != nil
        var rules = configuration.rules
        rules.isCommissioned = rules.isCommissioned || isCommissionedByAct
        engine = IncidentEngine(
            rules: rules, restored: restored.incidents, bootID: configuration.bootID, now: now,
            makeID: configuration.makeID)
        watch = ConditionWatch(
            lowBatteryPercent: rules.lowBatteryPercent, silenceSeconds: rules.silenceSeconds, now: now)
        fences = FenceRules(restored.fences, states: restored.fenceStates, logger: logger)
        commands = CommandBook(
            limitPerTerminal: configuration.queueLimits.commandsPerTerminal,
            limit: configuration.queueLimits.commands)
        self.people = people
        self.configuration = configuration
        self.directory = directory
        self.logger = logger
        self.hub = hub
        self.post = post
        self.isCommissionedByAct = isCommissionedByAct
        isCommissionedByRules = configuration.rules.isCommissioned
        lastCommandID = restored.lastCommandID
        nextFlushMilliseconds = now.monotonicMilliseconds + Int64(configuration.stateFlushMilliseconds)

        var known: [TerminalID: KnownTerminal] = [:]
        known.reserveCapacity(restored.terminals.count)
        terminals.reserveCapacity(restored.terminals.count)
        for record in restored.terminals {
            let assignment = record.assignment
            let terminal = Terminal(
                assignment: assignment, isListed: record.listed, registeredModel: record.registeredModel ?? "",
                lastSeen: record.lastSeen)
            terminals[assignment.terminal] = terminal
            known[assignment.terminal] = KnownTerminal(
                model: terminal.model, utcOffsetMinutes: assignment.utcOffsetMinutes,
                authCodeDigests: record.authCodeDigests, trustedByID: assignment.trustedByID,
                isListed: record.listed)
        }
        directory.replaceAll(known)
        seed(restored, now: now)
    }

    private mutating func seed(_ restored: RestoredState, now: Moment) {
        var silent: Set<TerminalID> = []
        var low: Set<TerminalID> = []
        for incident in restored.incidents where incident.state.isOpen {
            count(incident, was: nil, isNow: incident.state.awaitsHuman)
            if incident.causes.contains("silence") { silent.insert(incident.terminal) }
            if incident.causes.contains("low_battery") { low.insert(incident.terminal) }
        }
        for record in restored.terminals {
            guard let lastSeen = record.lastSeen else { continue }
            let terminal = record.assignment.terminal
            watch.seed(
                terminal, lastSeen: lastSeen, isSilent: silent.contains(terminal),
                hasLowBattery: low.contains(terminal), now: now)
        }
        for record in restored.commands { commands.add(record, now: now, isSettled: true) }
    }
}
