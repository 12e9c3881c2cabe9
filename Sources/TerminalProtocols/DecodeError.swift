public import TerminalModel

/// Why bytes are not a message.
///
/// `offset` counts unescaped bytes of the frame from its first byte (the start marker is 0); for a body that was put
/// together from several packages it counts from the first byte of the body.
public struct DecodeError: Error, Sendable, Equatable {
    /// The kind of refusal; the raw values are stable and appear on every interface.
    public enum Code: String, Sendable, CaseIterable {
        /// The bytes do not look like this protocol at all.
        case notThisProtocol = "not_this_protocol"
        /// A length is too short, too long or contradicts another.
        case badLength = "bad_length"
        /// A checksum is wrong or an escape pair does not exist.
        case badIntegrity = "bad_integrity"
        /// A field holds a value outside its range.
        case badValue = "bad_value"
        /// Well formed, but needs something that is not there, such as a key.
        case unsupported
    }

    public var code: Code
    public var protocolName: ProtocolName
    public var message: MessageName?
    public var field: String
    public var offset: Int
    public var expected: String
    public var found: String

    public init(
        _ code: Code, protocolName: ProtocolName, message: MessageName? = nil, field: String, offset: Int,
        expected: String, found: String
    ) {
        self.code = code
        self.protocolName = protocolName
        self.message = message
        self.field = field
        self.offset = offset
        self.expected = expected
        self.found = found
    }

    /// The object under `error` in the output line of DESIGN section 4.
    public var json: JSONValue {
        var object = JSONObject()
        object.set("code", code.rawValue)
        object.set("offset", offset)
        object.set("field", field)
        object.set("detail", "expected \(expected), found \(found)")
        object.set("message", message?.description)
        return object.value
    }

    /// The whole output line for a frame that could not be decoded; `hex` are its bytes as they came.
    public func line(hex: String) -> JSONValue {
        var object = JSONObject()
        object.set("protocol", protocolName.rawValue)
        object.set("error", json)
        object.set("hex", hex)
        return object.value
    }
}

extension DecodeError: CustomStringConvertible {
    public var description: String {
        let name = message.map { " \($0)" } ?? ""
        return "\(protocolName.rawValue)\(name): \(code.rawValue) at \(offset), \(field): expected \(expected), "
            + "found \(found)"
    }
}
