import TerminalModel
import WireBytes

/// Frames to messages and messages to wire bytes, both directions of the protocol.
public enum GT06Codec {
    /// Reads the content of a checked frame.
    ///
    /// - Throws: `badLength` when the content is too short for its message.
    public static func decode(_ frame: borrowing GT06Frame) throws(DecodeError) -> GT06Packet {
        let (message, trailing) = try message(frame)
        return GT06Packet(
            number: frame.number, form: frame.form, serial: frame.serial, lengthMismatch: frame.lengthMismatch,
            message: message, trailing: trailing)
    }

    static func message(
        _ frame: borrowing GT06Frame, trace: FieldTrace? = nil
    ) throws(DecodeError) -> (GT06Message, [UInt8]) {
        let number = frame.number
        var input = FieldReader(
            frame.content, protocolName: .gt06, message: .number(UInt16(number)), base: frame.contentOffset,
            trace: trace)
        let message: GT06Message =
            frame.form == .lookAlike
            ? .lookAlike(try GT06LookAlike(parsing: &input, number: number, length: frame.declaredLength))
            : try GT06Message(number: number, parsing: &input)
        return (message, input.rest("trailing"))
    }

    /// One frame, ready to be sent.
    ///
    /// - Parameters:
    ///   - serial: the sender's counter; in an acknowledgement the counter of what is acknowledged. The look-alike family
    ///     sends none.
    ///   - form: nil takes the one that messages of this kind have.
    public static func encode(_ message: GT06Message, serial: UInt16, form: GT06Form? = nil) -> [UInt8] {
        var content = ByteWriter()
        if case .lookAlike(let body) = message {
            body.write(to: &content)
            return lookAlike(body.number, length: body.lengthByte(contentBytes: content.bytes.count), content.bytes)
        }
        message.body.write(to: &content, number: message.number)
        return frame(message.number, content.bytes, serial: serial, form: form ?? message.form)
    }

    /// What answers the message `number` of that serial. Source: section 8.
    public static func acknowledgement(_ number: UInt8, serial: UInt16) -> [UInt8] {
        frame(number, [], serial: serial, form: .short)
    }

    /// One regular frame around content that is already bytes; content that the short form cannot hold takes the long one,
    /// and what that cannot hold is cut off.
    public static func frame(
        _ number: UInt8, _ content: [UInt8], serial: UInt16, form: GT06Form = .short
    ) -> [UInt8] {
        let content = content.prefix(GT06.maximumLongContentBytes)
        let isLong = form == .long || content.count > GT06.maximumShortContentBytes
        var output = ByteWriter(reservingCapacity: content.count + 11)
        output.uint16BE(isLong ? 0x7979 : 0x7878)
        let length = content.count + GT06.minimumLength
        if isLong { output.uint16BE(UInt16(length)) } else { output.uint8(UInt8(length)) }
        output.uint8(number)
        output.append(content)
        output.uint16BE(serial)
        output.uint16BE(CRC16.x25(output.bytes.span.extracting(droppingFirst: 2)))
        output.uint16BE(GT06Frame.stop)
        return output.bytes
    }

    private static func lookAlike(_ number: UInt8, length: UInt8, _ content: [UInt8]) -> [UInt8] {
        [GT06.shortMarker, GT06.shortMarker, length, number] + content + [0x0D, 0x0A]
    }
}
