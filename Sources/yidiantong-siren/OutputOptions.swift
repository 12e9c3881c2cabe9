import ArgumentParser
import Foundation
import SirenPlayer

/// What makes the noise.
struct OutputOptions: ParsableArguments {
    @Option(help: "ALSA device, by name (plughw:CARD=Device); \"none\" for no sound card.")
    var device = "default"

    @Option(help: "ALSA card whose volume is turned up (hw:CARD=Device).")
    var mixer = "default"

    @Option(help: "Volume in percent of full scale, 1 to 100.")
    var volume = 100

    @Option(help: "Program called with \"on\" and \"off\", for a relay or a lamp; may be given several times.")
    var command: [String] = []

    func validate() throws {
        guard (1...100).contains(volume) else { throw ValidationError("--volume is 1 to 100, found \(volume)") }
        for program in command {
            guard program.hasPrefix("/"), FileManager.default.isExecutableFile(atPath: program) else {
                throw ValidationError("--command takes the absolute path of an executable file, found \"\(program)\"")
            }
        }
        guard device != "none" || !command.isEmpty else {
            throw ValidationError("nothing could be heard: give a --device or a --command")
        }
    }

    func make() throws -> [any SirenOutput] {
        var outputs: [any SirenOutput] = []
        if device != "none" {
            outputs.append(ALSAOutput(device: device, mixer: mixer, volume: Double(volume) / 100))
        }
        return outputs + command.map { CommandOutput(program: $0) }
    }
}
