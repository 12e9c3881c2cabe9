public import WireBytes

// What a terminal hears around it: cells, Wi-Fi access points and Bluetooth beacons.

/// 21, 29, 2B: mcc u16 | mnc | repeated (level i8, lac u16, cell). The key tells the width of mnc and cell. Source: section 6.
public struct EV07BCells: EV07BValue {
    public static let minimumByteCount = 3

    /// 21: mnc u8, cell u16. 29: mnc u8, cell u32. 2B: mnc u16, cell u32.
    public enum Layout: UInt8, Sendable, CaseIterable {
        case gsm = 0x21
        case lte = 0x29
        case lteWide = 0x2B

        var cellByteCount: Int { self == .gsm ? 5 : 7 }
    }

    public struct Cell: Sendable, Equatable {
        /// As sent: a positive receive level or a negative number of dBm.
        public var level: Int8
        public var area: UInt16
        public var identity: UInt32

        public init(level: Int8, area: UInt16, identity: UInt32) {
            self.level = level
            self.area = area
            self.identity = identity
        }
    }

    public var layout: Layout
    public var country: UInt16
    public var network: UInt16
    public var cells: [Cell]

    public init(layout: Layout, country: UInt16, network: UInt16, cells: [Cell]) {
        self.layout = layout
        self.country = country
        self.network = network
        self.cells = cells
    }

    public init(parsing input: inout EV07BValueReader) {
        layout = Layout(rawValue: input.key) ?? .gsm
        country = input.uint16("mcc")
        network = layout == .lteWide ? input.uint16("mnc") : UInt16(input.uint8("mnc"))
        cells = []
        while input.remaining >= layout.cellByteCount {
            cells.append(
                Cell(
                    level: input.int8("level"), area: input.uint16("lac"),
                    identity: layout == .gsm ? UInt32(input.uint16("cell")) : input.uint32("cell")))
        }
    }

    public func write(to output: inout ByteWriter) {
        output.uint16LE(country)
        if layout == .lteWide { output.uint16LE(network) } else { output.uint8(UInt8(truncatingIfNeeded: network)) }
        for cell in cells {
            output.uint8(UInt8(bitPattern: cell.level))
            output.uint16LE(cell.area)
            if layout == .gsm {
                output.uint16LE(UInt16(truncatingIfNeeded: cell.identity))
            } else {
                output.uint32LE(cell.identity)
            }
        }
    }
}

/// 19 and 22: repeated (signal i8, address 6 [, name length u8, name UTF-8]); 19 has names. Source: section 6.
public struct EV07BWiFi: EV07BValue {
    public static let minimumByteCount = 0

    public struct AccessPoint: Sendable, Equatable {
        /// dBm.
        public var signal: Int8
        /// The 48-bit address in the low bits.
        public var address: UInt64
        /// nil in lists without names.
        public var name: String?

        public init(signal: Int8, address: UInt64, name: String? = nil) {
            self.signal = signal
            self.address = address
            self.name = name
        }
    }

    public var accessPoints: [AccessPoint]

    public init(_ accessPoints: [AccessPoint]) {
        self.accessPoints = accessPoints
    }

    public init(parsing input: inout EV07BValueReader) {
        accessPoints = []
        while input.remaining >= 7 {
            var point = AccessPoint(signal: input.int8("signal"), address: input.address("mac"))
            if input.key == EV07BKey.namedWiFi { point.name = input.text(Int(input.uint8("name length")), "name") }
            accessPoints.append(point)
        }
    }

    public func write(to output: inout ByteWriter) {
        for point in accessPoints {
            output.uint8(UInt8(bitPattern: point.signal))
            output.uint48BE(point.address)
            guard let name = point.name else { continue }
            let bytes = Array(name.utf8.prefix(255))
            output.uint8(UInt8(bytes.count))
            output.append(bytes)
        }
    }
}

/// 28, 2A and 2C: a beacon, the home Wi-Fi, a beacon with battery. Samples: `alarm-fall-beacon`, `position-home-wifi`.
///
///     flag 1 | address 6 reversed | signal i8 | [signal at 1 m i8] | [battery u8] | [latitude i32 | longitude i32] |
///     [description] | [temperature i16]
///
/// Flag bits 0-3 index, 6 description present, 7 position present. Source: section 9.
public struct EV07BBeacon: EV07BValue {
    public static let minimumByteCount = 8

    public enum Kind: UInt8, Sendable, CaseIterable {
        case beacon = 0x28
        case homeWiFi = 0x2A
        case beacon2 = 0x2C
    }

    private static let hasDescription: UInt8 = 0x40
    private static let hasPosition: UInt8 = 0x80

    public var kind: Kind
    /// 0...15
    public var index: UInt8
    /// The 48-bit address in the low bits.
    public var address: UInt64
    /// dBm.
    public var signal: Int8
    /// dBm; not for the home Wi-Fi.
    public var signalAtOneMetre: Int8?
    /// Percent; only 2C.
    public var battery: UInt8?
    public var point: EV07BPoint?
    public var description: String?
    /// Tenths of a degree Celsius; only 2C.
    public var temperature: Int16?

    public init(
        kind: Kind, index: UInt8, address: UInt64, signal: Int8, signalAtOneMetre: Int8 = 0, battery: UInt8 = 0,
        point: EV07BPoint? = nil, description: String? = nil, temperature: Int16? = nil
    ) {
        self.kind = kind
        self.index = index & 0x0F
        self.address = address
        self.signal = signal
        self.signalAtOneMetre = kind == .homeWiFi ? nil : signalAtOneMetre
        self.battery = kind == .beacon2 ? battery : nil
        self.point = point
        self.description = description
        self.temperature = kind == .beacon2 ? temperature : nil
    }

    public init(parsing input: inout EV07BValueReader) {
        kind = Kind(rawValue: input.key) ?? .beacon
        let flag = input.uint8("beacon flag")
        index = flag & 0x0F
        address = input.reversedAddress("mac reversed")
        signal = input.int8("signal")
        signalAtOneMetre = kind == .homeWiFi ? nil : input.int8("signal at 1 m")
        battery = kind == .beacon2 ? input.uint8("battery percent") : nil
        if flag & Self.hasPosition != 0, input.remaining >= EV07BPoint.minimumByteCount {
            point = EV07BPoint(parsing: &input)
        }
        if flag & Self.hasDescription != 0 { description = Self.description(&input, kind) }
        if kind == .beacon2, input.remaining >= 2 { temperature = input.int16("temperature") }
    }

    /// To the end of the value; 2C has a length in front, unless that runs past the end: then it is text itself.
    private static func description(_ input: inout EV07BValueReader, _ kind: Kind) -> String {
        if kind == .beacon2, input.remaining > 0, Int(input.bytes[input.offset]) < input.remaining {
            return input.text(Int(input.uint8("description length")), "description")
        }
        return input.restText("description")
    }

    public func write(to output: inout ByteWriter) {
        let flag = (point == nil ? 0 : Self.hasPosition) | (description == nil ? 0 : Self.hasDescription)
        output.uint8(flag | index & 0x0F)
        output.append(EV07BBeacon.reversed(address))
        output.uint8(UInt8(bitPattern: signal))
        if let signalAtOneMetre { output.uint8(UInt8(bitPattern: signalAtOneMetre)) }
        if let battery { output.uint8(battery) }
        point?.write(to: &output)
        if let description {
            let text = Array(description.utf8.prefix(200))
            if kind == .beacon2 { output.uint8(UInt8(text.count)) }
            output.append(text)
        }
        if let temperature { output.uint16LE(UInt16(bitPattern: temperature)) }
    }

    /// The six bytes of an address, the last one first.
    static func reversed(_ address: UInt64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: address >> UInt64(8 * $0)) }
    }
}

/// 23: [address 6 reversed | [latitude i32 | longitude i32 | description]]; empty when it is a request. Source: section 6.
public struct EV07BBluetooth: EV07BValue {
    public static let minimumByteCount = 0
    public var address: UInt64?
    public var point: EV07BPoint?
    public var description: String

    public init(address: UInt64? = nil, point: EV07BPoint? = nil, description: String = "") {
        self.address = address
        self.point = address == nil ? nil : point
        self.description = self.point == nil ? "" : description
    }

    public init(parsing input: inout EV07BValueReader) {
        address = input.remaining > 0 ? input.reversedAddress("mac reversed") : nil
        point = input.remaining >= EV07BPoint.minimumByteCount ? EV07BPoint(parsing: &input) : nil
        description = point == nil ? "" : input.restText("description")
    }

    public func write(to output: inout ByteWriter) {
        guard let address else { return }
        output.append(EV07BBeacon.reversed(address))
        guard let point else { return }
        point.write(to: &output)
        output.append(description.utf8)
    }
}

/// 26 and 27: [address 6 reversed] | latitude i32 | longitude i32 | radius u16 | height i16; 26 has the address.
/// Source: section 6.
public struct EV07BArea: EV07BValue {
    public static let minimumByteCount = 12
    /// Only 26.
    public var address: UInt64?
    public var point: EV07BPoint
    /// 26: 0.1 m. 27: 0.1 m in one source, 1 m in another.
    public var radius: UInt16
    /// Metres.
    public var height: Int16

    public init(address: UInt64? = nil, point: EV07BPoint, radius: UInt16, height: Int16) {
        self.address = address
        self.point = point
        self.radius = radius
        self.height = height
    }

    public init(parsing input: inout EV07BValueReader) {
        address = input.key == EV07BKey.bluetoothPosition ? input.reversedAddress("mac reversed") : nil
        point = EV07BPoint(parsing: &input)
        radius = input.uint16("radius")
        height = input.int16("height")
    }

    public func write(to output: inout ByteWriter) {
        if let address { output.append(EV07BBeacon.reversed(address)) }
        point.write(to: &output)
        output.uint16LE(radius)
        output.uint16LE(UInt16(bitPattern: height))
    }

    /// Metres; where the sources disagree the larger one, so that no better position is claimed than there is.
    var radiusMetres: Int { address == nil ? Int(radius) : (Int(radius) + 9) / 10 }
}
