import Glibc

/// A fence on a flat plane in metres around its middle, on the terminals' datum.
///
/// The plane is good to better than one per cent over a district; inside and outside do not depend on it, since it maps
/// lines to lines.
struct PreparedFence {
    /// Bounds of the shape in degrees.
    let south: Double
    let north: Double
    let west: Double
    let east: Double
    private let middle: Coordinate
    private let metresPerDegreeNorth: Double
    private let metresPerDegreeEast: Double
    private let form: Form
    let hysteresisMetres: Double

    /// Plain numbers only, so that looking at a fence counts no references.
    private enum Form {
        case circle(radius: Double)
        /// Edges in the common list; one that begins a polygon says so. A point is in a polygon when it is inside an
        /// odd number of its rings.
        case polygons(from: Int, to: Int)
        case corridor(from: Int, to: Int, halfWidth: Double)
    }

    struct Edge {
        var x0: Double
        var y0: Double
        var x1: Double
        var y1: Double
        var beginsPolygon = false
    }

    /// - Parameter edges: the common list of all fences, to which those of this one are added.
    init(_ fence: Fence, edges: inout [Edge]) {
        self.hysteresisMetres = fence.hysteresisMetres
        let datum = fence.datum
        var points: [Coordinate]
        var reach = 0.0
        switch fence.shape {
        case .circle(let centre, let radius):
            points = [datum.toWGS84(centre)]
            reach = radius
        case .polygons(let polygons): points = polygons.joined().joined().map(datum.toWGS84)
        case .rectangle: points = Self.corners(of: fence)
        case .corridor(let path, let halfWidth):
            points = path.map(datum.toWGS84)
            reach = halfWidth
        }
        let latitudes = points.map(\.latitudeDegrees)
        let longitudes = points.map(\.longitudeDegrees)
        let low = Coordinate(
            latitudeDegrees: latitudes.min() ?? 0, longitudeDegrees: longitudes.min() ?? 0)
        let high = Coordinate(
            latitudeDegrees: latitudes.max() ?? 0, longitudeDegrees: longitudes.max() ?? 0)
        let middle = Coordinate(
            latitudeDegrees: (low.latitudeDegrees + high.latitudeDegrees) / 2,
            longitudeDegrees: (low.longitudeDegrees + high.longitudeDegrees) / 2)
        let scale = Self.metresPerDegree(at: middle.latitudeDegrees)
        self.middle = middle
        self.metresPerDegreeNorth = scale.north
        self.metresPerDegreeEast = scale.east
        self.south = low.latitudeDegrees - reach / scale.north
        self.north = high.latitudeDegrees + reach / scale.north
        self.west = low.longitudeDegrees - reach / scale.east
        self.east = high.longitudeDegrees + reach / scale.east

        func plane(_ place: Coordinate) -> (x: Double, y: Double) {
            (
                (place.longitudeDegrees - middle.longitudeDegrees) * scale.east,
                (place.latitudeDegrees - middle.latitudeDegrees) * scale.north
            )
        }
        func edge(_ from: Coordinate, _ to: Coordinate) -> Edge {
            let (a, b) = (plane(from), plane(to))
            return Edge(x0: a.x, y0: a.y, x1: b.x, y1: b.y)
        }
        func ring(_ points: [Coordinate]) -> [Edge] {
            points.indices.map { edge(points[$0], points[($0 + 1) % points.count]) }
                .filter { $0.x0 != $0.x1 || $0.y0 != $0.y1 }
        }
        let from = edges.count
        switch fence.shape {
        case .circle(_, let radius): form = .circle(radius: radius)
        case .polygons(let polygons):
            for rings in polygons {
                let begin = edges.count
                for points in rings { edges += ring(points.map(datum.toWGS84)) }
                if begin < edges.count { edges[begin].beginsPolygon = true }
            }
            form = .polygons(from: from, to: edges.count)
        case .rectangle:
            edges += ring(points)
            form = .polygons(from: from, to: edges.count)
        case .corridor(_, let halfWidth):
            edges += zip(points, points.dropFirst()).map(edge)
            form = .corridor(from: from, to: edges.count, halfWidth: halfWidth)
        }
    }

    /// How far inside the line a place is, in metres; negative outside. Below `-enough` it is only a bound.
    func depthMetres(of place: Coordinate, enough: Double, edges: borrowing [Edge]) -> Double {
        let x = (place.longitudeDegrees - middle.longitudeDegrees) * metresPerDegreeEast
        let y = (place.latitudeDegrees - middle.latitudeDegrees) * metresPerDegreeNorth
        if case .circle(let radius) = form { return radius - sqrt(x * x + y * y) }
        let beyond = max(
            max(south - place.latitudeDegrees, place.latitudeDegrees - north) * metresPerDegreeNorth,
            max(west - place.longitudeDegrees, place.longitudeDegrees - east) * metresPerDegreeEast)
        if beyond > enough { return -beyond }
        var nearest = Double.infinity
        switch form {
        case .circle: return 0
        case .polygons(let from, let to):
            var isInside = false
            var isInThis = false
            for index in from..<to {
                let edge = edges[index]
                if edge.beginsPolygon {
                    isInside = isInside || isInThis
                    isInThis = false
                }
                nearest = min(nearest, Self.squaredDistance(x, y, edge))
                if (edge.y0 > y) != (edge.y1 > y),
                    x < (edge.x1 - edge.x0) * (y - edge.y0) / (edge.y1 - edge.y0) + edge.x0
                {
                    isInThis.toggle()
                }
            }
            return isInside || isInThis ? sqrt(nearest) : -sqrt(nearest)
        case .corridor(let from, let to, let halfWidth):
            for index in from..<to { nearest = min(nearest, Self.squaredDistance(x, y, edges[index])) }
            return halfWidth - sqrt(nearest)
        }
    }

    private static func squaredDistance(_ x: Double, _ y: Double, _ edge: Edge) -> Double {
        let (dx, dy) = (edge.x1 - edge.x0, edge.y1 - edge.y0)
        let length = dx * dx + dy * dy
        var along = length > 0 ? ((x - edge.x0) * dx + (y - edge.y0) * dy) / length : 0
        along = min(max(along, 0), 1)
        let (ex, ey) = (x - edge.x0 - along * dx, y - edge.y0 - along * dy)
        return ex * ex + ey * ey
    }

    private static func corners(of fence: Fence) -> [Coordinate] {
        guard case .rectangle(let southWest, let northEast) = fence.shape else { return [] }
        let southEast = Coordinate(
            latitudeDegrees: southWest.latitudeDegrees, longitudeDegrees: northEast.longitudeDegrees)
        let northWest = Coordinate(
            latitudeDegrees: northEast.latitudeDegrees, longitudeDegrees: southWest.longitudeDegrees)
        return [southWest, southEast, northEast, northWest].map(fence.datum.toWGS84)
    }

    /// The size of a degree on the WGS-84 ellipsoid, by the usual series; never 0, not even at a pole.
    static func metresPerDegree(at latitudeDegrees: Double) -> (north: Double, east: Double) {
        let latitude = latitudeDegrees * .pi / 180
        let north = 111_132.92 - 559.82 * cos(2 * latitude) + 1.175 * cos(4 * latitude)
        let east = 111_412.84 * cos(latitude) - 93.5 * cos(3 * latitude) + 0.118 * cos(5 * latitude)
        return (north, max(east, 1))
    }
}
