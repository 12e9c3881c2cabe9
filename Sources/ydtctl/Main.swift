import ArgumentParser

/// The operators' and administrators' tool.
@main
struct Ydtctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ydtctl",
        abstract: "Asks the gateway on this machine, and tells it what people have decided.",
        discussion: """
            Tables are for people; --json prints what the gateway said, for scripts.
            Exit codes: 0 done; 1 the gateway refused, or rows of an import are wrong; 2 no answer from the gateway;
            64 wrong usage.
            """,
        subcommands: [
            AcknowledgeCommand.self, BackupCommand.self, CallBackCommand.self, CloseCommand.self,
            CommandsCommand.self, CommissionCommand.self, FencesCommand.self, HandoverCommand.self,
            ImportCommand.self, IncidentsCommand.self, LocateCommand.self, MessageCommand.self, NoteCommand.self,
            PeopleCommand.self, StatusCommand.self, TerminalsCommand.self, WatchCommand.self,
        ])
}
