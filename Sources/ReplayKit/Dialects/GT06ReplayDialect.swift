internal import TerminalModel
internal import TerminalProtocols

/// GT06: an answer has the number and the serial of what it answers; in the look-alike family the type, and of a report its
/// time.
final class GT06ReplayDialect: ReplayDialect {
    private var mode = GT06Framer.Mode.regular
    private var terminal: TerminalID?
    /// The command that `hear` has read last.
    private(set) var command: GT06Command?

    var name: ProtocolName { .gt06 }

    // MARK: Terminals

    func head(of bytes: [UInt8]) -> ReplayHead? {
        let framer = GT06Framer()
        var cursor = GT06Framer.Cursor(mode: mode == .lookAlike ? .lookAlike : .undecided)
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return nil
            case .rejected: continue
            case .frame(let run):
                let frame = framer.frame(run, in: bytes.span)
                if let packet = try? GT06Codec.decode(frame) {
                    mode = run.form == .lookAlike ? .lookAlike : .regular
                    return head(of: packet)
                }
            }
        }
    }

    private func head(of packet: GT06Packet) -> ReplayHead {
        switch packet.message {
        case .login(let login): terminal = login.terminal
        case .lookAlike(.login(let imei, _)): terminal = TerminalID(nibbles: UInt128(imei))
        default: break
        }
        var head = ReplayHead(terminal: terminal, message: .number(UInt16(packet.number)), serial: packet.serial)
        switch packet.message {
        case .command, .time, .acknowledgement, .lookAlike(.time), .lookAlike(.loginReply), .lookAlike(.echo):
            head.isFromPlatform = true
        case .lookAlike(.login), .lookAlike(.timeRequest): head.awaited = AnswerKey(message: head.message)
        default: head.awaited = Self.key(packet.platformAnswer)
        }
        return head
    }

    private static func key(_ answer: GT06Answer) -> AnswerKey? {
        switch answer {
        case .none: nil
        case .acknowledge(let number, let serial): AnswerKey(message: .number(UInt16(number)), serial: serial)
        case .lookAlike(.echo(let number, let bytes)):
            AnswerKey(message: .number(UInt16(number)), subject: bytes.hashValue)
        case .lookAlike(let message): AnswerKey(message: .number(UInt16(message.number)))
        }
    }

    // MARK: Platform

    func hear(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int {
        guard mode != .lookAlike else { return hearLookAlike(bytes, body) }
        let framer = GT06Framer()
        var cursor = GT06Framer.Cursor(mode: mode)
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable): return droppable
            case .rejected(let error, _): body(.broken(error))
            case .frame(let run):
                let frame = framer.frame(run, in: bytes)
                do throws(DecodeError) {
                    body(try heard(frame))
                } catch {
                    body(.broken(error))
                }
            }
        }
    }

    private func heard(_ frame: borrowing GT06Frame) throws(DecodeError) -> Heard {
        let message = MessageName.number(UInt16(frame.number))
        guard frame.number == 0x80, case .command(let order) = try GT06Codec.decode(frame).message else {
            return .answer(ReplayAnswer(key: AnswerKey(message: message, serial: frame.serial)))
        }
        command = order
        return .message(ReplayHead(terminal: terminal, message: message, serial: frame.serial))
    }

    // MARK: The look-alike family

    /// What the platform says there is all answers, which the framer of the terminals' frames does not know.
    ///
    ///     78 78 | length 1 | type 1 | content | 0D 0A
    ///
    /// Source: section 7.14.
    private func hearLookAlike(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int {
        var start = 0
        while let end = Self.answerEnd(bytes, from: start) {
            var content: [UInt8] = []
            for index in start + 4..<end - 2 { content.append(bytes[index]) }
            body(.answer(Self.answer(bytes[start + 3], content)))
            start = end
        }
        return start
    }

    private static func answer(_ type: UInt8, _ content: [UInt8]) -> ReplayAnswer {
        var answer = ReplayAnswer(key: AnswerKey(message: .number(UInt16(type))))
        switch type {
        case 0x01:
            answer.result = Int(content.first ?? 0)
            answer.isTaken = content.first == 0x01
        case 0x30: break
        default: answer.key.subject = content.hashValue
        }
        return answer
    }

    /// Where the answer that begins at `start` ends; nil when it is not complete. A time may hold 0D 0A, so that the end is
    /// not the first one.
    private static func answerEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        guard bytes.count - start >= 6 else { return nil }
        let shortest =
            switch bytes[start + 3] {
            case 0x01: 7
            case 0x30: 13
            case 0x13: 6
            default: 12
            }
        var end = start + shortest
        while end <= bytes.count {
            if bytes[end - 2] == 0x0D, bytes[end - 1] == 0x0A { return end }
            end += 1
        }
        return nil
    }
}
