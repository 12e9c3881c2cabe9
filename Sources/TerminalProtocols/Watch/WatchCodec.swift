import TerminalModel
import WireBytes

/// Frames to messages and messages to wire bytes, both directions of the protocol.
public enum WatchCodec {
    /// Reads the content of a checked frame.
    ///
    /// - Throws: `badValue` when it does not begin with a keyword.
    public static func decode(_ frame: borrowing WatchFrame) throws(DecodeError) -> WatchPacket {
        var input = try fields(of: frame.content, base: frame.headerByteCount)
        return WatchPacket(
            header: frame.header, contentLength: frame.content.count, message: WatchMessage(parsing: &input))
    }

    /// What a frame that was cut still says when it says that there is an alarm: an alarm is never lost.
    ///
    /// - Parameter bytes: from the `[` to where the frame was cut.
    /// - Returns: nil when no alarm is in it.
    public static func alarm(inCut bytes: Span<UInt8>) -> WatchPacket? {
        guard bytes.count > 0, bytes[0] == Watch.open,
            case .header(let header, let size) = WatchHeader.read(bytes, at: 0),
            bytes.count - size >= 3, WatchKeyword.family(bytes[size], bytes[size + 1]) == .alarm
        else { return nil }
        let content = bytes.extracting(size..<bytes.count)
        guard var input = try? fields(of: content, base: size), !input.isAtEnd else { return nil }
        // The last field may be cut; a status of fewer digits would say something that the watch did not.
        var last = input
        for _ in 1..<WatchFix.fieldCount { _ = last.next("") }
        let isStatusCut = last.fieldCount(upTo: 2) == 1 && last.next("").count < 8
        let message = isStatusCut ? .plain(WatchValues(parsing: &input)) : WatchMessage(parsing: &input)
        return WatchPacket(header: header, contentLength: content.count, message: message)
    }

    /// The content behind its keyword, ready to be read.
    ///
    /// - Throws: `badValue` when the keyword is empty, too long or not printable.
    @_lifetime(copy content)
    static func fields(
        of content: Span<UInt8>, base: Int, isTraced: Bool = false
    ) throws(DecodeError) -> WatchFieldReader {
        var length = 0
        while length < content.count, content[length] != Watch.comma {
            guard (0x21...0x7E).contains(content[length]), length < Watch.maximumKeywordBytes else {
                throw WatchFrame.refusal(
                    .badValue, "keyword", base + length,
                    "at most \(Watch.maximumKeywordBytes) printable characters before a comma",
                    "byte " + Hex.number(content[length], digits: 2))
            }
            length += 1
        }
        guard length > 0 else {
            throw WatchFrame.refusal(
                .badValue, "keyword", base, "a keyword", content.isEmpty ? "nothing" : "a comma")
        }
        return WatchFieldReader(
            content, keyword: WatchText.string(content.extracting(0..<length)), keywordLength: length,
            base: base, isTraced: isTraced)
    }

    /// One frame, ready to be sent, brackets included.
    ///
    /// - Parameter header: its length is set from the content. Maker, id and index of an answer are those of the question.
    public static func encode(_ message: WatchMessage, header: WatchHeader) -> [UInt8] {
        var content = WatchContentWriter(keyword: message.keyword)
        message.body.write(to: &content)
        return encode(content: content.bytes, header: header)
    }

    /// The same for content that is already bytes; more than 65,535 are cut off.
    public static func encode(content: [UInt8], header: WatchHeader) -> [UInt8] {
        let content = content.prefix(Watch.maximumContentBytes)
        var frame: [UInt8] = []
        frame.reserveCapacity(Watch.maximumHeaderBytes + content.count + 1)
        frame.append(Watch.open)
        frame.append(UInt8(header.maker >> 8))
        frame.append(UInt8(truncatingIfNeeded: header.maker))
        frame.append(Watch.separator)
        frame += header.id.text.utf8
        frame.append(Watch.separator)
        if let index = header.index { append(index, to: &frame) }
        append(UInt16(content.count), to: &frame)
        frame += content
        frame.append(Watch.close)
        return frame
    }

    /// Four upper-case hexadecimal digits and a separator.
    private static func append(_ number: UInt16, to frame: inout [UInt8]) {
        frame += Hex.number(number, digits: 4).dropFirst(2).uppercased().utf8
        frame.append(Watch.separator)
    }
}
