/// Where a fence lies: its points on the terminals' datum, converted once when it was drawn.
struct FenceOutline: Sendable, Equatable {
    enum Kind: UInt8 {
        case circle
        case polygons
        case corridor
    }

    struct Ring: Sendable, Equatable {
        var points: Int
        /// It is the outline of a polygon; else a hole in the one before it.
        var beginsPolygon: Bool
    }

    var kind: Kind
    /// The radius of a circle, half the width of a corridor, 0 for polygons.
    var metres: Double
    var points: [Coordinate]
    /// How `points` are divided; one ring for a circle's centre and for a corridor's path.
    var rings: [Ring]

    init(kind: Kind, metres: Double, points: [Coordinate], rings: [Ring]) {
        self.kind = kind
        self.metres = metres
        self.points = points
        self.rings = rings
    }

    init(_ fence: Fence) {
        let convert = fence.datum.toWGS84
        switch fence.shape {
        case .circle(let centre, let radius):
            self.init(
                kind: .circle, metres: radius, points: [convert(centre)],
                rings: [Ring(points: 1, beginsPolygon: true)])
        case .polygons(let polygons):
            let rings = polygons.flatMap { rings in
                rings.enumerated().map { Ring(points: $1.count, beginsPolygon: $0 == 0) }
            }
            self.init(
                kind: .polygons, metres: 0, points: polygons.joined().joined().map(convert), rings: rings)
        case .rectangle(let southWest, let northEast):
            let southEast = Coordinate(
                latitudeDegrees: southWest.latitudeDegrees, longitudeDegrees: northEast.longitudeDegrees)
            let northWest = Coordinate(
                latitudeDegrees: northEast.latitudeDegrees, longitudeDegrees: southWest.longitudeDegrees)
            self.init(
                kind: .polygons, metres: 0, points: [southWest, southEast, northEast, northWest].map(convert),
                rings: [Ring(points: 4, beginsPolygon: true)])
        case .corridor(let path, let halfWidth):
            self.init(
                kind: .corridor, metres: halfWidth, points: path.map(convert),
                rings: [Ring(points: path.count, beginsPolygon: true)])
        }
    }

    /// FNV-1a over the numbers: equal for the same ground.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ value: UInt64) { hash = (hash ^ value) &* 0x100_0000_01B3 }
        add(UInt64(kind.rawValue))
        add(metres.bitPattern)
        for ring in rings { add(UInt64(ring.points) << 1 | (ring.beginsPolygon ? 1 : 0)) }
        for point in points {
            add(point.latitudeDegrees.bitPattern)
            add(point.longitudeDegrees.bitPattern)
        }
        return hash
    }
}
