import AlarmPipeline
import ControlAPI
import IncidentCore
import IncidentStore
import TerminalModel

extension PipelineOperations {
    func care(_ query: CareFilter) async throws -> CarePage {
        try await answering {
            var filter = query
            filter.from = query.from ?? (query.to ?? clock.now().wall).adding(milliseconds: -86_400_000)
            filter.limit = query.limit + 1
            let records = try pipeline.store.care(filter)
            let page = records.prefix(query.limit)
            return CarePage(
                reminders: page.map(CareView.init), next: records.count > page.count ? page.last?.key.page : nil)
        }
    }
}

extension CareView {
    init(_ record: CareRecord) {
        self.init(
            schedule: record.key.schedule, dueAt: record.key.dueAt, person: record.key.person,
            terminal: record.terminal?.description, state: record.state.rawValue, text: record.text,
            attempts: record.attempts, answerBy: record.answerBy, sentAt: record.sentAt,
            settledAt: record.settledAt, detail: record.detail)
    }
}
