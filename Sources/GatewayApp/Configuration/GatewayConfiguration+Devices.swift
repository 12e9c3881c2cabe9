import HostDevices
import Reactor
import TerminalModel

extension GatewayConfiguration {
    /// `[[serial]]`: one line by its path, or the adapters that a match names.
    static func readSerialLine(_ table: TableReader) -> SerialLine? {
        var table = table
        let path = table.parsed("path", allowed: ConfigurationFormats.absolutePathAllowed) {
            ConfigurationFormats.isAbsolutePath($0) ? $0 : nil
        }
        let inner = table.table("match")
        let match = table.has("match") ? readMatch(inner) : nil
        let name = table.parsed("name", allowed: "1 to 64 characters", required: table.has("match")) {
            (1...64).contains($0.count) ? $0 : nil
        }
        if table.has("path"), table.has("match") {
            table.report("match", found: "a match beside a path", allowed: "path or match, in tables of their own")
        }
        if !table.has("path"), !table.has("match") {
            table.report("path", found: "nothing", allowed: "path or match: which line it is")
        }
        let source = match.map(DeviceRule.Source.match) ?? path.map(DeviceRule.Source.path)
        let bauds = readBauds(&table)
        var line = SerialLine(
            name: name ?? path ?? "", source: source ?? .path(""), bauds: bauds, protocols: readProtocols(&table))
        line.dataBits = table.integer("data_bits", default: line.dataBits, in: 7...8)
        line.parity = table.choice("parity", default: line.parity)
        line.stopBits = table.integer("stop_bits", default: line.stopBits, in: 1...2)
        line.flowControl = table.choice("flow_control", default: line.flowControl)
        line.isLowLatency = table.boolean("low_latency", default: line.isLowLatency)
        line.isHalfDuplex = table.boolean("half_duplex", default: line.isHalfDuplex)
        line.isBesideGateway = table.boolean("beside_gateway", default: line.isBesideGateway)
        line.isCaptured = table.boolean("capture", default: line.isCaptured)
        line.silentSeconds = table.integer(
            "silent_seconds", default: line.silentSeconds, in: 0...86_400, unit: "seconds, 0 for never")
        table.finish()
        return source == nil ? nil : line
    }

    /// A rate, or several that are tried in turn.
    private static func readBauds(_ table: inout TableReader) -> [Int] {
        let allowed = SerialOptions.bauds.map(String.init).joined(separator: ", ")
        let bauds = table.integers("baud", allowed: "\(allowed), or an array of them") {
            SerialOptions.bauds.contains($0)
        }
        return bauds.isEmpty ? [115_200] : bauds
    }

    private static func readMatch(_ table: TableReader) -> DeviceMatch? {
        var table = table
        let digits = "four hexadecimal digits, for example \"0403\""
        func identifier(_ key: String) -> String? {
            table.parsed(key, allowed: digits) { text in
                text.utf8.count == 4 && text.allSatisfy { $0.isASCII && $0.isHexDigit } ? text.lowercased() : nil
            }
        }
        func word(_ key: String) -> String? {
            table.parsed(key, allowed: "1 to 256 characters") { (1...256).contains($0.count) ? $0 : nil }
        }
        let match = DeviceMatch(
            vendorID: identifier("vendor"), productID: identifier("product"), serialNumber: word("serial"),
            interfaceNumber: table.integer("interface", allowed: "an integer from 0 to 255") {
                (0...255).contains($0) ? $0 : nil
            },
            driver: word("driver"), portPath: word("port"), tag: word("tag"))
        table.finish()
        guard let width = match.tooWide else { return match }
        table.reportWhole(
            found: width,
            allowed: "a serial, a port or a tag that names adapters you have chosen; ydtctl devices shows them")
        return nil
    }

    /// `[gpsd]`
    mutating func readPositioning(_ table: TableReader) {
        var table = table
        positioning.address = table.parsed("address", allowed: ConfigurationFormats.gpsdAddressAllowed) {
            ConfigurationFormats.listenAddress($0)
        }
        positioning.staleSeconds = table.integer(
            "stale_seconds", default: positioning.staleSeconds, in: 2...3600, unit: "seconds")
        positioning.clockWarningMilliseconds = table.integer(
            "clock_warning_milliseconds", default: positioning.clockWarningMilliseconds, in: 100...3_600_000,
            unit: "milliseconds")
        table.finish()
    }
}

extension GatewayConfiguration.SerialLine {
    var rule: DeviceRule { DeviceRule(name: name, source: source, silentSeconds: silentSeconds) }

    func options(path: String) -> SerialOptions {
        SerialOptions(
            path: path, baud: bauds[0], dataBits: dataBits, parity: parity, stopBits: stopBits,
            hardwareFlowControl: flowControl == .hardware, isLowLatency: isLowLatency, isHalfDuplex: isHalfDuplex)
    }
}
