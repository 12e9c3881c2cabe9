public import TerminalModel

/// What is known of the gateway's own position.
public enum GatewayFixState: String, Sendable, CaseIterable {
    /// No gpsd answers.
    case disconnected
    /// gpsd answers and no receiver has a fix.
    case noFix = "no_fix"
    /// There was a fix, and nothing has been heard since for too long.
    case stale
    case fix
}

/// How far the system clock is from satellite time. It is never set.
public enum ClockState: String, Sendable, CaseIterable {
    /// No receiver tells the time.
    case unknown
    case ok
    case warning
}

/// One report of one receiver.
public struct FixReport: Sendable, Equatable {
    /// gpsd's name of it, usually a device file.
    public var receiver: String
    /// Nil while the receiver has no fix.
    public var place: Place?
    /// Satellite time of the report.
    public var time: Timestamp?

    public struct Place: Sendable, Equatable {
        /// -90...90, north positive.
        public var latitudeDegrees: Double
        /// -180...180, east positive.
        public var longitudeDegrees: Double
        public var altitudeMetres: Double?
        /// Radius with 95 % of the probability; nil when the receiver does not say.
        public var accuracyMetres: Double?

        public init(
            latitudeDegrees: Double, longitudeDegrees: Double, altitudeMetres: Double? = nil,
            accuracyMetres: Double? = nil
        ) {
            self.latitudeDegrees = latitudeDegrees
            self.longitudeDegrees = longitudeDegrees
            self.altitudeMetres = altitudeMetres
            self.accuracyMetres = accuracyMetres
        }

        var isPossible: Bool {
            (-90...90).contains(latitudeDegrees) && (-180...180).contains(longitudeDegrees)
                && !(latitudeDegrees == 0 && longitudeDegrees == 0)
        }
    }

    public init(receiver: String, place: Place?, time: Timestamp?) {
        self.receiver = receiver
        self.place = place
        self.time = time
    }
}

/// The whole of what is known, for the status socket, metrics and pagers beside the gateway.
public struct GatewayFix: Sendable, Equatable {
    public var state = GatewayFixState.disconnected
    /// One sentence.
    public var reason = "not connected yet"
    public var since: Timestamp
    /// The last place that was known, marked as the gateway's; of use only in state `fix`.
    public var position: Position?
    public var fixedAt: Timestamp?
    public var receiver: String?
    /// All receivers that were heard since gpsd was reached, in the order of their names.
    public var receivers: [String] = []
    public var clock = ClockState.unknown
    /// System clock less satellite time.
    public var clockOffsetMilliseconds: Int64?

    public init(since: Timestamp) {
        self.since = since
    }

    /// Where a pager beside the gateway is; nil when the gateway does not know.
    public var currentPosition: Position? { state == .fix ? position : nil }
}
