import ArgumentParser
import ControlAPI

struct CareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "care", abstract: "Shows whom the gateway reminded and who answered, the latest first.")

    @Option(help: "Only this person.")
    var person: String?

    @Option(help: "Only the reminders of this [[care_contact]].")
    var schedule: String?

    @Option(help: "queued, sent, confirmed, missed or not_sent.")
    var state: String?

    @Option(help: "Due at this time or later, for example 2026-03-01T00:00:00+08:00; the last 24 hours when absent.")
    var from: String?

    @Option(help: "Due before this time; now when absent.")
    var to: String?

    @Option(help: "At most so many.")
    var limit = 100

    @OptionGroup var options: SharedOptions

    func run() async throws {
        let named = [("from", from), ("person", person), ("schedule", schedule), ("state", state), ("to", to)]
        let query = named.compactMap { name, value in value.map { (name, $0) } } + [("limit", String(limit))]
        try await options.show(CarePage.self, "/v1/care", query: query) { page in
            var table = Table(
                "DUE", "SCHEDULE", "PERSON", "TERMINAL", "STATE", "ASKED", "ANSWER BY", "SETTLED", "DETAIL")
            for one in page.reminders {
                table.add(
                    Output.time(one.dueAt), one.schedule, one.person, one.terminal, one.state, String(one.attempts),
                    Output.time(one.answerBy), one.settledAt.map { Output.time($0) }, one.detail)
            }
            Output.line(table.isEmpty ? "No reminders." : table.text)
            if page.next != nil { Output.line("There are more; ask for fewer, or raise --limit up to 1000.") }
        }
    }
}
