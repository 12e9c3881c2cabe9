internal import TerminalModel
internal import TerminalProtocols

/// Watches: an answer has the keyword that the protocol foresees for it, the id, and the index where the watch wrote one.
final class WatchReplayDialect: ReplayDialect {
    /// The message that `hear` has read last, where it answers nothing.
    private(set) var command: WatchPacket?

    var name: ProtocolName { .watch }

    // MARK: Terminals

    func head(of bytes: [UInt8]) -> ReplayHead? {
        let framer = WatchFramer()
        var cursor = WatchFramer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return nil
            case .rejected: continue
            case .frame(let range):
                if let frame = try? WatchFrame(checking: bytes.span.extracting(range)),
                    let packet = try? WatchCodec.decode(frame)
                {
                    return Self.head(of: packet)
                }
            }
        }
    }

    private static func head(of packet: WatchPacket) -> ReplayHead {
        let header = packet.header
        var head = ReplayHead(
            terminal: header.id.terminal, message: .word(packet.message.keyword), serial: header.index)
        // The wire does not tell the direction, but no watch sets the platform's clock.
        if case .linkKeep(let body) = packet.message, case .clock = body.content { head.isFromPlatform = true }
        let reply = packet.message.platformReply(header: header, profile: .standard, now: Timestamp(milliseconds: 0))
        if let reply {
            head.awaited = AnswerKey(
                terminal: head.terminal, message: .word(reply.keyword.uppercased()), serial: header.index)
        }
        return head
    }

    // MARK: Platform

    func hear(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int {
        let framer = WatchFramer()
        var cursor = WatchFramer.Cursor()
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable): return droppable
            case .rejected(let error, _): body(.broken(error))
            case .frame(let range):
                do throws(DecodeError) {
                    body(heard(try WatchCodec.decode(try WatchFrame(checking: bytes.extracting(range)))))
                } catch {
                    body(.broken(error))
                }
            }
        }
    }

    private func heard(_ packet: WatchPacket) -> Heard {
        let header = packet.header
        let keyword = packet.message.keyword.uppercased()
        let head = ReplayHead(
            terminal: header.id.terminal, message: .word(packet.message.keyword), serial: header.index)
        switch packet.message {
        case .report(let body): return body.isAlarm ? .echo(head) : .message(head)
        case .voice: break
        default:
            guard Self.answers.contains(keyword) else { break }
            return .answer(
                ReplayAnswer(
                    key: AnswerKey(terminal: header.id.terminal, message: .word(keyword), serial: header.index)))
        }
        command = packet
        return .message(head)
    }

    /// Keywords that `platformReply` makes; whatever else comes is a command.
    private static let answers: Set<String> = [
        "LK", "AL", "TK", "TK2", "TKQ", "TKQ2", "JXTKR", "CONFIG", "BPHRT", "BTEMP2", "OXYGEN", "INIT", "TIME",
    ]
}
