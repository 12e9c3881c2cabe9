import AlarmPipeline
import Foundation
import GatewayApp
import TerminalModel

/// The daemon with a clock that runs faster, for tests that let a night pass in minutes; nothing installs it.
///
/// Usage: `YDT_CLOCK=PACE,WALL_MS,BOOT_MS compressed-yidiantongd --config PATH`, with the times of day and since the start of the
/// machine at which the clocks agree, in milliseconds.
@main
enum CompressedDaemon {
    static func main() async {
        let arguments = CommandLine.arguments
        let setting = ProcessInfo.processInfo.environment["YDT_CLOCK"] ?? ""
        let clock = setting.split(separator: ",").compactMap { Int64($0) }
        guard clock.count == 3, (1...3600).contains(clock[0]), arguments.count == 3,
            arguments[1] == "--config"
        else {
            let usage = "usage: YDT_CLOCK=PACE,WALL_MS,BOOT_MS compressed-yidiantongd --config PATH\n"
            FileHandle.standardError.write(Data(usage.utf8))
            exit(64)
        }
        let origin = Moment(wall: Timestamp(milliseconds: clock[1]), monotonicMilliseconds: clock[2])
        SystemClock.compress(ClockCompression(pace: Int(clock[0]), origin: origin))
        exit(await Daemon.run(configurationPath: arguments[2], isCheckOnly: false))
    }
}
