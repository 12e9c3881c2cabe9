/// A place as the terminal states it: WGS-84, degrees, north and east positive.
///
/// Kept in 48 bytes without a reference, since every frame carries one through all threads; whole numbers beyond the
/// range of their storage are cut to it.
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

    private var latitude: PackedDouble
    private var longitude: PackedDouble
    private var speed: PackedDouble
    private var dilution: PackedDouble
    private var altitude: PackedInteger<Int32>
    private var accuracy: PackedInteger<Int32>
    private var course: PackedInteger<Int16>
    private var satelliteCount: PackedInteger<Int16>
    /// True only for a fix that the terminal calls valid and that is not 0, 0. Old coordinates sent without a fix keep
    /// their numbers with `valid` false.
    public var valid: Bool
    public var source: Source

    public init(
        valid: Bool, latitudeDegrees: Double? = nil, longitudeDegrees: Double? = nil, altitudeMetres: Int? = nil,
        speedKilometresPerHour: Double? = nil, courseDegrees: Int? = nil, satellites: Int? = nil,
        hdop: Double? = nil, accuracyMetres: Int? = nil, source: Source = .gnss
    ) {
        self.latitude = PackedDouble(latitudeDegrees)
        self.longitude = PackedDouble(longitudeDegrees)
        self.speed = PackedDouble(speedKilometresPerHour)
        self.dilution = PackedDouble(hdop)
        self.altitude = PackedInteger(altitudeMetres)
        self.accuracy = PackedInteger(accuracyMetres)
        self.course = PackedInteger(courseDegrees)
        self.satelliteCount = PackedInteger(satellites)
        self.valid = valid
        self.source = source
    }

    /// -90...90, nil when none was sent or the number was impossible.
    public var latitudeDegrees: Double? {
        get { latitude.value }
        set { latitude.value = newValue }
    }

    /// -180...180
    public var longitudeDegrees: Double? {
        get { longitude.value }
        set { longitude.value = newValue }
    }

    public var altitudeMetres: Int? {
        get { altitude.value }
        set { altitude.value = newValue }
    }

    public var speedKilometresPerHour: Double? {
        get { speed.value }
        set { speed.value = newValue }
    }

    /// 0..<360, clockwise from north.
    public var courseDegrees: Int? {
        get { course.value }
        set { course.value = newValue }
    }

    public var satellites: Int? {
        get { satelliteCount.value }
        set { satelliteCount.value = newValue }
    }

    public var hdop: Double? {
        get { dilution.value }
        set { dilution.value = newValue }
    }

    public var accuracyMetres: Int? {
        get { accuracy.value }
        set { accuracy.value = newValue }
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
