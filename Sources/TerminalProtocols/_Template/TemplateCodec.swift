public import TerminalModel
import WireBytes

/// Frames to messages and messages to wire bytes, both directions of the protocol.
public enum TemplateCodec {
    /// - Throws: `badLength` when the body is too short for its message.
    public static func decode(_ frame: borrowing TemplateFrame) throws(DecodeError) -> TemplatePacket {
        let (message, trailing) = try message(frame)
        return TemplatePacket(terminal: frame.terminal, message: message, trailing: trailing)
    }

    static func message(
        _ frame: borrowing TemplateFrame, trace: FieldTrace? = nil
    ) throws(DecodeError) -> (TemplateMessage, [UInt8]) {
        var input = FieldReader(
            frame.body, protocolName: .template, message: .number(UInt16(frame.message)),
            base: TemplateFrame.Field.body, trace: trace)
        let message: TemplateMessage
        switch frame.message {
        case 0x01: message = .report(try TemplateReport(parsing: &input))
        case 0x02: message = .done(counter: try input.uint8("counter"))
        case 0x81: message = .acknowledgement(of: try input.uint8("message"))
        case 0x82: message = .locate(counter: try input.uint8("counter"))
        default: message = .unknown(frame.message, input.rest())
        }
        return (message, input.rest("trailing"))
    }

    /// One frame, ready to be sent; bytes of an unknown message that do not fit are cut off.
    public static func encode(_ message: TemplateMessage, terminal: TerminalID) -> [UInt8] {
        var body = ByteWriter()
        switch message {
        case .report(let report): report.write(to: &body)
        case .done(let counter), .locate(let counter): body.uint8(counter)
        case .acknowledgement(let number): body.uint8(number)
        case .unknown(_, let bytes): body.append(bytes.prefix(Template.maximumLength - Template.minimumLength))
        }
        var output = ByteWriter()
        output.uint8(Template.startMarker)
        output.uint8(UInt8(Template.minimumLength + body.bytes.count))
        output.uint8(message.number)
        output.uint32BE(UInt32(truncatingIfNeeded: terminal.nibbles))
        output.append(body.bytes)
        output.uint16BE(CRC16.x25(output.bytes.span.extracting(droppingFirst: 1)))
        return output.bytes
    }
}
