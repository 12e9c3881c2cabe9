import ArgumentParser
import ControlAPI

struct TerminalsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "terminals", abstract: "Lists terminals, shows one, or says whose one is.",
        subcommands: [List.self, Assign.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists terminals, or shows one.")

        @OptionGroup var options: SharedOptions

        @Argument(help: "The id of one terminal.")
        var terminal: String?

        @Option(help: "Only those of this person.")
        var person: String?

        @Flag(help: "Only those that are connected.")
        var online = false

        @Option(help: "At most so many.")
        var limit = 100

        func run() async throws {
            if let terminal {
                let path = "/v1/terminals/\(ControlClient.segment(terminal))"
                try await options.show(TerminalView.self, path) { Output.line(Self.table([$0])) }
                return
            }
            var query = [("limit", String(limit))]
            if let person { query.append(("person", person)) }
            if online { query.append(("online", "true")) }
            try await options.show(TerminalPage.self, "/v1/terminals", query: query) { page in
                Output.line(page.terminals.isEmpty ? "No terminals." : Self.table(page.terminals))
                if page.next != nil { Output.line("There are more: raise --limit.") }
            }
        }

        static func table(_ terminals: [TerminalView]) -> String {
            var table = Table("TERMINAL", "PERSON", "MODEL", "ONLINE", "LAST SEEN", "PEER")
            for one in terminals {
                table.add(
                    one.terminal, one.personName ?? one.person, one.model, one.online ? one.bearer : "no",
                    Output.time(one.lastSeen), one.peer)
            }
            return table.text
        }
    }

    struct Assign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says whose a terminal is; with --incident also whose an unidentified incident is.")

        @Argument(help: "The id of the terminal.")
        var terminal: String

        @Argument(help: "The id of the person; - takes the terminal away.")
        var person: String

        @Option(help: "The model of the terminal.")
        var model: String?

        @Option(help: "The terminal's clock: minutes east of UTC, 480 in China.")
        var utcOffsetMinutes: Int?

        @Option(help: "An unidentified incident of this terminal that becomes the person's.")
        var incident: String?

        @OptionGroup var actor: OperatorOption
        @OptionGroup var options: SharedOptions

        func run() async throws {
            let request = AssignmentRequest(
                operator: actor.id, person: person == "-" ? nil : person, model: model,
                utcOffsetMinutes: utcOffsetMinutes)
            try await options.perform { client in
                let path = "/v1/terminals/\(ControlClient.segment(terminal))/assignment"
                let view = try await client.send("PUT", path, request, as: TerminalView.self)
                if let incident {
                    var action = IncidentActionRequest(operator: actor.id)
                    action.person = person
                    let path = "/v1/incidents/\(ControlClient.segment(incident.uppercased()))/assign"
                    _ = try await client.send("POST", path, action, as: IncidentView.self)
                }
                try options.print(view) { Output.line(List.table([$0])) }
            }
        }
    }
}
