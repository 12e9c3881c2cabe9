import AlarmPipeline
import GatewayTelemetry
import IncidentCore
import IncidentStore
import Logging
import ServiceLifecycle
import TerminalModel

/// Finds the reminders that are due on the site's clock and hands them to the pipeline in small groups.
///
/// How far each schedule has come stands in the store: a restart goes on there, and who was asked already is in a row of
/// its own.
struct CareKeeper: Sendable {
    struct Plan: Sendable {
        var schedules: [CareSchedule]
        var calendar: SiteCalendar
        var utcOffsetMinutes: Int
        var retentionDays: Int
    }

    /// People asked in one transaction, and the pause after it: 2,000 in a second leave the disk to alarms.
    static let peopleAtOnce = 200
    static let pause = Duration.milliseconds(100)
    /// What was due longer ago while the gateway was down is not even put on record.
    static let lookBackMilliseconds: Int64 = 86_400_000
    /// The clock was set back when the store knows a later time than this.
    static let clockToleranceMilliseconds: Int64 = 60_000

    let pipeline: AlarmPipeline
    let clock: any PipelineClock
    let logger: Logger
    let plan: @Sendable () -> Plan

    func run() async {
        var lastRemoval: Timestamp?
        while !Task.isShuttingDownGracefully {
            let plan = plan()
            let now = clock.now().wall
            for schedule in plan.schedules where !Task.isShuttingDownGracefully {
                do {
                    try await goOn(schedule, plan)
                } catch {
                    logger.error(
                        "Reminders cannot be sent; they are tried again",
                        metadata: .keyed([.configKey: "\(schedule.name)", .errorDetail: "\(error)"]))
                }
            }
            if lastRemoval.map({ now.milliseconds - $0.milliseconds > 3_600_000 }) ?? true {
                lastRemoval = now
                let before = now.adding(milliseconds: -Int64(plan.retentionDays) * 86_400_000)
                try? await pipeline.write([.removeCare(before: before)])
            }
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
            } catch {
                return
            }
        }
    }

    private func goOn(_ schedule: CareSchedule, _ plan: Plan) async throws {
        let setting = "care.\(schedule.name)"
        let now = clock.now().wall
        let known = try await onThread { [pipeline] in try pipeline.store.setting(setting) }.flatMap { Timestamp($0) }
        // A new schedule begins now, and does not blame anybody for this morning.
        guard let known, known.milliseconds <= now.milliseconds + Self.clockToleranceMilliseconds else {
            return try await pipeline.write([.setting(key: setting, value: now.description)])
        }
        let from = max(known, now.adding(milliseconds: -Self.lookBackMilliseconds))
        let due = schedule.occurrences(
            after: from, through: now, calendar: plan.calendar, utcOffsetMinutes: plan.utcOffsetMinutes)
        for time in due {
            guard try await remind(schedule, dueAt: time) else { return }
            try await pipeline.write([.setting(key: setting, value: time.description)])
        }
    }

    /// True when everybody was asked or put on record.
    private func remind(_ schedule: CareSchedule, dueAt: Timestamp) async throws -> Bool {
        var (after, isDone) = ("", true)
        while !Task.isShuttingDownGracefully {
            let place = after
            let addressees = try await onThread { [pipeline] in
                let store = pipeline.store
                return try store.peopleToRemind(schedule, dueAt: dueAt, after: place, limit: Self.peopleAtOnce).map {
                    CareAddressee(person: $0, terminals: try store.terminals(of: $0.id))
                }
            }
            guard let last = addressees.last else { return isDone }
            let late = clock.now().wall.milliseconds - dueAt.milliseconds
            let isTooLate = late > Int64(schedule.answerWithinSeconds) * 1000
            let taken = try await pipeline.remind(
                addressees, schedule, dueAt: dueAt,
                refusal: isTooLate ? "it was due \(late / 1000) s ago, while the gateway could not send it" : nil)
            if isTooLate {
                logger.warning(
                    "Reminders were due while they could not be sent",
                    metadata: .keyed([.configKey: "\(schedule.name)", .storeRows: "\(addressees.count)"]))
            }
            if taken < addressees.count { isDone = false }
            // The queue of commands is full: whoever comes later would only be read in vain.
            if taken == 0, addressees.count == Self.peopleAtOnce { return false }
            after = last.person.id
            if addressees.count == Self.peopleAtOnce { try await Task.sleep(for: Self.pause) }
        }
        return false
    }
}
