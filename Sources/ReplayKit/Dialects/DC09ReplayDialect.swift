internal import TerminalModel
internal import TerminalProtocols

/// SIA DC-09 and Contact ID lines: an answer repeats account and sequence, that to a line is one byte, and a receiver that doubts
/// the time names nobody.
final class DC09ReplayDialect: ReplayDialect {
    /// What a line of 16 digits is called, and what the byte that confirms one answers.
    private static let line = MessageName.word(DC09Identifier.line.name)

    var name: ProtocolName { .dc09 }

    // MARK: Terminals

    func head(of bytes: [UInt8]) -> ReplayHead? {
        let framer = DC09Framer()
        var cursor = DC09Framer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor, isComplete: true) {
            case .needMore: return nil
            case .rejected: continue
            case .frame(let range):
                if let frame = try? DC09Frame(checking: bytes.span.extracting(range)) {
                    return Self.head(of: frame.header)
                }
            }
        }
    }

    private static func head(of header: DC09Header) -> ReplayHead {
        let message = MessageName.word(header.identifier.name)
        var head = ReplayHead(
            terminal: header.terminal, message: message, serial: header.sequence,
            isFromPlatform: header.identifier.isAnswer)
        if !head.isFromPlatform {
            head.awaited = AnswerKey(terminal: header.terminal, message: message, serial: header.sequence)
        }
        return head
    }

    /// A receiver refuses a frame stamped long ago, so a recorded one gets the time of now. When the event happened stays; cipher
    /// text, whose time only its key can change, goes as it was.
    func restamped(_ bytes: [UInt8], now: Timestamp) -> [UInt8] {
        var cursor = DC09Framer.Cursor()
        guard case .frame(let range) = DC09Framer().next(in: bytes.span, at: &cursor, isComplete: true),
            range == bytes.indices, let frame = try? DC09Frame(checking: bytes.span), !frame.header.isEncrypted,
            var packet = try? DC09Codec.decode(frame), packet.time != nil
        else { return bytes }
        packet.time = DC09Time(now)
        return DC09Codec.encode(packet)
    }

    // MARK: Platform

    func hear(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int {
        let framer = DC09Framer()
        var cursor = DC09Framer.Cursor()
        var start = 0
        while true {
            while start < bytes.count, bytes[start] == DC09.lineAcknowledgement {
                body(.answer(ReplayAnswer(key: AnswerKey(message: Self.line))))
                start += 1
                cursor = DC09Framer.Cursor()
            }
            let rest = bytes.extracting(start..<bytes.count)
            switch framer.next(in: rest, at: &cursor) {
            case .needMore(let droppable): return start + droppable
            case .rejected(let error, let range):
                body(.broken(error))
                start += range.upperBound
            case .frame(let range):
                do throws(DecodeError) {
                    body(Self.heard(try DC09Frame(checking: rest.extracting(range)).header))
                } catch {
                    body(.broken(error))
                }
                start += range.upperBound
            }
            cursor = DC09Framer.Cursor()
        }
    }

    private static func heard(_ header: DC09Header) -> Heard {
        guard header.identifier.isAnswer else { return .echo(head(of: header)) }
        let isTaken = header.identifier == .acknowledgement
        // A receiver that doubts the time answers with 0000, and for nobody.
        let key =
            header.account == nil
            ? AnswerKey() : AnswerKey(terminal: header.terminal, serial: header.sequence)
        return .answer(ReplayAnswer(key: key, result: isTaken ? 0 : 1, isTaken: isTaken))
    }
}
