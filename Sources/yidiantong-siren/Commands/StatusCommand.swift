import ArgumentParser
import SirenLatch

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says whether the siren is latched, since when and for what.")

    @OptionGroup var latch: LatchOptions

    func run() throws {
        for directory in latch.directories {
            switch directory.latch() {
            case .clear: print("\(directory.path): clear")
            case .damaged(let why): print("\(directory.path): sounds, the latch is damaged: \(why)")
            case .set(let latch):
                let rests =
                    directory.silence().map { $0.covers(latch, at: .now()) ? ", silenced by \($0.by)" : "" } ?? ""
                print(
                    "\(directory.path): sounds since \(latch.at)\(rests), incidents: "
                        + "\(latch.incidents.joined(separator: " "))")
            }
        }
        if let test = latch.durable.selfTest() {
            print("self-test \(test.at): \(test.failures.isEmpty ? "passed" : test.failures.joined(separator: "; "))")
        }
    }
}
