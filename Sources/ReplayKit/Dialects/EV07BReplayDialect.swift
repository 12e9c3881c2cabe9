internal import TerminalModel
internal import TerminalProtocols

/// EV07B: an answer repeats the sequence number of what it answers.
final class EV07BReplayDialect: ReplayDialect {
    private var terminal: TerminalID?
    /// The header of the command that `hear` has read last.
    private(set) var command: EV07BHeader?

    var name: ProtocolName { .ev07b }

    // MARK: Terminals

    func head(of bytes: [UInt8]) -> ReplayHead? {
        let framer = EV07BFramer()
        var cursor = EV07BFramer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return nil
            case .rejected: continue
            case .frame(let range):
                if let frame = try? EV07BFrame(checking: bytes.span.extracting(range)) { return head(of: frame) }
            }
        }
    }

    private func head(of frame: borrowing EV07BFrame) -> ReplayHead {
        terminal = frame.terminal ?? terminal
        var head = ReplayHead(terminal: terminal, message: frame.command.message, serial: frame.sequence)
        if EV07BReply(to: frame) != .nothing { head.awaited = AnswerKey(serial: frame.sequence) }
        return head
    }

    // MARK: Platform

    func hear(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int {
        let framer = EV07BFramer()
        var cursor = EV07BFramer.Cursor()
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable): return droppable
            case .rejected(let error, _): body(.broken(error))
            case .frame(let range):
                do throws(DecodeError) {
                    body(heard(try EV07BFrame(checking: bytes.extracting(range))))
                } catch {
                    body(.broken(error))
                }
            }
        }
    }

    private func heard(_ frame: borrowing EV07BFrame) -> Heard {
        let head = ReplayHead(terminal: frame.terminal, message: frame.command.message, serial: frame.sequence)
        if frame.command == .data, frame.terminal != nil { return .echo(head) }
        guard !frame.header.isAcknowledgementWanted else {
            command = frame.header
            return .message(head)
        }
        let result = frame.result
        return .answer(
            ReplayAnswer(
                key: AnswerKey(serial: frame.sequence), result: Int(result.rawValue), isTaken: result == .ok))
    }
}
