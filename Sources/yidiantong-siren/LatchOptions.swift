import ArgumentParser
import Foundation
import SirenLatch

/// Where the latch is.
struct LatchOptions: ParsableArguments {
    @Option(help: "The durable latch directory.")
    var directory = "/var/lib/yidiantong/siren"

    @Option(help: "The latch directory in memory, for when the disk is full or hangs.")
    var volatileDirectory = "/run/yidiantong/siren"

    var durable: LatchDirectory { LatchDirectory(path: directory) }
    var directories: [LatchDirectory] { [durable, LatchDirectory(path: volatileDirectory)] }
}

/// One line on standard error, with the level that the journal reads from its start.
enum SirenLog {
    enum Level: Int {
        case error = 3
        case warning = 4
        case notice = 5
    }

    static func write(_ level: Level, _ message: String) {
        FileHandle.standardError.write(Data("<\(level.rawValue)>\(message)\n".utf8))
    }
}

/// Prints what went wrong and ends with exit code 1.
func failing<Value>(_ body: () throws(LatchError) -> Value) throws -> Value {
    do throws(LatchError) {
        return try body()
    } catch {
        FileHandle.standardError.write(Data("yidiantong-siren: \(error)\n".utf8))
        throw ExitCode(1)
    }
}
