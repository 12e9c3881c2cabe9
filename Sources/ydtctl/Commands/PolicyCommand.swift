import ArgumentParser
import ControlAPI
import TerminalModel

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Shows what the policies in force would do.", subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints who would be told when, if this person pressed at that time; nothing happens.")

        @Option(help: "The id of the person.")
        var person: String

        @Option(help: "emergency, life_assistance, care_contact, security_alarm, fence_watch and so on.")
        var service = "emergency"

        @Option(help: "The time of the press, for example 2026-03-14T22:30:00+08:00; now when absent.")
        var at: String?

        @OptionGroup var options: SharedOptions

        func run() async throws {
            var query = [("person", person), ("service", service)]
            if let at { query.append(("at", at)) }
            try await options.show(PolicyTest.self, "/v1/policy/test", query: query, show)
        }

        private func show(_ test: PolicyTest) {
            let policy =
                test.fallback
                ? "no policy, everybody but emergency services is told"
                : test.group.map { "the policy of group \($0)" } ?? "the policy of everybody"
            Output.line("\(test.service) of \(test.person), pressed at \(Output.time(test.at)): \(policy)")
            var table = Table("AFTER", "AT", "STEP", "TARGET", "WHAT")
            for row in test.rows {
                let reached = (row.recipients ?? []).map { "\($0.name) \($0.phone)" }.joined(separator: ", ")
                let what = [row.outcome, reached, row.detail ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
                table.add(
                    Self.seconds(row.afterMilliseconds), Output.time(row.at), row.step.map(String.init), row.target,
                    what)
            }
            Output.line(table.isEmpty ? "Nobody would be told." : table.text)
            let period = Self.seconds(Int64(test.repeatMilliseconds))
            Output.line("Again every \(period) until a human takes over.")
        }

        /// Seconds with as many decimals as are needed.
        static func seconds(_ milliseconds: Int64) -> String {
            let rest = milliseconds % 1000
            guard rest != 0 else { return "\(milliseconds / 1000) s" }
            let digits = String(1000 + rest).dropFirst()
            return "\(milliseconds / 1000).\(digits) s"
        }
    }
}
