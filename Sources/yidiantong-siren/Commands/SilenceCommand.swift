import ArgumentParser
import SirenLatch

struct SilenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silence",
        abstract: "Lets the siren rest for at most two minutes; acknowledges nothing. A new SOS ends the rest.")

    @OptionGroup var latch: LatchOptions

    @Option(name: .customLong("by"), help: "Who asks for it.")
    var operatorName: String

    @Option(help: "Seconds, 1 to 120.")
    var seconds = 120

    func validate() throws {
        guard (1...120).contains(seconds) else { throw ValidationError("--seconds is 1 to 120, found \(seconds)") }
    }

    func run() throws {
        var given = false
        for directory in latch.directories where directory.latch() != .clear {
            let answer = try failing { () throws(LatchError) in
                try directory.silence(for: Int64(seconds) * 1000, by: operatorName, now: .now())
            }
            switch answer {
            case .given: given = true
            case .notSounding: continue
            case .tooSoon(let milliseconds):
                print("It was silenced a moment ago; the next rest can be asked for in \(milliseconds / 1000 + 1) s.")
                throw ExitCode(2)
            }
        }
        guard given else {
            print("The siren does not sound.")
            throw ExitCode(2)
        }
        print("Silent for \(seconds) s; nothing is acknowledged.")
    }
}
