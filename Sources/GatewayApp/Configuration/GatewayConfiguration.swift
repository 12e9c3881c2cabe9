public import HostDevices
public import IncidentCore
public import Reactor
public import TerminalModel
public import TerminalTLS

/// Everything that the TOML file says, checked: whoever holds one may use it without looking again.
///
/// `etc/yidiantong.example.toml` describes each key; a test keeps it and these defaults the same.
public struct GatewayConfiguration: Sendable, Equatable {
    public var gateway = General()
    public var listeners: [Listener] = []
    public var serialLines: [SerialLine] = []
    public var positioning = Positioning()
    public var reactor = ReactorLimits()
    public var sessions = Sessions()
    public var panels = Panels()
    public var store = Storage()
    public var capture = Capture()
    public var rules = Rules()
    public var chase = ChaseSettings()
    public var supervision = SupervisionRules()
    public var calendar = SiteCalendar()
    public var careSchedules: [CareSchedule] = []
    /// What `[[service]]` says of each service, and the standard for the others.
    public var services = Self.standardServices
    public var targets: [Target] = []
    public var rosters: [DutyRoster] = []
    public var policies: [Policy] = []
    public var models: [Model] = []

    public init() {}

    /// `[gateway]`
    public struct General: Sendable, Equatable {
        /// What receivers see as the sender.
        public var name = "yidiantong"
        /// Absolute path of the directory that holds all databases.
        public var stateDirectory = "/var/lib/yidiantong"
        /// Absolute path of the status socket, at most 107 bytes (the kernel's limit).
        public var socketPath = "/run/yidiantong/status.sock"
        public var logLevel = LogLevel.info
        /// The language of what terminals speak and show.
        public var language = Language.chinese
    }

    public enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    public enum Language: String, Sendable, CaseIterable {
        case chinese = "zh"
        case english = "en"
    }

    /// `[[listener]]`
    public struct Listener: Sendable, Equatable {
        /// Not empty; with more than one the terminals' frames tell which they speak.
        public var protocols: [ProtocolName]
        public var transport = Transport.tcp
        public var address: ListenAddress
        /// Set for a port with TLS.
        public var tls: TLSFiles?
        /// Which `[[listener]]` of the file it stands in, from 0; one may have an address of each transport.
        public var table = 0
        /// The raw bytes of its terminals are recorded.
        public var isCaptured = false

        public enum Transport: String, Sendable {
            case tcp, udp
        }
    }

    /// `[[serial]]`
    public struct SerialLine: Sendable, Equatable {
        /// Shown to people; the path when the table has none.
        public var name: String
        public var source: DeviceRule.Source
        /// Not empty; with more than one, the rates that are tried in turn until a good frame comes.
        public var bauds: [Int]
        public var protocols: [ProtocolName]
        /// 7 or 8.
        public var dataBits = 8
        public var parity = SerialOptions.Parity.none
        /// 1 or 2.
        public var stopBits = 1
        public var flowControl = FlowControl.none
        public var isLowLatency = true
        public var isHalfDuplex = false
        public var isBesideGateway = false
        /// 0: never called silent.
        public var silentSeconds = 0
        /// Its raw bytes are recorded.
        public var isCaptured = false

        public enum FlowControl: String, Sendable, CaseIterable {
            case none, hardware
        }
    }

    /// `[gpsd]`
    public struct Positioning: Sendable, Equatable {
        /// Where gpsd listens; nil: the gateway does not ask for its own position.
        public var address: ListenAddress?
        /// A fix that is older is none.
        public var staleSeconds = 10
        /// The offset of the system clock from satellite time that is warned of.
        public var clockWarningMilliseconds = 2_000
    }

    /// `[reactor]`
    public struct ReactorLimits: Sendable, Equatable {
        /// 0: one thread a core.
        public var threads = 0
        public var maximumConnections = 600_000
        public var maximumConnectionsPerAddress = 10_000
    }

    public enum UnknownTerminals: String, Sendable, CaseIterable {
        case accept, quarantine, refuse
    }

    /// `[sessions]`
    public struct Sessions: Sendable, Equatable {
        public var unknownTerminals = UnknownTerminals.quarantine
        public var idleSeconds = 900
        public var firstFrameSeconds = 30
        public var frameCompletionSeconds = 20
        public var commandTimeoutSeconds = 10
        public var commandRetries = 3
        public var trustByIDModels: [String] = []
    }

    /// `[dc09]`
    public struct Panels: Sendable, Equatable {
        /// The accounts and keys of panels that encrypt; nil when none does.
        public var keyFile: String?
    }

    public enum PositionAcknowledgement: String, Sendable, CaseIterable {
        case stored, received
    }

    /// `[store]`
    public struct Storage: Sendable, Equatable {
        public var positionAcknowledgement = PositionAcknowledgement.stored
        public var groupCommitMilliseconds = 10
        public var trackRetentionDays = 90
        /// For what terminals say and send beside positions and alarms.
        public var messageRetentionDays = 90
        /// MiB that are held for alarms on a full disk; 0: none.
        public var reserveMegabytes = 64
        /// MiB of free space below which the status warns; 0: never.
        public var freeSpaceWarningMegabytes = 1024
    }

    /// `[capture]`
    public struct Capture: Sendable, Equatable {
        /// Absolute path; nil for `captures` in the state directory.
        public var directory: String?
        /// Terminals whose raw bytes are recorded wherever they come from.
        public var terminals: [TerminalID] = []
        public var maximumFileMegabytes = 16
        public var maximumTotalMegabytes = 256
    }

    /// `[rules]`
    public struct Rules: Sendable, Equatable {
        public var lateSOSSeconds = 900
        public var emergencyCallsPerIncident = 3
        public var emergencyCallsPerHour = 60
        public var heldAfterCloseSeconds = 600
        public var raiseIntervalSeconds = 60
        /// 0: off.
        public var lowBatteryPercent = 15
        /// 0: off.
        public var silenceSeconds = 0
        public var massEvents = MassEventRules()
        /// Open incidents of terminals in no list, before further ones share one.
        public var unidentifiedIncidents = 20_000
        public var unidentifiedIncidentsPerAddress = 10_000
        /// 0: nobody is ever due for a test press.
        public var testPressDays = 30
        /// The site's own clock, for quiet hours and duty rosters.
        public var utcOffsetMinutes = 480
    }

    /// `[chase]`
    public struct ChaseSettings: Sendable, Equatable {
        /// 0: terminals are not asked for positions after an SOS.
        public var intervalSeconds = 10
        public var periodSeconds = 600
        public var normalIntervalSeconds = 300
        public var updateSeconds = 20

        var rules: ChaseRules? {
            guard intervalSeconds > 0 else { return nil }
            return ChaseRules(
                intervalSeconds: intervalSeconds, periodSeconds: periodSeconds,
                normalIntervalSeconds: normalIntervalSeconds, updateSeconds: updateSeconds)
        }
    }

    /// `[[target]]`
    public struct Target: Sendable, Equatable {
        public var name: String
        /// `http` or `https` with a host.
        public var url: String
        /// Absolute paths, newest secret first: all sign while a key is rotated.
        public var secretFiles: [String]
        public var isEmergencyService: Bool
        public var audience: Audience
        /// Private and loopback addresses that this target may resolve to.
        public var allowedAddresses: [String]
        public var certificateAuthorityFile: String?
        /// 0: no heartbeat.
        public var heartbeatSeconds: Int
    }

    /// `[[model]]`
    public struct Model: Sendable, Equatable {
        public var name: String
        public var isTrustedByID = false
        /// 0: never; nil: what `[rules]` says.
        public var silenceSeconds: Int?
        /// What its terminals' bytes and alarm codes mean, for the protocol they speak.
        public var profile: ModelProfile
    }

    /// Models whose terminals are known by their id alone (promise P6), from both places that may say so.
    var trustedModels: Set<String> {
        Set(sessions.trustByIDModels).union(models.filter(\.isTrustedByID).map(\.name))
    }

    /// What the file says of each model by its exact name.
    var modelProfiles: [String: ModelProfile] {
        Dictionary(models.map { ($0.name, $0.profile) }) { first, _ in first }
    }

    private var silenceLimits: SilenceLimits {
        SilenceLimits(
            seconds: rules.silenceSeconds == 0 ? nil : rules.silenceSeconds,
            models: Dictionary(models.compactMap { model in model.silenceSeconds.map { (model.name, $0) } }) {
                first, _ in
                first
            })
    }

    /// What the incident engine must know of this configuration.
    public func incidentRules(isCommissioned: Bool) -> IncidentRules {
        var result = IncidentRules(
            policies: policies,
            targets: targets.map {
                TargetFacts(name: $0.name, isEmergencyService: $0.isEmergencyService, audience: $0.audience)
            },
            isCommissioned: isCommissioned, emergencyCallsPerIncident: rules.emergencyCallsPerIncident,
            emergencyCallsPerHour: rules.emergencyCallsPerHour, lateLimitSeconds: rules.lateSOSSeconds,
            heldAfterCloseSeconds: rules.heldAfterCloseSeconds, raiseIntervalSeconds: rules.raiseIntervalSeconds,
            lowBatteryPercent: rules.lowBatteryPercent == 0 ? nil : rules.lowBatteryPercent,
            silence: silenceLimits, rosters: rosters, utcOffsetMinutes: rules.utcOffsetMinutes, chase: chase.rules,
            services: services,
            supervision: supervision)
        result.testPressDays = rules.testPressDays
        result.massEvents = rules.massEvents
        result.unidentifiedLimit = rules.unidentifiedIncidents
        result.unidentifiedLimitPerPeer = rules.unidentifiedIncidentsPerAddress
        return result
    }
}

/// A numeric address and port to listen on, written `0.0.0.0:6808` or `[::]:6808`.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 or IPv6 address in numbers, without brackets.
    public var host: String
    /// 1...65,535
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
