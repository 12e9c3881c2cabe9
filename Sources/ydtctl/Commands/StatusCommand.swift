import ArgumentParser
import ControlAPI

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how the gateway is, and what is wrong.")

    @OptionGroup var options: SharedOptions

    func run() async throws {
        try await options.show(GatewayStatus.self, "/v1/status") { status in
            Output.line("\(status.name), version \(status.version), since \(Output.time(status.startedAt))")
            Output.line("healthy: \(Output.flag(status.healthy))   answers terminals: \(Output.flag(status.ready))")
            Output.line(
                status.commissioned
                    ? "commissioned: yes, emergency services may be alarmed"
                    : "commissioned: no, no emergency service is alarmed (ydtctl commission)")
            if let drill = status.drill { Output.line(drill.text) }
            Output.line("terminals: \(status.terminalsOnline) online of \(status.terminalsKnown) known")
            let counts = status.incidents
            Output.line("incidents: \(counts["open"] ?? 0) open, \(counts["unacknowledged"] ?? 0) wait for a human")
            Output.line("outbox: \(status.outboxPending) waiting   not on disk: \(status.notDurable)")
            for fault in status.faults {
                Output.line("! \(fault.code) since \(Output.time(fault.since)): \(fault.detail)")
            }
        }
    }
}
