import TerminalModel
import WireBytes

/// Frames to messages and messages to wire bytes, both directions of the protocol.
public enum JT808Codec {
    /// Reads the body of a checked frame.
    ///
    /// One package of several gives `.part`; `JT808Reassembly` puts the message together.
    ///
    /// - Parameter profile: what is known of the terminal; the edition only matters for the 12-byte header.
    /// - Throws: `unsupported` when the body is encrypted, `badLength` when it is too short for its message.
    public static func decode(
        _ frame: borrowing JT808Frame, profile: JT808Profile = .standard
    ) throws(DecodeError) -> JT808Packet {
        let header = frame.header
        guard header.encryption == 0 else {
            throw DecodeError(
                .unsupported, protocolName: .jt808, message: header.message, field: "encryption", offset: 3,
                expected: "a body that is not encrypted", found: "method \(header.encryption)")
        }
        var packet = JT808Packet(
            header: header, checkCode: frame.checkCode, lengthMismatch: frame.lengthMismatch,
            message: .unknown(id: header.messageID, JT808Bytes()))
        if header.isPart {
            packet.message = .part(id: header.messageID, JT808Part(frame.body.array))
        } else {
            (packet.message, packet.trailing) = try message(
                header.messageID, body: frame.body, base: 1 + frame.headerByteCount, edition: header.edition(profile))
        }
        return packet
    }

    /// Reads a body that was put together from its packages.
    ///
    /// - Throws: `badLength` when it is too short for its message; offsets count from the first byte of `body`.
    public static func decode(
        assembled body: [UInt8], header: JT808Header, profile: JT808Profile = .standard
    ) throws(DecodeError) -> JT808Assembled {
        let (message, trailing) = try message(
            header.messageID, body: body.span, base: 0, edition: header.edition(profile))
        let behind = (header.package?.index ?? 1) &- 1
        return JT808Assembled(firstFlowID: header.flowID &- behind, message: message, trailing: trailing)
    }

    /// - Parameter base: where the body begins, for error offsets.
    static func message(
        _ id: UInt16, body: Span<UInt8>, base: Int, edition: JT808Edition?, trace: FieldTrace? = nil
    ) throws(DecodeError) -> (JT808Message, [UInt8]) {
        var input = FieldReader(body, protocolName: .jt808, message: .number(id), base: base, trace: trace)
        let message = try JT808Message(id: id, parsing: &input, edition: edition)
        return (message, input.rest("trailing"))
    }

    /// Frames of one message, ready to be sent, flags included and escaped; a body above 1,023 bytes is cut into packages
    /// with consecutive flow ids.
    ///
    /// - Parameters:
    ///   - phone: the phone as the terminal sent it; its length decides the form of the header.
    ///   - protocolVersion: the version byte of the terminal's header, only sent with a 10-byte phone.
    ///   - edition: layout of the body; nil takes 2019 for a 10-byte phone and 2013 for a 6-byte one.
    ///   - flowID: the sender's counter; it is advanced by one for each frame.
    public static func encode(
        _ message: JT808Message, phone: JT808Phone, protocolVersion: UInt8 = 1, edition: JT808Edition? = nil,
        flowID: inout UInt16
    ) -> [[UInt8]] {
        var body = ByteWriter()
        message.body.write(to: &body, edition: phone.isLong ? .v2019 : edition ?? .v2013)
        return encode(
            body: body.bytes, messageID: message.id, phone: phone, protocolVersion: protocolVersion, flowID: &flowID)
    }

    /// The same for a body that is already bytes.
    public static func encode(
        body: [UInt8], messageID: UInt16, phone: JT808Phone, protocolVersion: UInt8 = 1, flowID: inout UInt16,
        maximumBodyBytes: Int = JT808.maximumBodyBytes
    ) -> [[UInt8]] {
        let limit = max(1, min(maximumBodyBytes, JT808.maximumBodyBytes))
        var header = JT808Header(
            messageID: messageID, attributes: phone.isLong ? 0x4000 : 0, protocolVersion: protocolVersion,
            phone: phone, flowID: flowID)
        guard body.count > limit else {
            flowID &+= 1
            return [frame(header, body[...])]
        }
        // The package count has 16 bits; no body that the gateway builds comes near it.
        let total = UInt16(clamping: (body.count + limit - 1) / limit)
        return (0..<Int(total)).map { part in
            header.flowID = flowID
            flowID &+= 1
            header.package = .init(total: total, index: UInt16(part + 1))
            return frame(header, body[part * limit..<min(body.count, (part + 1) * limit)])
        }
    }

    /// One frame with the given header; the length and package bits of its attributes are set from what is there.
    ///
    /// - Parameter body: at most 1,023 bytes; the rest of a longer one is cut off.
    public static func frame(_ header: JT808Header, _ body: ArraySlice<UInt8>) -> [UInt8] {
        let body = body.prefix(JT808.maximumBodyBytes)
        var plain = ByteWriter(reservingCapacity: body.count + 22)
        var attributes = header.attributes & 0x9C00 | UInt16(body.count)
        if header.phone.isLong { attributes |= 0x4000 }
        if header.package != nil { attributes |= 0x2000 }
        plain.uint16BE(header.messageID)
        plain.uint16BE(attributes)
        if header.phone.isLong { plain.uint8(header.protocolVersion) }
        header.phone.write(to: &plain)
        plain.uint16BE(header.flowID)
        if let package = header.package {
            plain.uint16BE(package.total)
            plain.uint16BE(package.index)
        }
        plain.append(body)
        plain.uint8(ByteScan.xor(plain.bytes.span))
        return escaped(plain.bytes.span)
    }

    /// The bytes between two flags, with flags and escapes put in.
    private static func escaped(_ plain: Span<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(plain.count + 8)
        output.append(JT808.flag)
        for index in 0..<plain.count {
            switch plain[index] {
            case JT808.flag:
                output.append(JT808.escape)
                output.append(2)
            case JT808.escape:
                output.append(JT808.escape)
                output.append(1)
            case let byte: output.append(byte)
            }
        }
        output.append(JT808.flag)
        return output
    }
}
