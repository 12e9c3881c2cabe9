import ArgumentParser
import GatewayApp

/// The gateway daemon.
@main
struct Yidiantongd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "yidiantongd",
        abstract: "Reads GPS alarm terminals and hands their alarms to people who help.",
        discussion: """
            Without --config it listens on 127.0.0.1:6808 only and tells nobody.
            SIGHUP reads the configuration again; SIGTERM ends it gracefully.
            Exit codes: 0 ended gracefully, 1 could not start or go on, 64 wrong usage, 78 the configuration has faults.
            """,
        version: GatewayVersion.current)

    @Option(help: "The configuration file (TOML).")
    var config: String?

    @Flag(help: "Check the configuration and end.")
    var checkConfig = false

    func run() async throws {
        let code = await Daemon.run(configurationPath: config, isCheckOnly: checkConfig)
        throw ExitCode(code)
    }
}
