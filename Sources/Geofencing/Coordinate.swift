import Glibc

/// A place in degrees, north and east positive. Which datum it is in stands beside it.
public struct Coordinate: Sendable, Hashable, Codable {
    public var latitudeDegrees: Double
    public var longitudeDegrees: Double

    public init(latitudeDegrees: Double, longitudeDegrees: Double) {
        self.latitudeDegrees = latitudeDegrees
        self.longitudeDegrees = longitudeDegrees
    }

    /// True for finite numbers within -90...90 and -180...180.
    public var isPlausible: Bool {
        (-90...90).contains(latitudeDegrees) && (-180...180).contains(longitudeDegrees)
    }
}

/// What map a coordinate was read from.
///
/// Terminals give WGS-84. Maps published in China are shifted by an unsteady few hundred metres (GCJ-02, about 660 m in
/// Changsha), those of one publisher once more (BD-09). Source: escalation document section 7.1.
public enum Datum: String, Sendable, Codable, CaseIterable {
    case wgs84
    case gcj02
    case bd09

    /// The place on the terminals' datum; exact to a millimetre.
    public func toWGS84(_ place: Coordinate) -> Coordinate {
        switch self {
        case .wgs84: place
        case .gcj02: Self.wgs84(fromGCJ02: place)
        case .bd09: Self.wgs84(fromGCJ02: Self.gcj02(fromBD09: place))
        }
    }

    /// The place as this datum's maps show it.
    public func fromWGS84(_ place: Coordinate) -> Coordinate {
        switch self {
        case .wgs84: place
        case .gcj02: Self.gcj02(fromWGS84: place)
        case .bd09: Self.bd09(fromGCJ02: Self.gcj02(fromWGS84: place))
        }
    }
}

// MARK: - GCJ-02

extension Datum {
    private static let semiMajorAxisMetres = 6_378_245.0
    private static let eccentricitySquared = 0.00669342162296594323

    /// Within this box the shift applies; outside it both datums agree.
    private static func isShifted(_ place: Coordinate) -> Bool {
        (72.004...137.8347).contains(place.longitudeDegrees) && (0.8293...55.8271).contains(place.latitudeDegrees)
    }

    private static func gcj02(fromWGS84 place: Coordinate) -> Coordinate {
        guard isShifted(place) else { return place }
        let x = place.longitudeDegrees - 105
        let y = place.latitudeDegrees - 35
        let ripple = (20 * sin(6 * x * .pi) + 20 * sin(2 * x * .pi)) * 2 / 3
        let root = sqrt(abs(x))
        var north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
        north += (20 * sin(y * .pi) + 40 * sin(y / 3 * .pi)) * 2 / 3
        north += (160 * sin(y / 12 * .pi) + 320 * sin(y * .pi / 30)) * 2 / 3
        var east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
        east += (20 * sin(x * .pi) + 40 * sin(x / 3 * .pi)) * 2 / 3
        east += (150 * sin(x / 12 * .pi) + 300 * sin(x / 30 * .pi)) * 2 / 3
        let latitude = place.latitudeDegrees * .pi / 180
        let magic = 1 - eccentricitySquared * sin(latitude) * sin(latitude)
        let a = semiMajorAxisMetres
        let metresPerRadianNorth = a * (1 - eccentricitySquared) / (magic * sqrt(magic))
        let metresPerRadianEast = a / sqrt(magic) * cos(latitude)
        return Coordinate(
            latitudeDegrees: place.latitudeDegrees + north * 180 / (metresPerRadianNorth * .pi),
            longitudeDegrees: place.longitudeDegrees + east * 180 / (metresPerRadianEast * .pi))
    }

    /// The shift has no closed inverse; it changes slowly, so that a few corrections reach the last digit.
    private static func wgs84(fromGCJ02 place: Coordinate) -> Coordinate {
        guard isShifted(place) else { return place }
        return invert(place, from: place, by: gcj02(fromWGS84:))
    }
}

// MARK: - BD-09

extension Datum {
    private static let wave = Double.pi * 3000 / 180

    private static func bd09(fromGCJ02 place: Coordinate) -> Coordinate {
        guard isShifted(place) else { return place }
        let x = place.longitudeDegrees
        let y = place.latitudeDegrees
        let radius = sqrt(x * x + y * y) + 0.00002 * sin(y * wave)
        let angle = atan2(y, x) + 0.000003 * cos(x * wave)
        return Coordinate(
            latitudeDegrees: radius * sin(angle) + 0.006, longitudeDegrees: radius * cos(angle) + 0.0065)
    }

    private static func gcj02(fromBD09 place: Coordinate) -> Coordinate {
        let start = Coordinate(
            latitudeDegrees: place.latitudeDegrees - 0.006, longitudeDegrees: place.longitudeDegrees - 0.0065)
        guard isShifted(start) else { return place }
        return invert(place, from: start, by: bd09(fromGCJ02:))
    }

    /// Finds the place that `shift` moves onto `target`.
    private static func invert(
        _ target: Coordinate, from start: Coordinate, by shift: (Coordinate) -> Coordinate
    ) -> Coordinate {
        var guess = start
        for _ in 0..<12 {
            let reached = shift(guess)
            let north = target.latitudeDegrees - reached.latitudeDegrees
            let east = target.longitudeDegrees - reached.longitudeDegrees
            guess.latitudeDegrees += north
            guess.longitudeDegrees += east
            if abs(north) < 1e-12, abs(east) < 1e-12 { break }
        }
        return guess
    }
}
