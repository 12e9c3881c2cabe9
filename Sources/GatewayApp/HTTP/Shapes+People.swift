import IncidentCore

extension Shapes {
    private static let services = Schema.array(.choice(Service.allCases.map(\.rawValue)), count: 0...16)

    static let personFields: [Schema.Property] = [
        .required("name", .line(1...100)), .optional("sex", .choice(["", "female", "male"])),
        .optional("birth_date", .text(.init(kind: .date, length: 0...10)), "YYYY-MM-DD or empty"),
        .optional("address", .lineOrEmpty(300)), .optional("landmark", .lineOrEmpty(300)),
        .optional("district", .lineOrEmpty(64), "as the site's duty rosters name it"),
        .optional("conditions", .lineOrEmpty(1000)), .optional("medicines", .lineOrEmpty(1000)),
        .optional("blood_type", .lineOrEmpty(10)), .optional("allergies", .lineOrEmpty(1000)),
        .optional("phone", .text(.init(kind: .privatePhoneOrEmpty, length: 0...32))),
        .optional(
            "contacts",
            .array(
                .object([
                    .required("name", .line(1...100)), .required("phone", .privatePhone),
                    .optional("relation", .lineOrEmpty(64)), .optional("guardian", .boolean),
                ]), count: 0...20)),
        .optional("groups", .array(.identifier, count: 0...32)), .optional("services", services),
        .optional("consent_120", .boolean, "120 may be alarmed without a human in between"),
    ]

    /// A card in a request; the id stands in the path.
    static let personRequest = Schema.named("PersonRequest", .object(personFields))

    static let contact = Schema.object([
        .required("name", .string), .required("phone", .string), .required("relation", .string),
        .required("guardian", .boolean),
    ])

    static let person = Schema.named(
        "Person",
        .object([
            .required("id", .string), .required("name", .string), .required("sex", .string),
            .required("birth_date", .string), .required("address", .string), .required("district", .string),
            .required("landmark", .string), .required("conditions", .string), .required("medicines", .string),
            .required("blood_type", .string), .required("allergies", .string), .required("phone", .string),
            .required("contacts", .array(contact, count: 0...Int.max)),
            .required("groups", words), .required("services", words), .required("consent_120", .boolean),
        ]))

    static let personPage = page("people", person)

    // Fences

    private static let place = Schema.array(.number(-180...180), count: 2...3)

    private static func geometry(_ type: String, _ coordinates: Schema) -> (word: String, schema: Schema) {
        (type, .object([.required("type", .choice([type])), .required("coordinates", coordinates)]))
    }

    private static let rings = Schema.array(.array(place, count: 3...5000), count: 1...16)

    private static let geometry = Schema.variants(
        by: "type",
        [
            geometry("LineString", .array(place, count: 2...5000)),
            geometry("MultiPolygon", .array(rings, count: 1...8)), geometry("Point", place),
            geometry("Polygon", rings),
        ])

    private static func fenceProperties(_ extra: [Schema.Property]) -> Schema {
        .object(
            extra + [
                .required("name", .line(1...100)),
                .required("rule", .choice(["both", "inside_forbidden", "outside_forbidden"])),
                .optional("datum", .choice(["bd09", "gcj02", "wgs84"]), "that the coordinates are drawn in"),
                .optional("radius_m", .number(1...1_000_000), "of a circle around a Point"),
                .optional("half_width_m", .number(1...1_000_000), "of a corridor along a LineString"),
                .optional("persons", .array(.identifier, count: 0...10_000)),
                .optional("groups", .array(.identifier, count: 0...32)),
                .optional("hysteresis_m", .number(0...10_000)),
                .optional("confirmations", .integer(1...16), "so many of the last `confirmations_of` must agree"),
                .optional("confirmations_of", .integer(1...32)),
                .optional("dwell_seconds", .integer(0...86_400), "how long the other side must have been stayed on"),
                .optional("enabled", .boolean),
            ])
    }

    static let fence = Schema.named(
        "Fence",
        .object([
            .required("type", .choice(["Feature"])), .optional("id", .identifier),
            .required("geometry", geometry),
            .required("properties", fenceProperties([.optional("id", .identifier)])),
        ]))

    static let fenceCollection = Schema.named(
        "FenceCollection",
        .object([
            .required("type", .choice(["FeatureCollection"])),
            .required("features", .array(fence, count: 0...Int.max)),
        ]))

    /// An import is read leniently as JSON and then feature by feature, so that one wrong fence does not refuse all.
    static let fenceImport = Schema.variants(
        by: "type",
        [
            (
                "Feature",
                .object([
                    .required("type", .choice(["Feature"])), .optional("id", .anything),
                    .required("geometry", .anything), .required("properties", .anything),
                    .optional("bbox", .anything),
                ])
            ),
            (
                "FeatureCollection",
                .object([
                    .required("type", .choice(["FeatureCollection"])),
                    .required("features", .array(.anything, count: 0...100_000)), .optional("name", .anything),
                    .optional("crs", .anything), .optional("bbox", .anything),
                ])
            ),
        ])

    static let trackCollection = Schema.named(
        "TrackCollection",
        .object([
            .required("type", .choice(["FeatureCollection"])),
            .required(
                "features",
                .array(
                    .object([
                        .required("type", .choice(["Feature"])),
                        .required(
                            "geometry",
                            .object([
                                .required("type", .choice(["Point"])),
                                .required("coordinates", .array(.number(-180...180), count: 2...2)),
                            ])),
                        .required("properties", trackPoint),
                    ]), count: 0...Int.max)),
        ]))
}
