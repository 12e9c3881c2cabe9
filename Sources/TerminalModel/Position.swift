/// A place as the terminal states it: WGS-84, degrees, north and east positive.
public struct Position: Sendable, Equatable {
    /// Where the coordinates come from.
    public enum Source: String, Sendable, Codable, CaseIterable {
        case gnss
        case wifi
        case cells
        case beacon
        /// The gateway's own receiver, for pagers that stand beside it.
        case gateway
    }

    /// True only for a fix that the terminal calls valid and that is not 0, 0. Old coordinates sent without a fix keep
    /// their numbers with `valid` false.
    public var valid: Bool
    /// -90...90, nil when none was sent or the number was impossible.
    public var latitudeDegrees: Double?
    /// -180...180
    public var longitudeDegrees: Double?
    public var altitudeMetres: Int?
    public var speedKilometresPerHour: Double?
    /// 0..<360, clockwise from north.
    public var courseDegrees: Int?
    public var satellites: Int?
    public var hdop: Double?
    public var accuracyMetres: Int?
    public var source: Source

    public init(
        valid: Bool, latitudeDegrees: Double? = nil, longitudeDegrees: Double? = nil, altitudeMetres: Int? = nil,
        speedKilometresPerHour: Double? = nil, courseDegrees: Int? = nil, satellites: Int? = nil,
        hdop: Double? = nil, accuracyMetres: Int? = nil, source: Source = .gnss
    ) {
        self.valid = valid
        self.latitudeDegrees = latitudeDegrees
        self.longitudeDegrees = longitudeDegrees
        self.altitudeMetres = altitudeMetres
        self.speedKilometresPerHour = speedKilometresPerHour
        self.courseDegrees = courseDegrees
        self.satellites = satellites
        self.hdop = hdop
        self.accuracyMetres = accuracyMetres
        self.source = source
    }
}

/// One mobile network cell that a terminal hears.
public struct CellTower: Sendable, Equatable {
    public var mobileCountryCode: Int
    public var mobileNetworkCode: Int
    public var locationAreaCode: Int
    public var cellIdentity: Int
    /// dBm as the terminal states it; nil when it states none.
    public var signalDecibelMilliwatts: Int?

    public init(
        mobileCountryCode: Int, mobileNetworkCode: Int, locationAreaCode: Int, cellIdentity: Int,
        signalDecibelMilliwatts: Int?
    ) {
        self.mobileCountryCode = mobileCountryCode
        self.mobileNetworkCode = mobileNetworkCode
        self.locationAreaCode = locationAreaCode
        self.cellIdentity = cellIdentity
        self.signalDecibelMilliwatts = signalDecibelMilliwatts
    }
}

/// One Wi-Fi access point that a terminal hears.
public struct WiFiAccessPoint: Sendable, Equatable {
    /// The 48-bit address in the low bits.
    public var address: UInt64
    public var signalDecibelMilliwatts: Int?

    public init(address: UInt64, signalDecibelMilliwatts: Int?) {
        self.address = address
        self.signalDecibelMilliwatts = signalDecibelMilliwatts
    }
}
