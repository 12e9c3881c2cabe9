/// A fence made ready for deciding. Kept in the store beside the fence as it was drawn, so that a start neither reads
/// text nor converts points.
public struct FencePlan: Sendable, Equatable, Identifiable {
    public let id: String
    public let name: String
    public let scope: Fence.Scope
    public let rule: Fence.Rule
    public let isEnabled: Bool
    let hysteresisMetres: Double
    let confirmations: Int
    let confirmationWindow: Int
    let dwellSeconds: Int
    let outline: FenceOutline

    public init(_ fence: Fence) {
        self.id = fence.id
        self.name = fence.name
        self.scope = fence.scope
        self.rule = fence.rule
        self.isEnabled = fence.isEnabled
        self.hysteresisMetres = fence.hysteresisMetres
        self.confirmations = fence.confirmations
        self.confirmationWindow = fence.confirmationWindow
        self.dwellSeconds = fence.dwellSeconds
        self.outline = FenceOutline(fence)
    }
}

// MARK: - As bytes

extension FencePlan {
    /// The first byte. A plan of another edition is made anew from its fence.
    private static let edition: UInt8 = 1

    private static let rules = Fence.Rule.allCases

    /// Everything but the id, lowest byte first:
    ///
    ///     edition 1 | rule 1 | enabled 1 | outline kind 1 | confirmations 1 | window 1 | scope kind 1 | dwell 4 |
    ///     hysteresis 8 | metres 8 | name 2+n | scope names 4 + each 2+n | rings 4 + each 4 (top bit: begins a polygon) |
    ///     points 16 each: latitude, longitude
    public var bytes: [UInt8] {
        var writer = PlanWriter()
        writer.bytes.reserveCapacity(64 + outline.points.count * 16)
        writer.bytes += [
            Self.edition, UInt8(Self.rules.firstIndex(of: rule) ?? 0), isEnabled ? 1 : 0, outline.kind.rawValue,
            UInt8(confirmations), UInt8(confirmationWindow),
        ]
        let (scopeKind, names): (UInt8, [String]) =
            switch scope {
            case .everybody: (0, [])
            case .persons(let persons): (1, persons)
            case .groups(let groups): (2, groups)
            }
        writer.bytes.append(scopeKind)
        writer.integer(UInt32(dwellSeconds))
        writer.integer(hysteresisMetres.bitPattern)
        writer.integer(outline.metres.bitPattern)
        writer.text(name)
        writer.integer(UInt32(names.count))
        names.forEach { writer.text($0) }
        writer.integer(UInt32(outline.rings.count))
        for ring in outline.rings { writer.integer(UInt32(ring.points) | (ring.beginsPolygon ? 1 << 31 : 0)) }
        for point in outline.points {
            writer.integer(point.latitudeDegrees.bitPattern)
            writer.integer(point.longitudeDegrees.bitPattern)
        }
        return writer.bytes
    }

    /// Reads `bytes`; nil when they are damaged or of another edition.
    public init?(id: String, bytes: [UInt8]) {
        var reader = PlanReader(bytes)
        guard reader.integer(UInt8.self) == Self.edition, let rule = reader.integer(UInt8.self),
            rule < Self.rules.count, let isEnabled = reader.integer(UInt8.self),
            let kind = reader.integer(UInt8.self).flatMap(FenceOutline.Kind.init(rawValue:)),
            let confirmations = reader.integer(UInt8.self), let window = reader.integer(UInt8.self),
            (1...32).contains(window), (1...window).contains(confirmations),
            let scopeKind = reader.integer(UInt8.self), let dwell = reader.integer(UInt32.self),
            let hysteresis = reader.number(), let metres = reader.number(), let name = reader.text(),
            let nameCount = reader.integer(UInt32.self), nameCount <= reader.left / 2
        else { return nil }
        var names: [String] = []
        names.reserveCapacity(Int(nameCount))
        for _ in 0..<nameCount {
            guard let name = reader.text() else { return nil }
            names.append(name)
        }
        guard let ringCount = reader.integer(UInt32.self), ringCount <= reader.left / 4 else { return nil }
        var rings: [FenceOutline.Ring] = []
        rings.reserveCapacity(Int(ringCount))
        var pointCount = 0
        for _ in 0..<ringCount {
            guard let ring = reader.integer(UInt32.self) else { return nil }
            rings.append(.init(points: Int(ring & ~(1 << 31)), beginsPolygon: ring >> 31 == 1))
            pointCount += Int(ring & ~(1 << 31))
        }
        guard pointCount > 0, pointCount * 16 == reader.left else { return nil }
        var points: [Coordinate] = []
        points.reserveCapacity(pointCount)
        for _ in 0..<pointCount {
            guard let latitude = reader.number(), let longitude = reader.number() else { return nil }
            points.append(Coordinate(latitudeDegrees: latitude, longitudeDegrees: longitude))
        }
        guard points.allSatisfy(\.isPlausible), hysteresis >= 0, metres >= 0 else { return nil }
        self.id = id
        self.name = name
        switch scopeKind {
        case 0: scope = .everybody
        case 1: scope = .persons(names)
        case 2: scope = .groups(names)
        default: return nil
        }
        self.rule = Self.rules[Int(rule)]
        self.isEnabled = isEnabled == 1
        self.hysteresisMetres = hysteresis
        self.confirmations = Int(confirmations)
        self.confirmationWindow = Int(window)
        self.dwellSeconds = Int(dwell)
        self.outline = FenceOutline(kind: kind, metres: metres, points: points, rings: rings)
    }
}

private struct PlanWriter {
    var bytes: [UInt8] = []

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    mutating func text(_ text: String) {
        integer(UInt16(clamping: text.utf8.count))
        bytes += text.utf8.prefix(Int(UInt16.max))
    }
}

private struct PlanReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var left: Int { bytes.count - offset }

    mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) -> Value? {
        let size = Value.bitWidth / 8
        guard size <= left else { return nil }
        var value: Value = 0
        for index in 0..<size { value |= Value(truncatingIfNeeded: bytes[offset + index]) << Value(8 * index) }
        offset += size
        return value
    }

    mutating func number() -> Double? { integer(UInt64.self).map(Double.init(bitPattern:)) }

    mutating func text() -> String? {
        guard let count = integer(UInt16.self), count <= left else { return nil }
        defer { offset += Int(count) }
        return String(decoding: bytes[offset..<offset + Int(count)], as: UTF8.self)
    }
}
