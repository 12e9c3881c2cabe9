import ArgumentParser
import SirenLatch
import SirenPlayer

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Plays the tone of the self-test for a second on every output.")

    @OptionGroup var latch: LatchOptions
    @OptionGroup var outputs: OutputOptions

    func run() throws {
        let player = SirenPlayer(
            control: SirenControl(directories: latch.directories), outputs: try outputs.make(),
            testRecord: latch.durable
        ) { _ in }
        let test = player.selfTest()
        guard test.failures.isEmpty else {
            for failure in test.failures { print("failed: \(failure)") }
            throw ExitCode(1)
        }
        print("Played on: \(test.outputs.joined(separator: ", "))")
    }
}
