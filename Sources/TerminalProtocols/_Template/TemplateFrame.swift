public import TerminalModel
import WireBytes

/// One frame whose marker, length and checksum have been checked.
///
///     54 | length 1 | message 1 | terminal 4 BCD | body n | CRC-16/X-25 2 BE
///
/// The length counts message through body; the CRC is that of length through body. Source: section 1.
public struct TemplateFrame: ~Escapable {
    enum Field {
        static let length = 1
        static let message = 2
        static let terminal = 3
        static let body = 7
    }

    public let bytes: Span<UInt8>

    /// The only door: envelope before content (marker, length, integrity); after it no accessor fails.
    ///
    /// - Throws: `notThisProtocol` without the marker, `badLength` when length and bytes contradict each other,
    ///   `badIntegrity` for a wrong CRC.
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        guard !bytes.isEmpty, bytes[0] == Template.startMarker else {
            throw Self.error(.notThisProtocol, "start", 0, expected: "the marker 54", found: "another byte")
        }
        guard bytes.count >= Template.minimumLength + Template.envelopeByteCount,
            Int(bytes[Field.length]) == bytes.count - Template.envelopeByteCount
        else {
            throw Self.error(
                .badLength, "length", Field.length, expected: "a length that counts the bytes",
                found: "\(bytes.count) bytes")
        }
        let end = bytes.count - 2
        let checksum = CRC16.x25(bytes.extracting(Field.length..<end))
        guard checksum == bytes.uint16BE(at: end) else {
            throw Self.error(
                .badIntegrity, "checksum", end, expected: Hex.number(checksum, digits: 4),
                found: Hex.number(bytes.uint16BE(at: end), digits: 4))
        }
        self.bytes = bytes
    }

    public var message: UInt8 { bytes[Field.message] }

    public var terminal: TerminalID { TerminalID(nibbles: UInt128(bytes.uint32BE(at: Field.terminal))) }

    public var body: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(Field.body..<bytes.count - 2) }
    }

    private static func error(
        _ code: DecodeError.Code, _ field: String, _ offset: Int, expected: String, found: String
    ) -> DecodeError {
        DecodeError(
            code, protocolName: .template, field: field, offset: offset, expected: expected, found: found)
    }
}
