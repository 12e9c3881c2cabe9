import ArgumentParser
import ControlAPI

struct TestPressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test-press",
        abstract: "Proves that a person's terminal, the way and the hub work, without an emergency service.",
        subcommands: [Start.self, Stop.self, Show.self, Due.self])

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Announces a test: the first press of the person's terminals goes the whole way.",
            discussion: """
                It reaches no emergency service. A fall is real at any time, and so is what is pressed when the time is over. \
                Should the press be an emergency: ydtctl real INCIDENT.
                """)

        @Argument(help: "The id of the person.")
        var person: String

        @Option(help: "How long the press is waited for, 1 to 60 minutes.")
        var minutes = 10

        @OptionGroup var actor: OperatorOption
        @OptionGroup var options: SharedOptions

        func validate() throws {
            guard (1...60).contains(minutes) else { throw ValidationError("--minutes is 1 to 60.") }
        }

        func run() async throws { try await send(person, minutes: minutes, actor, options) }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes an announced test back: from here on every new press is real.")

        @Argument(help: "The id of the person.")
        var person: String

        @OptionGroup var actor: OperatorOption
        @OptionGroup var options: SharedOptions

        func run() async throws { try await send(person, minutes: 0, actor, options) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a person's last test and the one that is announced.")

        @Argument(help: "The id of the person.")
        var person: String

        @OptionGroup var options: SharedOptions

        func run() async throws {
            try await options.show(TestPressView.self, path(of: person), TestPressCommand.show)
        }
    }

    struct Due: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists who is to be tested: never tested, then the longest ago first.")

        @Option(help: "Only people of this group.")
        var group: String?

        @Option(help: "At most so many.")
        var limit = 100

        @OptionGroup var options: SharedOptions

        func run() async throws {
            var query = [("due", "true"), ("limit", String(limit))]
            if let group { query.append(("group", group)) }
            try await options.show(TestPressPage.self, "/v1/test-presses", query: query) { page in
                var table = Table("PERSON", "NAME", "LAST TEST", "TERMINAL")
                for one in page.people {
                    table.add(
                        one.person, one.personName, one.last.map { Output.time($0.at) } ?? "never",
                        one.last?.terminal)
                }
                Output.line(table.isEmpty ? "Nobody is due." : table.text)
                if page.next != nil { Output.line("There are more: raise --limit.") }
            }
        }
    }

    private static func path(of person: String) -> String {
        "/v1/people/\(ControlClient.segment(person))/test-press"
    }

    private static func send(
        _ person: String, minutes: Int, _ actor: OperatorOption, _ options: SharedOptions
    ) async throws {
        try await options.perform { client in
            let request = TestPressRequest(operator: actor.id, minutes: minutes)
            let view = try await client.send("POST", path(of: person), request, as: TestPressView.self)
            try options.print(view, show)
        }
    }

    private static func show(_ view: TestPressView) {
        Output.line("\(view.personName) (\(view.person))")
        if let window = view.window {
            Output.line(
                window.pressed
                    ? "The test was pressed: every new press is real."
                    : "The first press until \(Output.time(window.until)) is a test, announced by \(window.startedBy).")
        } else {
            Output.line("No test is announced: every press is real.")
        }
        guard let last = view.last else { return Output.line("Never tested.") }
        Output.line(
            "Last test \(Output.time(last.at)) from terminal \(last.terminal), answered by \(last.acknowledgedBy) after "
                + "\(last.secondsToAcknowledgement) s, accepted by \(last.accepted.joined(separator: ", ")).")
    }
}

extension TestPressFigures {
    /// One line for people.
    var text: String {
        "Test presses: \(due) people are due (last one \(days) days ago or longer), \(never) of them never tested."
    }
}
