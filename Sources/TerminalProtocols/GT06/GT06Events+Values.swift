import TerminalModel

/// Levels of power and signal in percent (sections 5.3 and 11).
enum GT06Power {
    /// Bit of the terminal information: charging or external power.
    static let charging: UInt8 = 1 << 2

    /// A level 0 to 6; larger numbers are percent, above 100 nothing.
    static func batteryPercent(_ value: UInt8) -> Int? {
        switch value {
        case 0...6: (Int(value) * 100 + 3) / 6
        case 7...100: Int(value)
        default: nil
        }
    }

    /// One of two bytes is percent, by model; the other is zero or part of a voltage.
    static func batteryPercent(pair high: UInt8, _ low: UInt8) -> Int? {
        let value = low == 0 ? high : low
        return value <= 100 ? Int(value) : nil
    }

    /// A level 0 to 4; larger numbers are percent, above 100 nothing.
    static func signalPercent(_ value: UInt8) -> Int? {
        switch value {
        case 0...4: Int(value) * 25
        case 5...100: Int(value)
        default: nil
        }
    }

    /// Signals are sent without their sign; 0 and FF say nothing.
    static func decibelMilliwatts(_ value: UInt8) -> Int? {
        value == 0 || value == 0xFF ? nil : -Int(value)
    }
}

extension Position {
    /// Zero coordinates are what a receiver without a fix shows, and without GPS information they mean nothing: no place.
    init(_ gps: GT06Position) {
        let latitude = gps.latitudeDegrees
        let longitude = gps.longitudeDegrees
        let isPlace =
            latitude != nil && longitude != nil && !(gps.latitude == 0 && gps.longitude == 0)
            && gps.lengthAndSatellites >> 4 != 0
        self.init(
            valid: gps.isFixed && isPlace, latitudeDegrees: isPlace ? latitude : nil,
            longitudeDegrees: isPlace ? longitude : nil, speedKilometresPerHour: Double(gps.speed),
            courseDegrees: gps.courseDegrees < 360 ? gps.courseDegrees : nil, satellites: gps.satellites)
    }
}

extension CellTower {
    /// Nil for a block of zeros, which says that no cell is known.
    init?(_ cell: GT06Cell) {
        guard cell.areaCode != 0 || cell.identity != 0 else { return nil }
        self.init(
            mobileCountryCode: Int(cell.countryCode), mobileNetworkCode: Int(cell.networkCode),
            locationAreaCode: Int(cell.areaCode), cellIdentity: Int(truncatingIfNeeded: cell.identity),
            signalDecibelMilliwatts: nil)
    }

    init(_ cell: GT06Cells.Cell, of cells: GT06Cells) {
        self.init(
            mobileCountryCode: Int(cells.countryCode), mobileNetworkCode: Int(cells.networkCode),
            locationAreaCode: Int(cell.areaCode), cellIdentity: Int(truncatingIfNeeded: cell.identity),
            signalDecibelMilliwatts: GT06Power.decibelMilliwatts(cell.signal))
    }

    init(_ cell: GT06LookAlikeCells.Cell, of cells: GT06LookAlikeCells) {
        self.init(
            mobileCountryCode: Int(cells.countryCode), mobileNetworkCode: Int(cells.networkCode),
            locationAreaCode: Int(cell.areaCode), cellIdentity: Int(cell.identity),
            signalDecibelMilliwatts: GT06Power.decibelMilliwatts(cell.signal))
    }
}

extension WiFiAccessPoint {
    init(_ point: GT06Cells.AccessPoint) {
        self.init(
            address: point.address, signalDecibelMilliwatts: GT06Power.decibelMilliwatts(point.signal))
    }
}

/// Positions in the texts by which terminals answer: `Lat:N28.234567,Lon:E112.987654`.
enum GT06PositionText {
    /// The first latitude and longitude of the text; nil without both. How old they are the text may say to a person, but
    /// not in a common form, so the position counts as not valid when the text calls it the last known one.
    static func position(_ text: String) -> Position? {
        guard let latitude = number(behind: "lat:", "NS", in: text, limit: 90),
            let longitude = number(behind: "lon:", "EW", in: text, limit: 180)
        else { return nil }
        let isLast = text.lowercased().contains("last")
        return Position(
            valid: !isLast && (latitude != 0 || longitude != 0), latitudeDegrees: latitude,
            longitudeDegrees: longitude)
    }

    /// - Parameter hemispheres: the letter of the positive half, then that of the negative one.
    private static func number(
        behind label: String, _ hemispheres: String, in text: String, limit: Double
    ) -> Double? {
        let lower = text.lowercased()
        guard let found = lower.firstRange(of: label) else { return nil }
        var rest = lower[found.upperBound...]
        var sign = 1.0
        if let first = rest.first, hemispheres.lowercased().contains(first) {
            if first == hemispheres.lowercased().last { sign = -1 }
            rest = rest.dropFirst()
        }
        let digits = rest.prefix { $0.isNumber || $0 == "." || $0 == "-" }
        guard let value = Double(digits), abs(value) <= limit else { return nil }
        return sign * value
    }
}
