import ArgumentParser
import Foundation
import SirenLatch
import TerminalModel

struct AcknowledgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acknowledge",
        abstract: "Takes over at the siren, for the times when the gateway does not run.",
        discussion: """
            It is written down with name, reason and Unix user; the gateway applies it to the incidents that were open. While the \
            gateway runs, `ydtctl ack` is the way: it also tells the person who called for help.
            """)

    @OptionGroup var latch: LatchOptions

    @Option(name: .customLong("by"), help: "Who takes over.")
    var operatorName: String

    @Option(help: "What is being done.")
    var reason: String

    func validate() throws {
        guard !operatorName.isEmpty, !reason.isEmpty else {
            throw ValidationError("--by and --reason must not be empty")
        }
    }

    func run() throws {
        let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        var sounded = false
        var incidents: [String] = []
        for directory in latch.directories where directory.latch() != .clear {
            sounded = true
            let named = try failing { () throws(LatchError) in
                try directory.acknowledge(by: operatorName, unixUser: user, reason: reason, at: now)
            }
            incidents += named.filter { !incidents.contains($0) }
        }
        guard sounded else {
            print("The siren does not sound.")
            throw ExitCode(2)
        }
        print("Acknowledged: \(incidents.isEmpty ? "no incident was named" : incidents.joined(separator: ", "))")
    }
}
