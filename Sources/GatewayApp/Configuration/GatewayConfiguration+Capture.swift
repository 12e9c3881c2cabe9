import TerminalModel
import TerminalTransport

extension GatewayConfiguration {
    /// `[capture]`
    mutating func readCapture(_ table: TableReader) {
        var table = table
        capture.directory = table.parsed("directory", allowed: ConfigurationFormats.absolutePathAllowed) {
            ConfigurationFormats.isAbsolutePath($0) ? $0 : nil
        }
        capture.terminals = table.strings("terminals", allowed: "a terminal id, 1 to 32 digits") {
            TerminalID($0) != nil
        }.compactMap { TerminalID($0) }
        capture.maximumFileMegabytes = table.integer(
            "maximum_file_megabytes", default: capture.maximumFileMegabytes, in: 1...1024, unit: "MiB")
        capture.maximumTotalMegabytes = table.integer(
            "maximum_total_megabytes", default: capture.maximumTotalMegabytes, in: 1...1_048_576, unit: "MiB")
        if capture.maximumTotalMegabytes < capture.maximumFileMegabytes {
            table.report(
                "maximum_total_megabytes", found: "\(capture.maximumTotalMegabytes)",
                allowed: "at least maximum_file_megabytes, \(capture.maximumFileMegabytes)")
        }
        table.finish()
    }

    /// What is recorded; nil when nothing is.
    var captureSettings: CaptureSettings? {
        let isWanted =
            !capture.terminals.isEmpty || serialLines.contains(where: \.isCaptured)
            || listeners.contains(where: \.isCaptured)
        guard isWanted else { return nil }
        let megabyte = 1 << 20
        return CaptureSettings(
            directory: capture.directory ?? gateway.stateDirectory + "/captures", terminals: Set(capture.terminals),
            maximumFileBytes: capture.maximumFileMegabytes * megabyte,
            maximumTotalBytes: capture.maximumTotalMegabytes * megabyte)
    }
}
