/// A fence as a GeoJSON feature: a polygon, or a point with `radius_m`. Source: RFC 7946.
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
    case point([Double])
    /// The outline, then holes; each ring ends where it began.
    case polygon([[[Double]]])

    enum CodingKeys: String, CodingKey {
        case type, coordinates
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .type) {
        case "Point": self = .point(try container.decode([Double].self, forKey: .coordinates))
        case "Polygon": self = .polygon(try container.decode([[[Double]]].self, forKey: .coordinates))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container, debugDescription: "found \"\(other)\", allowed: \"Point\", \"Polygon\"")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .point(let coordinates):
            try container.encode("Point", forKey: .type)
            try container.encode(coordinates, forKey: .coordinates)
        case .polygon(let coordinates):
            try container.encode("Polygon", forKey: .type)
            try container.encode(coordinates, forKey: .coordinates)
        }
    }
}

public struct FenceProperties: Sendable, Equatable, Codable {
    public var id: String?
    public var name: String
    /// `inside_forbidden` or `outside_forbidden`.
    public var rule: String
    /// `wgs84`, `gcj02` or `bd09`: the datum that the coordinates are drawn in.
    public var datum: String
    public var radiusMetres: Double?
    /// Persons and groups that the fence is for; both empty: everybody.
    public var persons: [String]
    public var groups: [String]
    public var hysteresisMetres: Double
    /// So many of the last `of` positions must agree before a crossing counts.
    public var confirmations: Int
    public var confirmationsOf: Int

    enum CodingKeys: String, CodingKey {
        case id, name, rule, datum, persons, groups, confirmations
        case radiusMetres = "radius_m"
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
