import AlarmPipeline
import ControlAPI
import IncidentCore
import IncidentStore
import TerminalModel

extension PipelineOperations {
    func report(from: Timestamp?, to: Timestamp?) async throws -> SupervisionReport {
        try await answering {
            let to = to ?? clock.now().wall
            let from = from ?? to.adding(milliseconds: -30 * 86_400_000)
            let figures = try pipeline.store.figures(from: from, to: to)
            var report = SupervisionReport(from: from, to: to, services: figures.map(SupervisionReport.Figures.init))
            report.testPresses = try await testPressFigures()
            return report
        }
    }

    func rehearse(_ service: Service, person: String, at time: Timestamp?) async throws -> PolicyTest? {
        try await answering {
            guard let card = try pipeline.store.person(person) else { return nil }
            let time = time ?? clock.now().wall
            let rehearsal = LadderRehearsal(try await pipeline.rules(), service: service, person: card, at: time)
            return PolicyTest(rehearsal, person: person, service: service, at: time)
        }
    }
}

extension SupervisionReport.Figures {
    init(_ figures: ServiceFigures) {
        self.init(
            service: figures.service.rawValue, opened: figures.opened, answered: figures.answered,
            answeredWithin60Seconds: figures.answeredWithin60Seconds,
            answeredWithin180Seconds: figures.answeredWithin180Seconds, closed: figures.closed,
            supervised: figures.supervised, closedOnTime: figures.closedOnTime, overdue: figures.overdue)
    }
}
