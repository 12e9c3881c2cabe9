/// A line on the ground and what it means to be on the wrong side of it. Source: DESIGN section 7.
///
/// Built only from values that make sense: the initialiser and the decoder refuse everything else with a reason.
public struct Fence: Sendable, Equatable, Identifiable {
    public enum Shape: Sendable, Equatable, Codable {
        /// Radius 1...1,000,000 m.
        case circle(centre: Coordinate, radiusMetres: Double)
        /// One or more polygons; the first ring of each is its outline, the others are holes. A ring may repeat its
        /// first point at its end.
        case polygons([[[Coordinate]]])
        case rectangle(southWest: Coordinate, northEast: Coordinate)
        /// Everything within half the width of a path of two or more points.
        case corridor(path: [Coordinate], halfWidthMetres: Double)
    }

    public enum Rule: String, Sendable, Codable, CaseIterable {
        /// Being inside is wrong: entering is the alarm.
        case insideForbidden = "inside_forbidden"
        /// Being outside is wrong: leaving is the alarm.
        case outsideForbidden = "outside_forbidden"
        /// Each crossing is news.
        case both
    }

    public enum Scope: Sendable, Equatable, Codable {
        case everybody
        case persons([String])
        case groups([String])
    }

    public let id: String
    public let name: String
    public let shape: Shape
    public let rule: Rule
    /// The datum of the coordinates in `shape`, which stay as they were drawn; the engine converts them once.
    public let datum: Datum
    public private(set) var scope: Scope
    /// Closer to the line than this nothing is decided. 0...10,000 m.
    public let hysteresisMetres: Double
    /// So many of the last `confirmationWindow` decided positions must say the same. 1...`confirmationWindow`.
    public let confirmations: Int
    /// 1...32
    public let confirmationWindow: Int
    /// How long the other side must have been stayed on. 0...86,400 s.
    public let dwellSeconds: Int
    public let isEnabled: Bool

    public static let maximumPoints = 10_000
    public static let maximumMetres = 1_000_000.0
    public static let maximumHysteresisMetres = 10_000.0

    public init(
        id: String, name: String = "", shape: Shape, rule: Rule, datum: Datum = .wgs84, scope: Scope = .everybody,
        hysteresisMetres: Double = 20, confirmations: Int = 2, confirmationWindow: Int = 3, dwellSeconds: Int = 0,
        isEnabled: Bool = true
    ) throws(FenceError) {
        self.id = id
        self.name = name
        self.shape = shape
        self.rule = rule
        self.datum = datum
        self.scope = scope
        self.hysteresisMetres = hysteresisMetres
        self.confirmations = confirmations
        self.confirmationWindow = confirmationWindow
        self.dwellSeconds = dwellSeconds
        self.isEnabled = isEnabled
        try check()
    }

    /// The same fence for others.
    public func scoped(to scope: Scope) -> Fence {
        var fence = self
        fence.scope = scope
        return fence
    }
}

/// Why a fence was refused.
public struct FenceError: Error, Sendable, Equatable, CustomStringConvertible {
    public var fence: String
    /// The member that is wrong, for example `shape.radiusMetres`.
    public var field: String
    /// What was found and what is allowed.
    public var problem: String

    public var description: String { "fence \"\(fence)\", \(field): \(problem)" }
}

// MARK: - Checks

extension Fence {
    private func refuse(_ field: String, _ problem: String) -> FenceError {
        FenceError(fence: id, field: field, problem: problem)
    }

    private func check() throws(FenceError) {
        guard (1...64).contains(id.utf8.count) else {
            throw refuse("id", "1 to 64 bytes are allowed, found \(id.utf8.count)")
        }
        guard (0...Self.maximumHysteresisMetres).contains(hysteresisMetres) else {
            throw refuse("hysteresisMetres", "0 to 10000 is allowed, found \(hysteresisMetres)")
        }
        guard (1...32).contains(confirmationWindow) else {
            throw refuse("confirmationWindow", "1 to 32 is allowed, found \(confirmationWindow)")
        }
        guard (1...confirmationWindow).contains(confirmations) else {
            throw refuse("confirmations", "1 to \(confirmationWindow) is allowed, found \(confirmations)")
        }
        guard (0...86_400).contains(dwellSeconds) else {
            throw refuse("dwellSeconds", "0 to 86400 is allowed, found \(dwellSeconds)")
        }
        switch shape {
        case .circle(let centre, let radius):
            try check([centre], "shape.centre", atLeast: 1)
            try check(metres: radius, "shape.radiusMetres")
        case .polygons(let polygons):
            guard !polygons.isEmpty, polygons.allSatisfy({ !$0.isEmpty }) else {
                throw refuse("shape.polygons", "a polygon needs an outline")
            }
            for ring in polygons.joined() {
                var points = ring
                if points.count > 1, points.first == points.last { points.removeLast() }
                try check(points, "shape.polygons", atLeast: 3)
            }
            let count = polygons.joined().reduce(0) { $0 + $1.count }
            guard count <= Self.maximumPoints else {
                throw refuse("shape.polygons", "at most \(Self.maximumPoints) points are allowed, found \(count)")
            }
            try checkWidth(Array(polygons.joined().joined()))
        case .rectangle(let southWest, let northEast):
            try check([southWest, northEast], "shape.rectangle", atLeast: 2)
            guard southWest.latitudeDegrees < northEast.latitudeDegrees,
                southWest.longitudeDegrees < northEast.longitudeDegrees
            else { throw refuse("shape.rectangle", "the first corner must lie south and west of the second") }
            try checkWidth([southWest, northEast])
        case .corridor(let path, let halfWidth):
            try check(path, "shape.path", atLeast: 2)
            try check(metres: halfWidth, "shape.halfWidthMetres")
            try checkWidth(path)
        }
    }

    private func check(_ points: [Coordinate], _ field: String, atLeast minimum: Int) throws(FenceError) {
        guard points.count <= Self.maximumPoints else {
            throw refuse(field, "at most \(Self.maximumPoints) points are allowed, found \(points.count)")
        }
        for point in points where !point.isPlausible {
            throw refuse(
                field,
                "a latitude is -90 to 90 and a longitude -180 to 180, "
                    + "found \(point.latitudeDegrees), \(point.longitudeDegrees)")
        }
        let different = Set(points).count
        guard different >= minimum else {
            throw refuse(field, "at least \(minimum) different points are needed, found \(different)")
        }
    }

    private func check(metres: Double, _ field: String) throws(FenceError) {
        guard (1...Self.maximumMetres).contains(metres) else {
            throw refuse(field, "1 to 1000000 m is allowed, found \(metres)")
        }
    }

    /// A shape wider than half the globe is one across the date line written wrongly.
    private func checkWidth(_ points: [Coordinate]) throws(FenceError) {
        let longitudes = points.map(\.longitudeDegrees)
        guard let west = longitudes.min(), let east = longitudes.max(), east - west <= 180 else {
            throw refuse("shape", "a fence across the 180th meridian is not supported")
        }
    }
}

// MARK: - Coding

extension Fence: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, name, shape, rule, datum, scope
        case hysteresisMetres = "hysteresis_metres"
        case confirmations
        case confirmationWindow = "confirmation_window"
        case dwellSeconds = "dwell_seconds"
        case isEnabled = "enabled"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        do {
            self = try Fence(
                id: container.decode(String.self, forKey: .id),
                name: container.decode(String.self, forKey: .name),
                shape: container.decode(Shape.self, forKey: .shape),
                rule: container.decode(Rule.self, forKey: .rule),
                datum: container.decode(Datum.self, forKey: .datum),
                scope: container.decode(Scope.self, forKey: .scope),
                hysteresisMetres: container.decode(Double.self, forKey: .hysteresisMetres),
                confirmations: container.decode(Int.self, forKey: .confirmations),
                confirmationWindow: container.decode(Int.self, forKey: .confirmationWindow),
                dwellSeconds: container.decode(Int.self, forKey: .dwellSeconds),
                isEnabled: container.decode(Bool.self, forKey: .isEnabled))
        } catch let error as FenceError {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.description))
        }
    }
}
