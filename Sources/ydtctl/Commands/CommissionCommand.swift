import ArgumentParser
import ControlAPI

struct CommissionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commission",
        abstract: "The explicit, logged act after which this gateway may alarm emergency services.")

    @Option(help: "Why the site is ready, for example who agreed with the ambulance service.")
    var reason: String

    @Flag(help: "Take the site out of service again.")
    var withdraw = false

    @OptionGroup var actor: OperatorOption
    @OptionGroup var options: SharedOptions

    func run() async throws {
        try await options.perform { client in
            let request = CommissionRequest(operator: actor.id, reason: reason, commissioned: !withdraw)
            let report = try await client.send("POST", "/v1/commission", request, as: CommissionReport.self)
            try options.print(report) {
                Output.line(
                    $0.commissioned
                        ? "Commissioned: emergency services may be alarmed."
                        : "Withdrawn: no emergency service is alarmed.")
            }
        }
    }
}
