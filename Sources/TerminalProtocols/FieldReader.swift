import TerminalModel
import WireBytes

/// Reads the fields of one body and turns a read beyond the end into a `DecodeError` that names the field.
struct FieldReader: ~Escapable {
    private var reader: ByteReader
    let protocolName: ProtocolName
    let message: MessageName
    /// Where the first byte of this body stands in the frame, for error offsets.
    let base: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, protocolName: ProtocolName, message: MessageName, base: Int) {
        reader = ByteReader(bytes)
        self.protocolName = protocolName
        self.message = message
        self.base = base
    }

    var remaining: Int { reader.remaining }
    var offset: Int { reader.offset }
    var isAtEnd: Bool { reader.remaining == 0 }

    func error(_ code: DecodeError.Code, _ field: String, expected: String, found: String) -> DecodeError {
        DecodeError(
            code, protocolName: protocolName, message: message, field: field, offset: base + reader.offset,
            expected: expected, found: found)
    }

    private func short(_ field: String, _ needed: Int) -> DecodeError {
        error(.badLength, field, expected: "\(needed) bytes", found: "\(remaining)")
    }

    @_lifetime(self: copy self)
    mutating func uint8(_ field: String) throws(DecodeError) -> UInt8 {
        guard let value = reader.uint8() else { throw short(field, 1) }
        return value
    }

    @_lifetime(self: copy self)
    mutating func uint16(_ field: String) throws(DecodeError) -> UInt16 {
        guard let value = reader.uint16BE() else { throw short(field, 2) }
        return value
    }

    @_lifetime(self: copy self)
    mutating func uint32(_ field: String) throws(DecodeError) -> UInt32 {
        guard let value = reader.uint32BE() else { throw short(field, 4) }
        return value
    }

    @_lifetime(self: copy self)
    mutating func uint48(_ field: String) throws(DecodeError) -> UInt64 {
        guard let value = reader.uint48BE() else { throw short(field, 6) }
        return value
    }

    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int, _ field: String) throws(DecodeError) -> [UInt8] {
        guard let range = reader.skip(count) else { throw short(field, count) }
        return reader.bytes.extracting(range).array
    }

    /// Everything that is left.
    @_lifetime(self: copy self)
    mutating func rest() -> [UInt8] {
        guard let range = reader.skip(reader.remaining) else { return [] }
        return reader.bytes.extracting(range).array
    }

    /// GBK text of `count` bytes, without the filler (00 or space) at its end.
    @_lifetime(self: copy self)
    mutating func text(_ count: Int, _ field: String) throws(DecodeError) -> String {
        guard let range = reader.skip(count) else { throw short(field, count) }
        return Self.trimmed(reader.bytes.extracting(range), spaces: true)
    }

    /// GBK text to the end of the body, without 00 at its end.
    @_lifetime(self: copy self)
    mutating func restText() -> String {
        guard let range = reader.skip(reader.remaining) else { return "" }
        return Self.trimmed(reader.bytes.extracting(range), spaces: false)
    }

    /// A reader over the next `count` bytes alone, so that a sub-parser cannot see its neighbour.
    @_lifetime(self: copy self)
    @_lifetime(copy self)
    mutating func part(_ count: Int, _ field: String) throws(DecodeError) -> FieldReader {
        let start = base + reader.offset
        guard let range = reader.skip(count) else { throw short(field, count) }
        return FieldReader(
            reader.bytes.extracting(range), protocolName: protocolName, message: message, base: start)
    }

    /// The bytes not yet read, without reading them.
    var unread: Span<UInt8> {
        @_lifetime(copy self) get { reader.bytes.extracting(reader.offset..<reader.bytes.count) }
    }

    private static func trimmed(_ bytes: Span<UInt8>, spaces: Bool) -> String {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0 || (spaces && bytes[end - 1] == 0x20) { end -= 1 }
        return GBK.text(bytes.extracting(0..<end))
    }
}
