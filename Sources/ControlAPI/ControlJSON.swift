public import Foundation
public import TerminalModel

/// The one way in which bodies on the status socket are written and read.
public enum ControlJSON {
    /// Keys sorted, so that equal answers are equal bytes; slashes stay as they are.
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        try JSONDecoder().decode(type, from: data)
    }
}

/// Any JSON value, for members whose shape belongs to somebody else (an event, the arguments of a command).
public enum JSONTree: Sendable, Equatable, Codable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The member of an object; nil for everything else.
    public subscript(key: String) -> JSONTree? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var integerValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    public var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension Timestamp {
    /// Reads RFC 3339 `date-time` with any offset up to 23:59 and letters in either case; nil for anything else.
    public init?(rfc3339 text: String) {
        let text = text.uppercased()
        if let time = Timestamp(text) {
            self = time
            return
        }
        let bytes = Array(text.utf8)
        guard bytes.count >= 25, bytes[bytes.count - 3] == UInt8(ascii: ":"),
            let hours = Int(text.suffix(5).prefix(2)), let minutes = Int(text.suffix(2)), (0...23).contains(hours),
            (0...59).contains(minutes), let local = Timestamp(String(text.dropLast(6)) + "Z")
        else { return nil }
        let shift = Int64(hours * 60 + minutes) * 60_000
        switch bytes[bytes.count - 6] {
        case UInt8(ascii: "+"): self = local.adding(milliseconds: -shift)
        case UInt8(ascii: "-"): self = local.adding(milliseconds: shift)
        default: return nil
        }
    }
}
