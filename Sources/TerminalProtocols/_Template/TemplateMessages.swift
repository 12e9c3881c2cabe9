import TerminalModel
import WireBytes

/// Every message of section 0, and whatever else arrives as bytes.
public enum TemplateMessage: Sendable, Equatable {
    case login(TemplateLogin)
    case unknown(id: UInt8, [UInt8])
}

/// <id>: field 1 | field 2 ... Sample: `<corpus case>`. Source: section 0.
public struct TemplateLogin: Sendable, Equatable {
    /// What it is, its unit and its range.
    public var terminal: TerminalID

    init(parsing input: inout FieldReader) throws(DecodeError) {}
    func write(to output: inout ByteWriter) {}
    /// The members of `body` in the shape of the corpus.
    var fields: JSONObject { JSONObject() }
}
