import ArgumentParser
import Dispatch
import Foundation
import SirenLatch
import SirenPlayer

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Watches the latch and sounds; this is what the service runs.")

    @OptionGroup var latch: LatchOptions
    @OptionGroup var outputs: OutputOptions

    @Option(help: "Local hour of the daily self-test, 0 to 23; none with -1.")
    var selfTestHour = 10

    func validate() throws {
        guard (-1...23).contains(selfTestHour) else {
            throw ValidationError("--self-test-hour is -1 to 23, found \(selfTestHour)")
        }
    }

    func run() throws {
        let all = try outputs.make()
        let player = SirenPlayer(
            control: SirenControl(directories: latch.directories), outputs: all,
            selfTestHour: selfTestHour < 0 ? nil : selfTestHour, testRecord: latch.durable
        ) { Self.log($0) }
        // The mark only lets others know that somebody watches: without it the siren sounds all the same.
        do {
            try latch.durable.markWatched()
        } catch {
            SirenLog.write(.error, "The gateway cannot know that this siren runs: \(error)")
        }
        signal(SIGTERM, SIG_IGN)
        signal(SIGINT, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        let sources = [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { player.stop() }
            source.resume()
            return source
        }
        SirenLog.write(.notice, "Watching \(latch.directory); outputs: \(all.map(\.name).joined(separator: ", "))")
        player.run()
        withExtendedLifetime(sources) {}
    }

    private static func log(_ report: SirenPlayer.Report) {
        switch report {
        case .started(let sound): SirenLog.write(.notice, "Sounding: \(sound)")
        case .quiet: SirenLog.write(.notice, "Quiet")
        case .failed(let output, let why):
            SirenLog.write(.error, "Output \(output) cannot be heard and is tried again every second: \(why)")
        case .works(let output): SirenLog.write(.notice, "Output \(output) works again")
        case .selfTested(let test) where test.failures.isEmpty: SirenLog.write(.notice, "Self-test passed")
        case .selfTested(let test):
            SirenLog.write(.error, "Self-test failed: \(test.failures.joined(separator: "; "))")
        }
    }
}
