import ArgumentParser

/// The operators' and administrators' tool.
@main
struct Ydtctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ydtctl",
        abstract: "Asks the gateway on this machine, and tells it what people have decided.",
        discussion: """
            --socket, --operator and --json may stand before or after the subcommand. Tables are for people; --json prints what the gateway said, for scripts.
            Exit codes: 0 done; 1 the gateway refused, or rows of an import are wrong; 2 no answer from the gateway;
            64 wrong usage.
            """,
        subcommands: [
            AcknowledgeCommand.self, BackupCommand.self, CallBackCommand.self, CareCommand.self, CloseCommand.self,
            CommandsCommand.self, CommissionCommand.self, DevicesCommand.self, DrillCommand.self,
            FallDetectionCommand.self,
            FencesCommand.self,
            FindCommand.self, HandoverCommand.self, ImportCommand.self, IncidentsCommand.self, LocateCommand.self,
            MessageCommand.self, NoteCommand.self, NumbersCommand.self, PeopleCommand.self, PolicyCommand.self,
            PowerCommand.self,
            RealCommand.self, ReportCommand.self, SirenCommand.self, StatusCommand.self, TerminalsCommand.self,
            TestPressCommand.self, WatchCommand.self,
        ])

    static func main() async {
        await main(sharedOptionsLast(Array(CommandLine.arguments.dropFirst())))
    }

    /// Options that all subcommands take may stand before the subcommand too: they are moved behind it.
    static func sharedOptionsLast(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var shared: [String] = []
        while let first = rest.first, first.hasPrefix("--") {
            let name = first.prefix { $0 != "=" }
            guard ["--socket", "--operator", "--json"].contains(name) else { break }
            let count = name == "--json" || first.contains("=") ? 1 : 2
            shared += rest.prefix(count)
            rest = rest.dropFirst(count)
        }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end]) + shared + Array(rest[end...])
    }
}
