import ArgumentParser
import ControlAPI

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Prints how incidents were answered and followed to their end, by service.")

    @Option(help: "Opened at this time or later, for example 2026-03-01T00:00:00+08:00; 30 days before --to.")
    var from: String?

    @Option(help: "Opened before this time; now when absent.")
    var to: String?

    @OptionGroup var options: SharedOptions

    func run() async throws {
        let query = [("from", from), ("to", to)].compactMap { name, value in value.map { (name, $0) } }
        try await options.show(SupervisionReport.self, "/v1/report", query: query) { report in
            Output.line("Opened from \(Output.time(report.from)) to \(Output.time(report.to))")
            var table = Table(
                "SERVICE", "OPENED", "ANSWERED", "IN 60 S", "IN 180 S", "CLOSED", "DUE", "ON TIME", "OVERDUE")
            for one in report.services {
                table.add(
                    one.service, String(one.opened), Self.rate(one.answered, one.opened),
                    Self.rate(one.answeredWithin60Seconds, one.opened),
                    Self.rate(one.answeredWithin180Seconds, one.opened), Self.rate(one.closed, one.opened),
                    String(one.supervised), Self.rate(one.closedOnTime, one.supervised),
                    Self.rate(one.overdue, one.supervised))
            }
            Output.line(table.isEmpty ? "No incidents." : table.text)
            if let tests = report.testPresses { Output.line(tests.text) }
        }
    }

    /// The number and what part of the whole it is.
    static func rate(_ number: Int, _ whole: Int) -> String {
        whole == 0 ? "-" : "\(number) (\((number * 100 + whole / 2) / whole) %)"
    }
}
