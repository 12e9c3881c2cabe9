import ArgumentParser

/// `yidiantong-siren`: sounds while the latch says so, and lets humans at the siren silence or acknowledge it.
@main
struct Siren: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "yidiantong-siren",
        abstract: "Sounds without a break from the moment the gateway latches it until a human takes over.",
        discussion: """
            It needs nothing but the latch directory: it goes on while the gateway is stopped, killed or upgraded. Whoever may \
            write in that directory (user and group yidiantong) may silence and acknowledge.
            Exit codes: 0 done, 1 failed, 2 the siren does not sound or was silenced a moment ago, 64 wrong usage.
            """,
        subcommands: [
            AcknowledgeCommand.self, RunCommand.self, SilenceCommand.self, StatusCommand.self, TestCommand.self,
        ])
}
