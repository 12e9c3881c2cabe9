public import TerminalModel
import WireBytes

/// Every message of section 2, and whatever else arrives as bytes.
public enum TemplateMessage: Sendable, Equatable {
    // Terminal to platform.
    /// 01.
    case report(TemplateReport)
    /// 02: the counter of a command that was done.
    case done(counter: UInt8)
    // Platform to terminal.
    /// 81: the number of the message that is on the disk.
    case acknowledgement(of: UInt8)
    /// 82: report now; the answer repeats the counter.
    case locate(counter: UInt8)
    // Anything else.
    case unknown(UInt8, [UInt8])

    public var number: UInt8 {
        switch self {
        case .report: 0x01
        case .done: 0x02
        case .acknowledgement: 0x81
        case .locate: 0x82
        case .unknown(let number, _): number
        }
    }
}

/// One frame, decoded.
public struct TemplatePacket: Sendable, Equatable {
    public var terminal: TerminalID
    public var message: TemplateMessage
    /// Bytes behind the fields that the layout does not explain.
    public var trailing: [UInt8]
}

/// 01: alarm 1 | latitude 4 | longitude 4 | battery 1. Sample: `report`. Source: section 2.
public struct TemplateReport: Sendable, Equatable {
    /// 0 for none; `TemplateAlarms` says what the others mean.
    public var alarm: UInt8
    /// Millionths of a degree, north positive; both 0 for no fix.
    public var latitude: Int32
    public var longitude: Int32
    /// 0...100; nil when the frame broke off behind the alarm: an alarm is never lost.
    public var batteryPercent: UInt8?

    public init(alarm: UInt8, latitude: Int32 = 0, longitude: Int32 = 0, batteryPercent: UInt8? = nil) {
        self.alarm = alarm
        self.latitude = latitude
        self.longitude = longitude
        self.batteryPercent = batteryPercent
    }

    static let placeByteCount = 9

    init(parsing input: inout FieldReader) throws(DecodeError) {
        self.init(alarm: try input.uint8("alarm"))
        guard input.remaining >= Self.placeByteCount else { return }
        latitude = Int32(bitPattern: try input.uint32("latitude"))
        longitude = Int32(bitPattern: try input.uint32("longitude"))
        batteryPercent = try input.uint8("battery")
    }

    func write(to output: inout ByteWriter) {
        output.uint8(alarm)
        guard let batteryPercent else { return }
        output.uint32BE(UInt32(bitPattern: latitude))
        output.uint32BE(UInt32(bitPattern: longitude))
        output.uint8(batteryPercent)
    }
}
