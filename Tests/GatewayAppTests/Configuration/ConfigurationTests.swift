import Foundation
import HostDevices
import IncidentCore
import Reactor
import TerminalModel
import TerminalProtocols
import TerminalSession
import TerminalTLS
import Testing

@testable import GatewayApp

private func issues(_ text: String) -> [ConfigurationIssue] {
    do {
        _ = try GatewayConfiguration.parse(text, file: "test.toml")
        return []
    } catch {
        return error.issues
    }
}

private let target = """
    [[target]]
    name = "hub"
    url = "https://hub.example.org/a"
    secret_files = ["/etc/hub.secret"]

    [[policy]]
    service = "emergency"
    steps = [{ targets = ["hub"] }]

    """

@Suite struct ConfigurationTests {
    @Test func builtInTextIsValidAndStaysOnLoopback() throws {
        let configuration = try GatewayConfiguration.parse(GatewayConfiguration.builtIn, file: "built-in")
        #expect(configuration.listeners.map(\.address.description) == ["127.0.0.1:6808"])
        #expect(configuration.targets.isEmpty)
        #expect(configuration.sessions.unknownTerminals == .quarantine)
    }

    @Test func emptyTextGivesTheDefaults() throws {
        #expect(try GatewayConfiguration.parse("", file: "empty") == GatewayConfiguration())
    }

    @Test func exampleFileIsValid() throws {
        let configuration = try GatewayConfiguration.parse(exampleText(), file: "example")
        #expect(configuration.gateway.name == "changsha-furong")
        #expect(configuration.targets.map(\.name) == ["dispatch-120", "care-hub", "night-watch", "family"])
        #expect(configuration.targets.map(\.isEmergencyService) == [true, false, false, false])
        #expect(configuration.targets.map(\.audience) == [.centre, .centre, .centre, .guardians])
        #expect(configuration.rosters.map(\.shifts.count) == [2])
        #expect(configuration.policies[0].steps.map(\.afterMilliseconds) == [0, 30_000])
        #expect(configuration.policies[1].group == "living_alone")
        #expect(Set(configuration.policies.map(\.service)) == Set(Service.allCases))
    }

    /// The values that stand there as comments are the ones that hold without them.
    @Test func exampleFileShowsTheDefaults() throws {
        let shown = try exampleText().split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.wholeMatch(of: /# ([a-z_]+ = .*)/).map { String($0.output.1) } ?? String(line)
        }.joined(separator: "\n").replacing("# [[serial]]", with: "[[serial]]")
            .replacing("# [[listener]]", with: "[[listener]]")
        var explicit = try GatewayConfiguration.parse(shown, file: "shown")
        #expect(explicit.serialLines.map(\.name) == ["/dev/serial/by-id/usb-pager-receiver", "call-points"])
        // What a line is without a word is what the example shows.
        var plain = explicit.serialLines[0]
        plain.name = explicit.serialLines[1].name
        plain.source = explicit.serialLines[1].source
        plain.bauds = [9600, 115_200]
        plain.protocols = explicit.serialLines[1].protocols
        #expect(plain == explicit.serialLines[1])
        #expect(explicit.targets[1].certificateAuthorityFile == "/etc/yidiantong/hub-ca.pem")
        #expect(explicit.listeners.compactMap(\.tls).map(\.clientAuthority) == ["/etc/yidiantong/terminal-ca.pem"])
        // Datagrams and TLS are shown and off.
        explicit.listeners.removeAll { $0.tls != nil || $0.transport == .udp }
        explicit.serialLines = []
        explicit.capture.directory = nil
        explicit.targets[1].certificateAuthorityFile = nil
        #expect(try GatewayConfiguration.parse(exampleText(), file: "example") == explicit)
    }

    @Test(arguments: [
        ("name = \"a\"", "serial[0].path", "which line it is"),
        ("path = \"/dev/x\"\nmatch = { tag = \"t\" }\nname = \"a\"", "serial[0].match", "in tables of their own"),
        ("match = { tag = \"t\" }", "serial[0].name", "1 to 64"),
        ("name = \"a\"\nmatch = { driver = \"ch341\" }", "serial[0].match", "adapters you have chosen"),
        ("name = \"a\"\nmatch = { vendor = \"1A86\", product = \"7523\" }", "serial[0].match", "ydtctl devices"),
        ("name = \"a\"\nmatch = { vendor = \"403\", tag = \"t\" }", "serial[0].match.vendor", "four hexadecimal"),
        ("path = \"/dev/x\"\nbaud = [9600, 1]", "serial[0].baud[1]", "9600"),
        ("path = \"/dev/x\"\nbaud = []", "serial[0].baud", "an array of them"),
        ("path = \"/dev/x\"\n[[serial]]\npath = \"/dev/x\"", "serial[1].path", "each line once"),
        (
            "name = \"a\"\nmatch = { tag = \"t\" }\n[[serial]]\nname = \"a\"\nmatch = { tag = \"u\" }",
            "serial[1].name", "each name once"
        ),
    ]) func faultsOfSerialLinesAreNamed(text: String, key: String, allowed: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try GatewayConfiguration.parse("[[serial]]\n" + text, file: "test")
        }
        let issue = error?.issues.first { $0.keyPath == key }
        #expect(issue?.allowed.contains(allowed) == true, "\(error?.issues ?? [])")
        #expect(issue?.line != nil)
    }

    @Test func everyKeyIsRead() throws {
        let text = """
            gateway = { name = "a", state_directory = "/s", socket = "/r/s", log_level = "debug", language = "en" }
            [[listener]]
            tcp = "[::]:1"
            [[listener]]
            tls = "[::]:2"
            certificate_file = "/c"
            key_file = "/k"
            client_ca_file = "/a"
            [[serial]]
            path = "/dev/ttyUSB0"
            baud = 9600
            [[serial]]
            name = "two"
            match = { vendor = "0403", product = "60AB", serial = "S", interface = 1, driver = "d", port = "p", tag = "t" }
            baud = [2400, 4800]
            data_bits = 7
            parity = "even"
            stop_bits = 2
            flow_control = "hardware"
            low_latency = false
            half_duplex = true
            beside_gateway = true
            silent_seconds = 30
            [gpsd]
            address = "127.0.0.1:2947"
            stale_seconds = 20
            clock_warning_milliseconds = 500
            [reactor]
            threads = 3
            maximum_connections = 4
            maximum_connections_per_address = 5
            [sessions]
            unknown_terminals = "refuse"
            idle_seconds = 60
            first_frame_seconds = 7
            frame_completion_seconds = 8
            command_timeout_seconds = 9
            command_retries = 0
            trust_by_id_models = ["M1", "M2"]
            [dc09]
            key_file = "/panels"
            [store]
            position_acknowledgement = "received"
            group_commit_milliseconds = 11
            track_retention_days = 12
            [rules]
            late_sos_seconds = 61
            held_after_close_seconds = 14
            raise_interval_seconds = 15
            low_battery_percent = 0
            silence_seconds = 17
            utc_offset_minutes = -60
            [supervision]
            remind_seconds = 24
            overdue_seconds = 65
            [[service]]
            name = "care_contact"
            dispositions = ["gone"]
            due_seconds = 26
            [[service]]
            name = "emergency"
            [chase]
            interval_seconds = 20
            period_seconds = 61
            normal_interval_seconds = 22
            update_seconds = 23
            [[target]]
            name = "t"
            kind = "webhook"
            url = "http://127.0.0.1:18/x"
            secret_files = ["/a", "/b"]
            emergency_services = true
            allow_addresses = ["127.0.0.1", "fd00::/8"]
            ca_file = "/c"
            heartbeat_seconds = 19
            [[target]]
            name = "hub"
            url = "https://hub/"
            secret_files = ["/a"]
            [[target]]
            name = "sms"
            url = "https://sms/"
            secret_files = ["/a"]
            reaches = "contacts"
            [[roster]]
            name = "duty"
            fallback = "hub"
            shifts = [{ target = "hub", districts = ["x"], from = "22:00", to = "06:30", days = ["fri"] }, { target = "hub" }]
            [[policy]]
            service = "fence_watch"
            quiet_hours = [{ from = "09:05", to = "09:06" }]
            steps = [{ targets = ["duty", "sms"] }]
            [[policy]]
            service = "emergency"
            repeat_milliseconds = 2000
            steps = [{ after_milliseconds = 5, targets = ["t"] }]
            [[model]]
            name = "M3"
            trust_by_id = true
            silence_seconds = 18
            edition = 2011
            alarm_codes = { 0 = "sos", 15 = "low_battery", 16 = "none" }
            vendor_alarms = false
            """
        let all = try GatewayConfiguration.parse(text, file: "all")
        #expect(all.gateway.stateDirectory == "/s")
        #expect(all.gateway.language == .english)
        #expect(all.gateway.logLevel == .debug)
        #expect(all.listeners[0].address == ListenAddress(host: "::", port: 1))
        #expect(all.listeners[1].address == ListenAddress(host: "::", port: 2))
        #expect(all.listeners[1].tls == TLSFiles(certificate: "/c", key: "/k", clientAuthority: "/a"))
        #expect(all.serialLines[0].bauds == [9600])
        let line = all.serialLines[1]
        #expect(
            line.source
                == .match(
                    DeviceMatch(
                        vendorID: "0403", productID: "60ab", serialNumber: "S", interfaceNumber: 1, driver: "d",
                        portPath: "p", tag: "t")))
        #expect(line.rule == DeviceRule(name: "two", source: line.source, silentSeconds: 30))
        #expect(line.bauds == [2400, 4800])
        #expect(line.isBesideGateway)
        let options = line.options(path: "/dev/x")
        #expect(
            options
                == SerialOptions(
                    path: "/dev/x", baud: 2400, dataBits: 7, parity: .even, stopBits: 2, hardwareFlowControl: true,
                    isLowLatency: false, isHalfDuplex: true))
        #expect(all.positioning.address?.description == "127.0.0.1:2947")
        #expect(all.positioning.staleSeconds == 20)
        #expect(all.positioning.clockWarningMilliseconds == 500)
        #expect(all.reactor.threads == 3)
        #expect(all.reactor.maximumConnectionsPerAddress == 5)
        #expect(all.sessions.unknownTerminals == .refuse)
        #expect(all.sessions.commandRetries == 0)
        #expect(all.sessions.trustByIDModels == ["M1", "M2"])
        #expect(all.panels.keyFile == "/panels")
        #expect(all.store.positionAcknowledgement == .received)
        #expect(all.store.trackRetentionDays == 12)
        #expect(all.targets[0].allowedAddresses == ["127.0.0.1", "fd00::/8"])
        #expect(all.targets[0].heartbeatSeconds == 19)
        let codes: [Int: AlarmKind?] = [0: .sos, 15: .lowBattery, 16: nil]
        let profile = ModelProfile(name: "M3", edition: 2011, alarmCodes: codes, readsVendorAlarms: false)
        #expect(all.models == [.init(name: "M3", isTrustedByID: true, silenceSeconds: 18, profile: profile)])
        #expect(all.modelProfiles == ["M3": profile])
        let rules = all.incidentRules(isCommissioned: false)
        #expect(rules.lowBatteryPercent == nil)
        #expect(rules.silence == SilenceLimits(seconds: 17, models: ["M3": 18]))
        #expect(rules.lateLimitSeconds == 61)
        #expect(rules.policies[1].repeatMilliseconds == 2000)
        #expect(rules.policies[0].quietHours == [DayWindow(fromMinute: 545, toMinute: 546)])
        #expect(rules.policies[0].steps[0].targets == ["duty", "sms"])
        #expect(rules.targets.map(\.audience) == [.centre, .centre, .contacts])
        #expect(rules.utcOffsetMinutes == -60)
        #expect(rules.supervision == SupervisionRules(remindSeconds: 24, overdueSeconds: 65))
        #expect(rules.services[.careContact] == ServiceRules(dispositions: ["gone"], dueSeconds: 26))
        #expect(rules.services[.emergency] == GatewayConfiguration.standardServices[.emergency])
        #expect(rules.services.count == Service.allCases.count)
        #expect(
            rules.chase
                == ChaseRules(intervalSeconds: 20, periodSeconds: 61, normalIntervalSeconds: 22, updateSeconds: 23))
        let friday = DayWindow(days: [.friday], fromMinute: 1320, toMinute: 390)
        #expect(
            rules.rosters == [
                DutyRoster(
                    name: "duty",
                    shifts: [.init(target: "hub", districts: ["x"], hours: friday), .init(target: "hub")],
                    fallback: "hub")
            ])
        // Services without a policy tell centres only.
        #expect(rules.policies.last?.steps[0].targets == ["hub"])
    }

    @Test func oneListenerServesBothTransportsAndSeveralProtocols() throws {
        let text = """
            [[listener]]
            tcp = "127.0.0.1:6808"
            udp = "127.0.0.1:6808"
            protocol = "auto"
            [[listener]]
            udp = "[::1]:7"
            protocol = ["jt808"]
            """
        let listeners = try GatewayConfiguration.parse(text, file: "two").listeners
        let all = TerminalSessions.protocols
        #expect(listeners.map(\.protocols) == [all, all, [.jt808]])
        #expect(listeners.map(\.transport) == [.tcp, .udp, .udp])
        #expect(listeners.map(\.address.description) == ["127.0.0.1:6808", "127.0.0.1:6808", "[::1]:7"])
    }

    /// Key path, line, and a word that must stand in what was found and what is allowed.
    @Test(arguments: [
        ("[gateway]\nlog_level = \"loud\"", "gateway.log_level", 2, "\"loud\"", "\"notice\""),
        ("[gateway]\n\nstate_directory = \"var\"", "gateway.state_directory", 3, "\"var\"", "absolute"),
        (
            "[gateway]\nstate_directroy = \"/var\"", "gateway.state_directroy", 2, "unknown",
            "did you mean \"state_directory\""
        ),
        (
            "[[listener]]\ntcp = \"0.0.0.0:1\"\n[[listener]]\ntcp = \"0.0.0.0:70000\"", "listener[1].tcp", 4, "70000",
            "65535"
        ),
        ("[[listener]]\ntcp = 6808", "listener[0].tcp", 2, "the integer 6808", "0.0.0.0:6808"),
        ("[[listener]]\nprotocol = \"jt808\"", "listener[0].tcp", 1, "nothing", "ADDRESS:PORT"),
        ("[[listener]]\ntcp = \"1.2.3.4:5\"\nkey_file = \"/k\"", "listener[0].key_file", 3, "without tls", "tls"),
        (
            "[[listener]]\ntls = \"1.2.3.4:5\"\ncertificate_file = \"/c\"", "listener[0].key_file", 1, "nothing",
            "absolute path"
        ),
        (
            "[[listener]]\ntcp = \"1.2.3.4:5\"\ntls = \"1.2.3.4:6\"\ncertificate_file = \"/c\"\nkey_file = \"/k\"",
            "listener[0].tls", 3, "second", "table of its own"
        ),
        (
            """
            [[listener]]\ntcp = "1.2.3.4:5"\n[[listener]]\ntls = "1.2.3.4:5"\ncertificate_file = "/c"\nkey_file = "/k"
            """, "listener[1].tls", 4, "second time", "once"
        ),
        ("[[listener]]\nudp = 6808", "listener[0].udp", 2, "the integer 6808", "0.0.0.0:6808"),
        (
            "[[listener]]\nudp = \"1.2.3.4:5\"\n[[listener]]\nudp = \"1.2.3.4:5\"", "listener[1].udp", 4, "second time",
            "once"
        ),
        (
            "[[listener]]\nprotocol = \"jt809\"\ntcp = \"1.2.3.4:5\"", "listener[0].protocol", 2, "\"jt809\"",
            "\"jt808\", \"watch\", an array of them, or \"auto\""
        ),
        (
            "[[listener]]\nprotocol = [\"jt808\", \"x\"]\ntcp = \"1.2.3.4:5\"", "listener[0].protocol[1]", 2, "\"x\"",
            "\"auto\""
        ),
        ("[[serial]]\npath = \"/dev/a\"\nprotocol = []", "serial[0].protocol", 3, "empty array", "\"auto\""),
        ("[[listener]]\ntcp = \"localhost:6808\"", "listener[0].tcp", 2, "localhost", "numeric"),
        (
            "[[listener]]\ntcp = \"1.2.3.4:5\"\n[[listener]]\ntcp = \"1.2.3.4:5\"", "listener[1].tcp", 4, "second time",
            "once"
        ),
        ("[listener]\ntcp = \"1.2.3.4:5\"", "listener", 1, "a table", "[[listener]]"),
        ("[[serial]]\npath = \"/dev/a\"\nbaud = 9601", "serial[0].baud", 3, "9601", "9600"),
        ("[sessions]\nidle_seconds = 1.5", "sessions.idle_seconds", 2, "decimal", "from 10 to 86400"),
        ("[sessions]\nunknown_terminals = \"ignore\"", "sessions.unknown_terminals", 2, "ignore", "\"quarantine\""),
        (
            "[sessions]\ntrust_by_id_models = [\n  \"a\",\n  7,\n]", "sessions.trust_by_id_models[1]", 4, "integer 7",
            "model"
        ),
        ("[rules]\nlow_battery_percent = 91", "rules.low_battery_percent", 2, "91", "0 to 90"),
        ("[[model]]\nname = \"a\"\nedition = 2018", "model[0].edition", 3, "integer 2018", "2011, 2013, 2019"),
        ("[[model]]\nname = \"a\"\nedition = \"2019\"", "model[0].edition", 3, "\"2019\"", "2013"),
        (
            "[[model]]\nname = \"a\"\n[model.alarm_codes]\n7 = \"none\"\n65536 = \"sos\"", "model[0].alarm_codes.65536",
            5, "\"65536\"", "0 to 65535"
        ),
        (
            "[[model]]\nname = \"a\"\nalarm_codes = { 07 = \"none\" }", "model[0].alarm_codes.07", 3, "\"07\"",
            "0 to 65535"
        ),
        (
            "[[model]]\nname = \"a\"\nalarm_codes = { 7 = \"battery\" }", "model[0].alarm_codes.7", 3, "\"battery\"",
            "\"low_battery\""
        ),
        (
            "[[model]]\nname = \"a\"\nalarm_codes = { 7 = 3 }", "model[0].alarm_codes.7", 3, "integer 3",
            "\"low_battery\""
        ),
        ("[[model]]\nname = \"a\"\nvendor_alarms = 1", "model[0].vendor_alarms", 3, "integer 1", "true or false"),
        (
            "[[model]]\nname = \"a\"\ncommands = { confirm-alarm = \"CALL,120#\" }", "model[0].commands.confirm-alarm",
            3,
            "\"120\"", "without an emergency number"
        ),
        (
            "[[model]]\nname = \"a\"\n[model.commands]\nfind = \"FIND#\"\nlocate = \"TEL;(0731) 1-2-0;#\"",
            "model[0].commands.locate", 5, "(0731) 1-2-0", "without an emergency number"
        ),
        (
            "[[model]]\nname = \"a\"\ncommands = { call-back = \"CALL,9{number}#\" }", "model[0].commands.call-back", 3,
            "beside a placeholder", "something else on both sides"
        ),
        ("sesions = 1", "sesions", 1, "unknown", "did you mean \"sessions\""),
        ("reactor.threads = \"x\"", "reactor.threads", 1, "\"x\"", "0 to 64"),
        ("[gateway]\nname = ", "", 2, "syntax error", "TOML"),
        ("[gateway]\nname = \"a\"\nname = \"b\"", "", 3, "syntax error", "TOML"),
    ])
    func faultIsNamedWithLineFoundAndAllowed(
        text: String, keyPath: String, line: Int, found: String, allowed: String
    ) throws {
        let all = issues(text)
        let issue = try #require(all.first)
        #expect(all.count == 1)
        #expect(issue.keyPath == keyPath)
        #expect(issue.line == line)
        #expect(issue.found.contains(found), "\(issue)")
        #expect(issue.allowed.contains(allowed), "\(issue)")
    }

    @Test func commandTextsWithoutANumberToDialPass() throws {
        let texts = [
            "call-back": "CALL,{number}#", "report-interval": "TIMER,{seconds}#", "find": "FIND#", "restart": "",
            "set-sos-numbers": "SOS,A,{numbers}#", "message": "MSG,1,{text}#", "listen-in": "MON 13800001111#",
        ]
        let lines = texts.map { "\($0.key) = \"\($0.value)\"" }.joined(separator: "\n")
        #expect(issues("[[model]]\nname = \"a\"\n[model.commands]\n\(lines)").isEmpty)
    }

    @Test(arguments: [
        (
            "[[target]]\nname = \"hub\"\nurl = \"http://a/\"\nsecret_files = [\"/s\"]", "target[1].name", 10,
            "second time"
        ),
        (
            "[[policy]]\nservice = \"fence_watch\"\nsteps = [\n { targets = [\"hub\", \"hup\"] },\n]",
            "policy[1].steps[0].targets[1]", 12, "\"hup\""
        ),
        (
            "[[policy]]\nservice = \"emergency\"\nsteps = [{ targets = [\"hub\"] }]", "policy[1].service", 10,
            "second policy"
        ),
        (
            "[[policy]]\nservice = \"care_contact\"\nsteps = [{ targets = [] }]", "policy[1].steps[0].targets", 11,
            "no target"
        ),
        ("[[policy]]\nservice = \"care_contact\"\nsteps = []", "policy[1].steps", 11, "empty array"),
        (
            "[[policy]]\nservice = \"care_contact\"\nrepeat_milliseconds = 1000\nsteps = [{ after_milliseconds = 1000, targets = [\"hub\"] }]",
            "policy[1].repeat_milliseconds", 11, "1000"
        ),
        (
            "[[policy]]\nservice = \"emergency\"\ngroup = \"x\"\nquiet_hours = [{ from = \"22:00\", to = \"07:00\" }]\nsteps = [{ targets = [\"hub\"] }]",
            "policy[1].quiet_hours", 12, "quiet hours for \"emergency\""
        ),
        (
            "[[policy]]\nservice = \"care_contact\"\nquiet_hours = [{ from = \"7:00\", to = \"08:00\" }]\nsteps = [{ targets = [\"hub\"] }]",
            "policy[1].quiet_hours[0].from", 11, "\"7:00\""
        ),
        (
            "[[policy]]\nservice = \"care_contact\"\nquiet_hours = [{ from = \"07:00\" }]\nsteps = [{ targets = [\"hub\"] }]",
            "policy[1].quiet_hours[0].to", 11, "nothing"
        ),
        (
            "[[policy]]\nservice = \"care_contact\"\nquiet_hours = [{ from = \"07:00\", to = \"07:00\" }]\nsteps = [{ targets = [\"hub\"] }]",
            "policy[1].quiet_hours", 11, "all hours"
        ),
        (
            "[[service]]\nname = \"care_contact\"\n[[service]]\nname = \"care_contact\"", "service[1].name", 12,
            "second time"
        ),
        (
            "[[roster]]\nname = \"hub\"\nfallback = \"hub\"\nshifts = [{ target = \"hub\" }]", "roster[0].name", 10,
            "second time"
        ),
        (
            "[[roster]]\nname = \"duty\"\nfallback = \"hup\"\nshifts = [{ target = \"hub\" }]", "roster[0].fallback",
            11,
            "\"hup\""
        ),
        (
            "[[roster]]\nname = \"duty\"\nshifts = [{ target = \"hub\" }]", "roster[0].fallback", 9, "nothing"
        ),
        (
            "[[roster]]\nname = \"duty\"\nfallback = \"hub\"\nshifts = [{ target = \"hub\", days = [\"someday\"] }]",
            "roster[0].shifts[0].days[0]", 12, "\"someday\""
        ),
        (
            "[[roster]]\nname = \"duty\"\nfallback = \"hub\"\nshifts = [{ target = \"duty\" }]",
            "roster[0].shifts[0].target", 12, "\"duty\""
        ),
        (
            "[[target]]\nname = \"120\"\nurl = \"https://a/\"\nsecret_files = [\"/s\"]\nemergency_services = true\nreaches = \"contacts\"",
            "target[1].reaches", 14, "emergency service"
        ),
        (
            "[[target]]\nname = \"sms\"\nurl = \"https://a/\"\nsecret_files = [\"/s\"]\nreaches = \"contacts\"\n[[roster]]\nname = \"duty\"\nfallback = \"sms\"\nshifts = [{ target = \"hub\" }]",
            "roster[0].fallback", 16, "\"sms\""
        ),
        ("[[policy]]\nservice = \"care\"\nsteps = [{ targets = [\"hub\"] }]", "policy[1].service", 10, "\"care\""),
    ])
    func faultBetweenTablesIsNamed(text: String, keyPath: String, line: Int, found: String) throws {
        let all = issues(target + text)
        let issue = try #require(all.first)
        #expect(all.count == 1, "\(all)")
        #expect(issue.keyPath == keyPath)
        #expect(issue.line == line)
        #expect(issue.found.contains(found), "\(issue)")
    }

    @Test func targetsWithoutAnEmergencyPolicyAreRefused() throws {
        let text = "[[target]]\nname = \"hub\"\nurl = \"https://hub/\"\nsecret_files = [\"/s\"]\n"
        #expect(issues(text).map(\.found) == ["no policy with service = \"emergency\" for everybody"])
    }

    @Test(arguments: [
        "ftp://hub/", "https://", "https://user@hub/", "https://hub:0/", "https://hub:99999/", "https://hub/#a",
        "https://[::1/", "hub.example.org", "https://hu b/",
    ])
    func badURLIsRefused(url: String) {
        let text = "[[target]]\nname = \"hub\"\nurl = \"\(url)\"\nsecret_files = [\"/s\"]\n"
        #expect(issues(text).map(\.keyPath) == ["target[0].url"])
    }

    @Test func allFaultsAreReportedAtOnceInTheOrderOfTheirLines() {
        let all = issues("[reactor]\nthreads = -1\n[gateway]\nsocket = \"x\"\ncolour = 1\n[[target]]\nname = \"A\"\n")
        #expect(
            all.map(\.keyPath) == [
                "reactor.threads", "gateway.socket", "gateway.colour", "target[0].url", "target[0].secret_files",
                "target[0].name",
            ])
        #expect(all[0].description.hasPrefix("test.toml:2: reactor.threads: found the integer -1; allowed: an integer"))
    }

    @Test func missingFilesAreNamed() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try GatewayConfiguration.load(path: "/nowhere/yidiantong.toml")
        }
        #expect(error?.issues.first?.found == "no file \"/nowhere/yidiantong.toml\"")
        let secret = #expect(throws: ConfigurationError.self) {
            try GatewayConfiguration.parse(
                target.replacing("/etc/hub.secret", with: "/nowhere/s"), file: "f", checkingFiles: true)
        }
        #expect(secret?.issues.map(\.line) == [4])
    }

    private func exampleText() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("etc/yidiantong.example.toml"), encoding: .utf8)
    }
}

@Suite struct TOMLLineIndexTests {
    @Test func pathsAreFoundThroughEveryKindOfTOML() {
        let text = #"""
            # comment with [table] and key = 1
            a.b = "text # no comment" # a comment
            "quoted key" = '''
            [not.a.table]
            '''
            [one."two"]
            list = [ 1, # first
              { x = 1, y = [2,
                3] },
            ]
            [[many]]
            k = """ "quotes"" """
            [many.inner]
            z = 'it''
            [[many]]
            k = 2
            [[many.deep]]
            q = 1
            """#
        let index = TOMLLineIndex(text.replacing("z = 'it''", with: "z = 'it'"))
        #expect(index.line(of: "a.b") == 2)
        #expect(index.line(of: "quoted key") == 3)
        #expect(index.line(of: "one.two") == 6)
        #expect(index.line(of: "one.two.list[0]") == 7)
        #expect(index.line(of: "one.two.list[1].y") == 8)
        #expect(index.line(of: "one.two.list[1].y[1]") == 9)
        #expect(index.line(of: "many[0].k") == 12)
        #expect(index.line(of: "many[0].inner.z") == 14)
        #expect(index.line(of: "many[1].k") == 16)
        #expect(index.line(of: "many[1].deep[0].q") == 18)
        #expect(index.line(of: "many[1].missing") == 15)
        #expect(index.line(of: "nothing") == nil)
    }

    /// A scanner that stands still would hang the start of the gateway; no cut of a document may do that.
    @Test func everyPrefixOfADocumentEnds() {
        let text = "[a]\nb = [1, {c = \"x\\\"y\"}]\n[[d.\"e\"]]\nf = '''q'''\n= ]\n"
        for length in 0...text.count { _ = TOMLLineIndex(String(text.prefix(length))) }
    }
}
