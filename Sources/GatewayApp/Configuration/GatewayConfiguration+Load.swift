import Foundation
import IncidentCore
import TerminalModel
import TerminalProtocols
import TerminalSession
import TerminalTLS
import TerminalTransport

extension GatewayConfiguration {
    /// The text from which a gateway without a configuration file starts: loopback only, nothing leaves the machine.
    public static let builtIn = """
        [gateway]
        name = "yidiantong"

        [[listener]]
        protocol = "jt808"
        tcp = "127.0.0.1:6808"
        """

    /// Reads and checks a file. Throws `ConfigurationError` with every issue at once.
    ///
    /// With `checkingFiles`, secrets and certificates that the file names must exist and be readable.
    public static func load(path: String, checkingFiles: Bool = true) throws -> GatewayConfiguration {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ConfigurationError(issues: [
                ConfigurationIssue(
                    file: path, line: nil, keyPath: "", found: FileProblem.describe(path),
                    allowed: "a TOML file that the gateway may read")
            ])
        }
        guard let text = String(validating: data, as: UTF8.self), !text.utf8.contains(0) else {
            throw ConfigurationError(issues: [
                ConfigurationIssue(
                    file: path, line: nil, keyPath: "", found: "bytes that are not UTF-8 text",
                    allowed: "a TOML file in UTF-8")
            ])
        }
        let configuration = try parse(text, file: path, checkingFiles: checkingFiles)
        // A file that a full disk cut to nothing is valid TOML, and would silence a site at the next reload.
        guard !configuration.listeners.isEmpty || !configuration.serialLines.isEmpty else {
            throw ConfigurationError(issues: [
                ConfigurationIssue(
                    file: path, line: nil, keyPath: "listener", found: "neither [[listener]] nor [[serial]]",
                    allowed: "one or more of them, so that terminals can be heard")
            ])
        }
        return configuration
    }

    /// Reads and checks a text; `file` is the name under which issues are reported.
    public static func parse(
        _ text: String, file: String, checkingFiles: Bool = false
    ) throws(ConfigurationError) -> GatewayConfiguration {
        let root: ConfigurationValue
        do {
            root = try ConfigurationValue(parsing: text)
        } catch {
            throw ConfigurationError(issues: [syntaxIssue(error, file: file)])
        }
        guard case .table(let members) = root else { return GatewayConfiguration() }
        let collector = IssueCollector(file: file, index: TOMLLineIndex(text))
        var reader = TableReader(path: "", members: members, collector: collector)
        var configuration = GatewayConfiguration()
        configuration.readGeneral(reader.table("gateway"))
        configuration.listeners = reader.tables("listener").enumerated().flatMap { readListener($1, index: $0) }
        configuration.serialLines = reader.tables("serial").compactMap(readSerialLine)
        configuration.readPositioning(reader.table("gpsd"))
        configuration.readReactor(reader.table("reactor"))
        configuration.readSessions(reader.table("sessions"))
        configuration.readPanels(reader.table("dc09"))
        configuration.readStore(reader.table("store"))
        configuration.readCapture(reader.table("capture"))
        configuration.readRules(reader.table("rules"))
        configuration.readChase(reader.table("chase"))
        configuration.readSupervision(reader.table("supervision"))
        configuration.readCalendar(reader.table("calendar"))
        configuration.readCareSchedules(reader.tables("care_contact"))
        let services = reader.tables("service").map { ($0.path, readService($0)) }
        for service in services.compactMap(\.1) { configuration.services[service.service] = service.rules }
        let targets = reader.tables("target").map { ($0.path, readTarget($0)) }
        let rosters = reader.tables("roster").map { ($0.path, readRoster($0)) }
        let policies = reader.tables("policy").map { ($0.path, readPolicy($0)) }
        configuration.models = reader.tables("model").compactMap(readModel)
        reader.finish()
        configuration.targets = targets.compactMap(\.1)
        configuration.rosters = rosters.compactMap(\.1)
        configuration.policies = policies.compactMap(\.1)
        ConfigurationChecks(collector: collector).run(
            configuration, targets: targets, rosters: rosters, policies: policies, checkingFiles: checkingFiles)
        ConfigurationChecks(collector: collector).checkServices(services.map { ($0.0, $0.1?.service) })
        guard collector.issues.isEmpty else {
            throw ConfigurationError(issues: collector.issues.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
        }
        configuration.addDefaultPolicies()
        return configuration
    }

    /// Services without a policy of their own tell every centre, that is no emergency service and nobody's contacts, at
    /// once and every minute.
    private mutating func addDefaultPolicies() {
        let names = targets.filter { !$0.isEmergencyService && $0.audience == .centre }.map(\.name)
        guard !names.isEmpty else { return }
        for service in Service.allCases where service != .emergency {
            guard !policies.contains(where: { $0.service == service && $0.group == nil }) else { continue }
            policies.append(
                Policy(
                    service: service, steps: [PolicyStep(afterMilliseconds: 0, targets: names)],
                    repeatMilliseconds: 60_000))
        }
    }
}

extension GatewayConfiguration {
    private mutating func readGeneral(_ table: TableReader) {
        var table = table
        gateway.name = table.string("name", default: gateway.name, allowed: "1 to 64 characters")
        gateway.stateDirectory =
            table.parsed("state_directory", allowed: ConfigurationFormats.absolutePathAllowed) {
                ConfigurationFormats.isAbsolutePath($0) ? $0 : nil
            } ?? gateway.stateDirectory
        gateway.socketPath =
            table.parsed("socket", allowed: ConfigurationFormats.socketPathAllowed) {
                ConfigurationFormats.isSocketPath($0) ? $0 : nil
            } ?? gateway.socketPath
        gateway.logLevel = table.choice("log_level", default: gateway.logLevel)
        gateway.language = table.choice("language", default: gateway.language)
        table.finish()
    }

    private static func readListener(_ table: TableReader, index: Int) -> [Listener] {
        var table = table
        let protocols = readProtocols(&table)
        let form = ConfigurationFormats.listenAddressAllowed
        let plain = table.parsed("tcp", allowed: form) { ConfigurationFormats.listenAddress($0) }
        let datagram = table.parsed("udp", allowed: form) { ConfigurationFormats.listenAddress($0) }
        let secured = table.parsed("tls", allowed: form) { ConfigurationFormats.listenAddress($0) }
        let files = readTLSFiles(&table)
        let isCaptured = table.boolean("capture", default: false)
        let asked = table.keys.filter(["tcp", "udp", "tls"].contains)
        if asked.isEmpty { table.report("tcp", found: "nothing", allowed: "tcp, udp or tls: \(form)") }
        if asked.contains("tls"), asked.count > 1 {
            table.report("tls", found: "a second address", allowed: "tcp and udp, or tls in a table of its own")
        }
        table.finish()
        var listeners: [Listener] = []
        if let plain { listeners.append(Listener(protocols: protocols, address: plain, table: index)) }
        if let datagram {
            listeners.append(Listener(protocols: protocols, transport: .udp, address: datagram, table: index))
        }
        if let secured, let files {
            listeners.append(Listener(protocols: protocols, address: secured, tls: files, table: index))
        }
        for index in listeners.indices { listeners[index].isCaptured = isCaptured }
        return listeners
    }

    private static let everyProtocol = "auto"

    /// `protocol`: a name, an array of names, or all of them.
    static func readProtocols(_ table: inout TableReader) -> [ProtocolName] {
        let served = TerminalSessions.protocols
        let names = served.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        let words = table.words("protocol", allowed: "\(names), an array of them, or \"\(everyProtocol)\"") { word in
            if word == everyProtocol { return served }
            return served.first { $0.rawValue == word }.map { [$0] }
        }
        let asked = Set(words.flatMap { $0 })
        return asked.isEmpty ? [.jt808] : served.filter(asked.contains)
    }

    /// The files of a port with TLS; faults where they lack beside `tls`, or stand without it.
    private static func readTLSFiles(_ table: inout TableReader) -> TLSFiles? {
        let isSecured = table.keys.contains("tls")
        var paths: [String: String] = [:]
        for (key, isRequired) in [("certificate_file", true), ("key_file", true), ("client_ca_file", false)] {
            paths[key] = table.parsed(
                key, allowed: ConfigurationFormats.absolutePathAllowed, required: isSecured && isRequired
            ) { ConfigurationFormats.isAbsolutePath($0) ? $0 : nil }
            if !isSecured, table.keys.contains(key) {
                table.report(key, found: "a file without tls", allowed: "only beside tls")
            }
        }
        guard let certificate = paths["certificate_file"], let key = paths["key_file"] else { return nil }
        return TLSFiles(certificate: certificate, key: key, clientAuthority: paths["client_ca_file"])
    }

    private mutating func readReactor(_ table: TableReader) {
        var table = table
        reactor.threads = table.integer(
            "threads", default: reactor.threads, in: 0...TransportConfiguration.maximumThreads)
        reactor.maximumConnections = table.integer(
            "maximum_connections", default: reactor.maximumConnections, in: 1...10_000_000)
        reactor.maximumConnectionsPerAddress = table.integer(
            "maximum_connections_per_address", default: reactor.maximumConnectionsPerAddress, in: 1...10_000_000)
        table.finish()
    }

    private mutating func readSessions(_ table: TableReader) {
        var table = table
        sessions.unknownTerminals = table.choice("unknown_terminals", default: sessions.unknownTerminals)
        sessions.idleSeconds = table.integer(
            "idle_seconds", default: sessions.idleSeconds, in: 10...86_400, unit: "seconds")
        sessions.firstFrameSeconds = table.integer(
            "first_frame_seconds", default: sessions.firstFrameSeconds, in: 1...3600, unit: "seconds")
        sessions.frameCompletionSeconds = table.integer(
            "frame_completion_seconds", default: sessions.frameCompletionSeconds, in: 1...3600, unit: "seconds")
        sessions.commandTimeoutSeconds = table.integer(
            "command_timeout_seconds", default: sessions.commandTimeoutSeconds, in: 1...600, unit: "seconds")
        sessions.commandRetries = table.integer("command_retries", default: sessions.commandRetries, in: 0...10)
        sessions.trustByIDModels = table.strings("trust_by_id_models", allowed: "a model name, 1 to 64 characters") {
            (1...64).contains($0.count)
        }
        table.finish()
    }

    private mutating func readPanels(_ table: TableReader) {
        var table = table
        panels.keyFile = table.parsed("key_file", allowed: "an absolute path, or the bare name of a systemd credential")
        {
            CredentialPath.isAllowed($0) ? CredentialPath.resolve($0) : nil
        }
        table.finish()
    }

    private mutating func readStore(_ table: TableReader) {
        var table = table
        store.positionAcknowledgement = table.choice(
            "position_acknowledgement", default: store.positionAcknowledgement)
        store.groupCommitMilliseconds = table.integer(
            "group_commit_milliseconds", default: store.groupCommitMilliseconds, in: 0...1000, unit: "milliseconds")
        store.trackRetentionDays = table.integer(
            "track_retention_days", default: store.trackRetentionDays, in: 1...3660, unit: "days")
        store.messageRetentionDays = table.integer(
            "message_retention_days", default: store.messageRetentionDays, in: 1...3660, unit: "days")
        store.reserveMegabytes = table.integer(
            "reserve_megabytes", default: store.reserveMegabytes, in: 0...65_536, unit: "MiB, 0 for none")
        store.freeSpaceWarningMegabytes = table.integer(
            "free_space_warning_megabytes", default: store.freeSpaceWarningMegabytes, in: 0...1_048_576,
            unit: "MiB, 0 for never")
        table.finish()
    }

    private mutating func readRules(_ table: TableReader) {
        var table = table
        rules.lateSOSSeconds = table.integer(
            "late_sos_seconds", default: rules.lateSOSSeconds, in: 60...604_800, unit: "seconds")
        rules.emergencyCallsPerIncident = table.integer(
            "emergency_calls_per_incident", default: rules.emergencyCallsPerIncident, in: 1...20, unit: "calls")
        rules.emergencyCallsPerHour = table.integer(
            "emergency_calls_per_hour", default: rules.emergencyCallsPerHour, in: 1...10_000, unit: "calls")
        rules.heldAfterCloseSeconds = table.integer(
            "held_after_close_seconds", default: rules.heldAfterCloseSeconds, in: 1...86_400, unit: "seconds")
        rules.raiseIntervalSeconds = table.integer(
            "raise_interval_seconds", default: rules.raiseIntervalSeconds, in: 1...3600, unit: "seconds")
        rules.lowBatteryPercent = table.integer(
            "low_battery_percent", default: rules.lowBatteryPercent, in: 0...90, unit: "percent, 0 for off")
        rules.silenceSeconds = table.integer(
            "silence_seconds", default: rules.silenceSeconds, in: Self.silenceRange, unit: Self.silenceUnit)
        rules.massEvents.terminals = table.integer(
            "mass_event_terminals", default: rules.massEvents.terminals, in: 0...1_000_000, unit: "terminals, 0 for off"
        )
        rules.massEvents.percent = table.integer(
            "mass_event_percent", default: rules.massEvents.percent, in: 0...100, unit: "percent of those connected")
        rules.massEvents.windowSeconds = table.integer(
            "mass_event_window_seconds", default: rules.massEvents.windowSeconds, in: 1...3600, unit: "seconds")
        rules.unidentifiedIncidents = table.integer(
            "unidentified_incidents", default: rules.unidentifiedIncidents, in: 1...1_000_000, unit: "incidents")
        rules.unidentifiedIncidentsPerAddress = table.integer(
            "unidentified_incidents_per_address", default: rules.unidentifiedIncidentsPerAddress, in: 1...1_000_000,
            unit: "incidents")
        rules.testPressDays = table.integer(
            "test_press_days", default: rules.testPressDays, in: 0...3660, unit: "days, 0 for never")
        rules.utcOffsetMinutes = table.integer(
            "utc_offset_minutes", default: rules.utcOffsetMinutes, in: -720...840, unit: "minutes")
        table.finish()
    }

    private enum TargetKind: String, CaseIterable {
        case webhook
    }

    private static func readTarget(_ table: TableReader) -> Target? {
        var table = table
        let name = table.parsed("name", allowed: ConfigurationFormats.targetNameAllowed, required: true) {
            ConfigurationFormats.isTargetName($0) ? $0 : nil
        }
        let _: TargetKind = table.choice("kind", default: .webhook)
        let url = table.parsed("url", allowed: ConfigurationFormats.urlAllowed, required: true) {
            ConfigurationFormats.isWebhookURL($0) ? $0 : nil
        }
        let secretAllowed = "an absolute path, or the bare name of a systemd credential"
        let secrets = table.strings("secret_files", allowed: secretAllowed, required: true) {
            CredentialPath.isAllowed($0)
        }
        let emergency = table.boolean("emergency_services", default: false)
        let audience = table.choice("reaches", default: Audience.centre)
        let addresses = table.strings("allow_addresses", allowed: ConfigurationFormats.addressAllowed) {
            ConfigurationFormats.isAddress($0)
        }
        let authority = table.parsed("ca_file", allowed: ConfigurationFormats.absolutePathAllowed) {
            ConfigurationFormats.isAbsolutePath($0) ? $0 : nil
        }
        let heartbeat = table.integer(
            "heartbeat_seconds", default: 60, in: 0...86_400, unit: "seconds, 0 for none")
        table.finish()
        guard let name, let url else { return nil }
        return Target(
            name: name, url: url, secretFiles: secrets.map(CredentialPath.resolve), isEmergencyService: emergency,
            audience: audience, allowedAddresses: addresses, certificateAuthorityFile: authority,
            heartbeatSeconds: heartbeat)
    }

    private static let silenceRange = 0...2_592_000
    private static let silenceUnit = "seconds, 0 for off"

    private static func readModel(_ table: TableReader) -> Model? {
        var table = table
        let name = table.parsed("name", allowed: "1 to 64 characters", required: true) {
            (1...64).contains($0.count) ? $0 : nil
        }
        let trusted = table.boolean("trust_by_id", default: false)
        let editions = JT808Edition.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
        let edition = table.integer("edition", allowed: editions) { number in
            JT808Edition.allCases.contains { $0.rawValue == number } ? number : nil
        }
        let silence = table.integer(
            "silence_seconds",
            allowed: "an integer from \(silenceRange.lowerBound) to \(silenceRange.upperBound) \(silenceUnit)"
        ) { silenceRange.contains($0) ? $0 : nil }
        let codes = readAlarmCodes(table.table("alarm_codes"))
        let readsVendorAlarms = table.boolean("vendor_alarms", default: true)
        let commands = readCommandTexts(table.table("commands"))
        table.finish()
        return name.map {
            Model(
                name: $0, isTrustedByID: trusted, silenceSeconds: silence,
                profile: ModelProfile(
                    name: $0, edition: edition, alarmCodes: codes, readsVendorAlarms: readsVendorAlarms,
                    commandTexts: commands))
        }
    }

    private static let meaningless = "none"
    /// Wide enough for the alarm codes and bits of every protocol.
    private static let alarmCodes = 0...65_535

    /// Keys are alarm codes or bit numbers of the protocol that the model speaks, values names of alarm kinds.
    private static func readAlarmCodes(_ table: TableReader) -> [Int: AlarmKind?] {
        var table = table
        let names = (AlarmKind.allCases.map(\.name) + [meaningless]).map { "\"\($0)\"" }.joined(separator: ", ")
        var codes: [Int: AlarmKind?] = [:]
        for key in table.keys {
            guard let code = Int(key), alarmCodes.contains(code), String(code) == key else {
                table.report(
                    key, found: "the code \"\(key)\"",
                    allowed: "a code or bit from \(alarmCodes.lowerBound) to \(alarmCodes.upperBound), in decimal")
                continue
            }
            let kind = table.parsed(key, allowed: names) { name -> AlarmKind?? in
                let kind = AlarmKind(name: name)
                guard kind != nil || name == meaningless else { return nil }
                return .some(kind)
            }
            if let kind { codes.updateValue(kind, forKey: code) }
        }
        return codes
    }
}
