import TerminalModel
import WireBytes

/// Which bytes were read as which field; only explaining a frame keeps one.
final class FieldTrace {
    struct Entry {
        let offset: Int
        let count: Int
        let field: String
        let isText: Bool
    }

    private(set) var entries: [Entry] = []

    func add(_ offset: Int, _ count: Int, _ field: String, isText: Bool) {
        if count > 0 { entries.append(Entry(offset: offset, count: count, field: field, isText: isText)) }
    }
}

/// Reads the fields of one body and turns a read beyond the end into a `DecodeError` that names the field.
struct FieldReader: ~Escapable {
    private var reader: ByteReader
    let protocolName: ProtocolName
    let message: MessageName
    /// Where the first byte of this body stands in the frame, for error offsets.
    let base: Int
    private let trace: FieldTrace?

    @_lifetime(copy bytes)
    init(
        _ bytes: Span<UInt8>, protocolName: ProtocolName, message: MessageName, base: Int, trace: FieldTrace? = nil
    ) {
        self.trace = trace
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

    /// Records the `count` bytes that have just been read.
    private func note(_ count: Int, _ field: String, isText: Bool = false) {
        trace?.add(base + reader.offset - count, count, field, isText: isText)
    }

    private func short(_ field: String, _ needed: Int) -> DecodeError {
        error(.badLength, field, expected: "\(needed) bytes", found: "\(remaining)")
    }

    @_lifetime(self: copy self)
    mutating func uint8(_ field: String) throws(DecodeError) -> UInt8 {
        guard let value = reader.uint8() else { throw short(field, 1) }
        note(1, field)
        return value
    }

    @_lifetime(self: copy self)
    mutating func uint16(_ field: String) throws(DecodeError) -> UInt16 {
        guard let value = reader.uint16BE() else { throw short(field, 2) }
        note(2, field)
        return value
    }

    @_lifetime(self: copy self)
    mutating func uint32(_ field: String) throws(DecodeError) -> UInt32 {
        guard let value = reader.uint32BE() else { throw short(field, 4) }
        note(4, field)
        return value
    }

    @_lifetime(self: copy self)
    mutating func uint24(_ field: String) throws(DecodeError) -> UInt32 {
        guard let range = reader.skip(3) else { throw short(field, 3) }
        note(3, field)
        let bytes = reader.bytes
        return UInt32(bytes[range.lowerBound]) << 16 | UInt32(bytes.uint16BE(at: range.lowerBound + 1))
    }

    @_lifetime(self: copy self)
    mutating func uint64(_ field: String) throws(DecodeError) -> UInt64 {
        guard let range = reader.skip(8) else { throw short(field, 8) }
        note(8, field)
        return UInt64(reader.bytes.uint32BE(at: range.lowerBound)) << 32
            | UInt64(reader.bytes.uint32BE(at: range.lowerBound + 4))
    }

    @_lifetime(self: copy self)
    mutating func uint48(_ field: String) throws(DecodeError) -> UInt64 {
        guard let value = reader.uint48BE() else { throw short(field, 6) }
        note(6, field)
        return value
    }

    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int, _ field: String) throws(DecodeError) -> [UInt8] {
        guard let range = reader.skip(count) else { throw short(field, count) }
        note(count, field)
        return reader.bytes.extracting(range).array
    }

    /// Everything that is left.
    @_lifetime(self: copy self)
    mutating func rest(_ field: String = "data") -> [UInt8] {
        guard let range = reader.skip(reader.remaining) else { return [] }
        note(range.count, field)
        return reader.bytes.extracting(range).array
    }

    /// GBK text of `count` bytes, without the filler (00 or space) at its end.
    @_lifetime(self: copy self)
    mutating func text(_ count: Int, _ field: String) throws(DecodeError) -> String {
        guard let range = reader.skip(count) else { throw short(field, count) }
        note(count, field, isText: true)
        return Self.trimmed(reader.bytes.extracting(range), spaces: true)
    }

    /// GBK text to the end of the body, without 00 at its end.
    @_lifetime(self: copy self)
    mutating func restText(_ field: String = "text") -> String {
        guard let range = reader.skip(reader.remaining) else { return "" }
        note(range.count, field, isText: true)
        return Self.trimmed(reader.bytes.extracting(range), spaces: false)
    }

    /// A reader over the next `count` bytes alone, so that a sub-parser cannot see its neighbour.
    @_lifetime(self: copy self)
    @_lifetime(copy self)
    mutating func part(_ count: Int, _ field: String) throws(DecodeError) -> FieldReader {
        let start = base + reader.offset
        guard let range = reader.skip(count) else { throw short(field, count) }
        return FieldReader(
            reader.bytes.extracting(range), protocolName: protocolName, message: message, base: start,
            trace: trace)
    }

    /// Steps over bytes that the caller has read through `unread`.
    @_lifetime(self: copy self)
    mutating func skip(_ count: Int, _ field: String) throws(DecodeError) {
        guard reader.skip(count) != nil else { throw short(field, count) }
        note(count, field)
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
