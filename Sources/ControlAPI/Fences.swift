/// A fence as a GeoJSON feature. Source: RFC 7946.
public struct FenceFeature: Sendable, Equatable, Codable {
    /// Always `Feature`.
    public var type: String
    public var id: String?
    public var geometry: FenceGeometry
    public var properties: FenceProperties

    public init(id: String?, geometry: FenceGeometry, properties: FenceProperties) {
        self.type = "Feature"
        self.id = id
        self.geometry = geometry
        self.properties = properties
    }
}

/// Longitude before latitude, degrees, in the datum that the properties name.
public enum FenceGeometry: Sendable, Equatable, Codable {
    /// A circle of `radius_m` around it.
    case point([Double])
    /// A corridor of `half_width_m` on both sides of it.
    case lineString([[Double]])
    /// The outline, then holes; a ring may end where it began.
    case polygon([[[Double]]])
    case multiPolygon([[[[Double]]]])

    enum CodingKeys: String, CodingKey {
        case type, coordinates
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func coordinates<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try container.decode(type, forKey: .coordinates)
        }
        switch try container.decode(String.self, forKey: .type) {
        case "Point": self = .point(try coordinates([Double].self))
        case "LineString": self = .lineString(try coordinates([[Double]].self))
        case "Polygon": self = .polygon(try coordinates([[[Double]]].self))
        case "MultiPolygon": self = .multiPolygon(try coordinates([[[[Double]]]].self))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container,
                debugDescription: "found \"\(other)\", allowed: Point, LineString, Polygon, MultiPolygon")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        func write(_ type: String, _ coordinates: some Encodable) throws {
            try container.encode(type, forKey: .type)
            try container.encode(coordinates, forKey: .coordinates)
        }
        switch self {
        case .point(let coordinates): try write("Point", coordinates)
        case .lineString(let coordinates): try write("LineString", coordinates)
        case .polygon(let coordinates): try write("Polygon", coordinates)
        case .multiPolygon(let coordinates): try write("MultiPolygon", coordinates)
        }
    }
}

public struct FenceProperties: Sendable, Equatable, Codable {
    public var id: String?
    public var name: String
    /// `inside_forbidden`, `outside_forbidden` or `both`.
    public var rule: String
    /// `wgs84`, `gcj02` or `bd09`: the datum that the coordinates are drawn in.
    public var datum: String
    public var radiusMetres: Double?
    public var halfWidthMetres: Double?
    /// Persons and groups that the fence is for; both empty: everybody.
    public var persons: [String]
    public var groups: [String]
    public var hysteresisMetres: Double
    /// So many of the last `of` positions must agree before a crossing counts.
    public var confirmations: Int
    public var confirmationsOf: Int
    /// How long the other side must have been stayed on.
    public var dwellSeconds: Int
    public var enabled: Bool

    enum CodingKeys: String, CodingKey {
        case id, name, rule, datum, persons, groups, confirmations, enabled
        case radiusMetres = "radius_m"
        case halfWidthMetres = "half_width_m"
        case dwellSeconds = "dwell_seconds"
        case hysteresisMetres = "hysteresis_m"
        case confirmationsOf = "confirmations_of"
    }

    public init(name: String, rule: String, datum: String = "wgs84") {
        self.name = name
        self.rule = rule
        self.datum = datum
        self.persons = []
        self.groups = []
        self.hysteresisMetres = 20
        self.confirmations = 2
        self.confirmationsOf = 3
        self.dwellSeconds = 0
        self.enabled = true
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        name = try container.decode(String.self, forKey: .name)
        rule = try container.decode(String.self, forKey: .rule)
        datum = try container.decodeIfPresent(String.self, forKey: .datum) ?? "wgs84"
        radiusMetres = try container.decodeIfPresent(Double.self, forKey: .radiusMetres)
        persons = try container.decodeIfPresent([String].self, forKey: .persons) ?? []
        groups = try container.decodeIfPresent([String].self, forKey: .groups) ?? []
        hysteresisMetres = try container.decodeIfPresent(Double.self, forKey: .hysteresisMetres) ?? 20
        confirmations = try container.decodeIfPresent(Int.self, forKey: .confirmations) ?? 2
        confirmationsOf = try container.decodeIfPresent(Int.self, forKey: .confirmationsOf) ?? max(confirmations, 3)
        halfWidthMetres = try container.decodeIfPresent(Double.self, forKey: .halfWidthMetres)
        dwellSeconds = try container.decodeIfPresent(Int.self, forKey: .dwellSeconds) ?? 0
        enabled = try container.decodeIfPresent(Bool.self, forKey: .enabled) ?? true
    }
}

/// `GET /v1/fences`
public struct FenceCollection: Sendable, Equatable, Codable {
    /// Always `FeatureCollection`.
    public var type: String
    public var features: [FenceFeature]

    public init(features: [FenceFeature]) {
        self.type = "FeatureCollection"
        self.features = features
    }
}
