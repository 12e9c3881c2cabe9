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
    private var form: Form
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
    init(_ outline: FenceOutline, hysteresisMetres: Double, edges: inout [Edge]) {
        self.hysteresisMetres = hysteresisMetres
        let points = outline.points
        var (south, north, west, east) = (90.0, -90.0, 180.0, -180.0)
        for point in points {
            south = min(south, point.latitudeDegrees)
            north = max(north, point.latitudeDegrees)
            west = min(west, point.longitudeDegrees)
            east = max(east, point.longitudeDegrees)
        }
        let middle = Coordinate(latitudeDegrees: (south + north) / 2, longitudeDegrees: (west + east) / 2)
        let scale = Self.metresPerDegree(at: middle.latitudeDegrees)
        self.middle = middle
        self.metresPerDegreeNorth = scale.north
        self.metresPerDegreeEast = scale.east
        self.south = south - outline.metres / scale.north
        self.north = north + outline.metres / scale.north
        self.west = west - outline.metres / scale.east
        self.east = east + outline.metres / scale.east

        func edge(_ from: Coordinate, _ to: Coordinate) -> Edge {
            Edge(
                x0: (from.longitudeDegrees - middle.longitudeDegrees) * scale.east,
                y0: (from.latitudeDegrees - middle.latitudeDegrees) * scale.north,
                x1: (to.longitudeDegrees - middle.longitudeDegrees) * scale.east,
                y1: (to.latitudeDegrees - middle.latitudeDegrees) * scale.north)
        }
        let from = edges.count
        switch outline.kind {
        case .circle: form = .circle(radius: outline.metres)
        case .polygons:
            var start = 0
            var mustBegin = false
            for ring in outline.rings {
                mustBegin = mustBegin || ring.beginsPolygon
                for index in 0..<ring.points {
                    var edge = edge(points[start + index], points[start + (index + 1) % ring.points])
                    guard edge.x0 != edge.x1 || edge.y0 != edge.y1 else { continue }
                    edge.beginsPolygon = mustBegin
                    mustBegin = false
                    edges.append(edge)
                }
                start += ring.points
            }
            form = .polygons(from: from, to: edges.count)
        case .corridor:
            for index in points.indices.dropFirst() { edges.append(edge(points[index - 1], points[index])) }
            form = .corridor(from: from, to: edges.count, halfWidth: outline.metres)
        }
    }

    /// The edges of this fence in the common list.
    var edgeRange: Range<Int> {
        switch form {
        case .circle: 0..<0
        case .polygons(let from, let to), .corridor(let from, let to, _): from..<to
        }
    }

    /// The same edges stand elsewhere in the common list now.
    mutating func moveEdges(to from: Int) {
        switch form {
        case .circle: break
        case .polygons: form = .polygons(from: from, to: from + edgeRange.count)
        case .corridor(_, _, let halfWidth):
            form = .corridor(from: from, to: from + edgeRange.count, halfWidth: halfWidth)
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

    /// The size of a degree on the WGS-84 ellipsoid, by the usual series; never 0, not even at a pole.
    static func metresPerDegree(at latitudeDegrees: Double) -> (north: Double, east: Double) {
        let latitude = latitudeDegrees * .pi / 180
        let north = 111_132.92 - 559.82 * cos(2 * latitude) + 1.175 * cos(4 * latitude)
        let east = 111_412.84 * cos(latitude) - 93.5 * cos(3 * latitude) + 0.118 * cos(5 * latitude)
        return (north, max(east, 1))
    }
}
