import TerminalModel
import WireBytes

/// Frames to messages and messages to wire bytes, both directions of the protocol.
public enum EV07BCodec {
    /// Reads the blocks of a checked frame.
    ///
    /// - Throws: `unsupported` for the revised edition, whose alarms are laid out otherwise (section 12).
    public static func decode(_ frame: borrowing EV07BFrame) throws(DecodeError) -> EV07BPacket {
        guard frame.isReadable else { throw frame.unreadableError }
        var walk = frame.blocks
        var blocks: [EV07BBlock] = []
        while let block = walk.next() {
            blocks.append(EV07BBlock(key: block.key, bytes: walk.bytes.extracting(block.value).array))
        }
        return EV07BPacket(
            header: frame.header, message: EV07BMessage(frame.command, blocks),
            trailing: walk.bytes.extracting(walk.offset..<walk.bytes.count).array)
    }

    /// One frame, ready to be sent.
    ///
    /// A value above 254 bytes is cut, except in the only block of a firmware frame, which is sent with length 0; blocks that
    /// do not fit the body any more are left out. No message that the gateway builds comes near either limit.
    public static func encode(_ message: EV07BMessage, header: EV07BHeader) -> [UInt8] {
        var body = ByteWriter()
        body.uint8(message.command.rawValue)
        for block in message.blocks {
            if message.command == .firmware, message.blocks.count == 1, block.value.count > EV07BBlock.maximumValueBytes
            {
                body.uint8(0)
                body.uint8(block.key)
                body.append(block.value.prefix(EV07B.maximumBodyBytes - 3))
                break
            }
            let value = block.value.prefix(EV07BBlock.maximumValueBytes)
            guard body.bytes.count + 2 + value.count <= EV07B.maximumBodyBytes else { break }
            body.uint8(UInt8(value.count + 1))
            body.uint8(block.key)
            body.append(value)
        }
        return frame(body: body.bytes, header: header)
    }

    /// The same for a body that is already bytes, command included.
    ///
    /// - Parameter body: 1...4096 bytes; the rest of a longer one is cut off.
    public static func frame(body: [UInt8], header: EV07BHeader) -> [UInt8] {
        let body = Array(body.prefix(EV07B.maximumBodyBytes))
        var output = ByteWriter(reservingCapacity: EV07B.headerByteCount + body.count)
        output.uint8(EV07B.marker)
        output.uint8(header.properties)
        output.uint16LE(UInt16(body.count))
        output.uint16LE(CRC16.xmodem(body.span))
        output.uint16LE(header.sequence)
        output.append(body)
        return output.bytes
    }
}
