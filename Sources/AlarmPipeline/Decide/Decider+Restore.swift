import Foundation
import IncidentCore
import IncidentStore
import Logging
import Synchronization
import TerminalModel

extension Decider {
    /// The setting that the act of commissioning leaves.
    static let commissionedSetting = "commissioned"
    /// The setting that a drill leaves, as JSON.
    static let drillSetting = "drill"

    /// Goes on where the last run ended, and fills the directory that the sessions look into.
    init(
        configuration: PipelineConfiguration, restored: consuming Restoration, people: PeopleCache,
        directory: TerminalDirectory, hub: EventHub, logger: Logger, now: Moment,
        readLastSeen: @escaping @Sendable () -> Void, post: @escaping @Sendable (DecisionMessage) -> Void
    ) {
        let state = restored.state
        let isCommissionedByAct = state.settings[Self.commissionedSetting] != nil
        var rules = configuration.rules
        rules.isCommissioned = rules.isCommissioned || isCommissionedByAct
        engine = IncidentEngine(
            rules: rules, restored: state.incidents, bootID: configuration.bootID, now: now,
            makeID: configuration.makeID)
        watch = ConditionWatch(
            lowBatteryPercent: rules.lowBatteryPercent, silence: rules.silence, now: now)
        mass = MassEventWatch(rules: rules.massEvents, silenceSeconds: rules.silence.shortest, now: now)
        commands = CommandBook(
            limitPerTerminal: configuration.queueLimits.commandsPerTerminal,
            limit: configuration.queueLimits.commands)
        // One that cannot be read is none: every press is real.
        engine.drill = state.settings[Self.drillSetting].flatMap {
            try? JSONDecoder().decode(Drill.self, from: Data($0.utf8))
        }
        engine.restoreTestWindows(state.testWindows)
        self.people = people
        self.configuration = configuration
        self.directory = directory
        self.logger = logger
        self.hub = hub
        self.readLastSeen = readLastSeen
        self.post = post
        self.isCommissionedByAct = isCommissionedByAct
        isCommissionedByRules = configuration.rules.isCommissioned
        lastCommandID = state.lastCommandID
        nextFlushMilliseconds = now.monotonicMilliseconds + Int64(configuration.stateFlushMilliseconds)
        terminals = restored.terminals
        fences = restored.fences
        tellModels()
        seed(state, now: now)
        if !rules.silence.isOff { readLastSeenOnce() }
    }

    private mutating func seed(_ restored: RestoredState, now: Moment) {
        calls.restore(restored.incidents)
        for incident in restored.incidents {
            guard incident.state.isOpen else {
                if let number = terminals.number(of: incident.terminal) { mark(number, .mayHaveIncidents, true) }
                continue
            }
            count(incident, was: nil, isNow: incident.state.awaitsHuman)
            guard let number = terminals.number(of: incident.terminal) else { continue }
            let isSilent = incident.causes.contains("silence")
            let hasLowBattery = incident.causes.contains("low_battery")
            let lacksSupervision = incident.causes.contains("supervision_lost")
            guard isSilent || hasLowBattery || lacksSupervision else { continue }
            watch.seed(
                number, lastSeen: incident.openedAt, isSilent: isSilent, hasLowBattery: hasLowBattery,
                lacksSupervision: lacksSupervision, now: now)
        }
        for record in restored.care { care.restore(record, now: now) }
        for record in restored.commands {
            commands.add(record, now: now, isSettled: true)
            if let number = terminals.number(of: record.terminal) { mark(number, .mayHaveCommands, true) }
        }
    }
}

/// What the last run left, read on two threads so that a district is there within a second.
struct Restoration: ~Copyable {
    let state: RestoredState
    let terminals: TerminalTable
    let fences: FenceRules

    /// Reads the store, and fills the directory that the sessions look into.
    ///
    /// - Throws: SQLite's codes.
    init(_ store: IncidentStore, directory: TerminalDirectory, now: Moment) throws(StoreError) {
        let found = Mutex<Result<RestoredState, StoreError>?>(nil)
        let group = DispatchGroup()
        DispatchQueue.global().async(group: group) {
            let result = Result { () throws(StoreError) in try store.restore(now: now.wall) }
            found.withLock { $0 = result }
        }
        var terminals = TerminalTable()
        var filled = Result<[String], StoreError>.success([])
        directory.replaceAll { set in
            filled = Result { () throws(StoreError) in
                try store.forEachTerminal { record in
                    terminals.restore(record)
                    set(record.assignment.terminal, KnownTerminal(record))
                }
            }
        }
        group.wait()
        guard var state = try found.withLock({ $0 })?.get() else { throw StoreError(.busy, "the store was not read") }
        state.unreadable += try filled.get()
        var fences = FenceRules(state.fences)
        state.fences = []
        if !fences.isEmpty {
            try store.forEachFenceState { state in
                if let number = terminals.number(of: state.terminal) { fences.seed(state, number: number) }
            }
        }
        self.state = state
        self.terminals = terminals
        self.fences = fences
    }
}

extension TerminalTable {
    fileprivate mutating func restore(_ record: TerminalRecord) {
        let assignment = record.assignment
        let number = insert(assignment.terminal)
        setRow(number, true)
        self[number].person = assignment.person
        self[number].model = assignment.model
        self[number].registeredModel = record.registeredModel ?? ""
        self[number].utcOffsetMinutes = Int16(clamping: assignment.utcOffsetMinutes)
        if record.listed { self[number].flags.insert(.isListed) }
        if assignment.trustedByID { self[number].flags.insert(.isTrustedByID) }
    }
}

extension KnownTerminal {
    fileprivate init(_ record: TerminalRecord) {
        let registered = record.registeredModel ?? ""
        self.init(
            model: record.assignment.model.isEmpty ? registered : record.assignment.model,
            utcOffsetMinutes: record.assignment.utcOffsetMinutes, authCodeDigests: record.authCodeDigests,
            trustedByID: record.assignment.trustedByID, isListed: record.listed)
    }
}
