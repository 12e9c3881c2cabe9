import TOMLKit

/// A TOML document as plain values, free of the parser's own memory.
enum ConfigurationValue: Equatable {
    case string(String)
    case integer(Int)
    case decimal(Double)
    case boolean(Bool)
    /// A date or a time; the configuration has no use for them.
    case moment
    case array([ConfigurationValue])
    case table([String: ConfigurationValue])

    /// Throws `TOMLParseError` with line and column when the text is not TOML.
    init(parsing text: String) throws {
        let document = try TOMLTable(string: text)
        self = Self.convert(document)
        withExtendedLifetime(document) {}
    }

    /// What a reader of an error message sees of the value.
    var shown: String {
        switch self {
        case .string(let value): "\"\(value)\""
        case .integer(let value): "the integer \(value)"
        case .decimal(let value): "the decimal number \(value)"
        case .boolean(let value): "\(value)"
        case .moment: "a date or time"
        case .array: "an array"
        case .table: "a table"
        }
    }

    private static func convert(_ value: any TOMLValueConvertible) -> ConfigurationValue {
        switch value.type {
        case .string: value.string.map(ConfigurationValue.string) ?? .moment
        case .int: value.int.map(ConfigurationValue.integer) ?? .moment
        case .double: value.double.map(ConfigurationValue.decimal) ?? .moment
        case .bool: value.bool.map(ConfigurationValue.boolean) ?? .moment
        case .date, .time, .dateTime: .moment
        case .array: .array(value.array.map { $0.map(convert) } ?? [])
        case .table: value.table.map(convert) ?? .moment
        }
    }

    private static func convert(_ table: TOMLTable) -> ConfigurationValue {
        var members: [String: ConfigurationValue] = [:]
        for key in table.keys {
            if let value = table[key] { members[key] = convert(value) }
        }
        return .table(members)
    }
}
