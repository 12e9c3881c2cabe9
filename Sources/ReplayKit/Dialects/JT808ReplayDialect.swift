internal import TerminalModel
internal import TerminalProtocols
internal import WireBytes

/// JT/T 808: answers name the terminal, the message and its serial number; that of an upload names the upload.
final class JT808ReplayDialect: ReplayDialect {
    private static let acknowledged: UInt16 = 0x8001
    /// Results of 0x8001 with which a message is taken: done, and alarm in hand.
    private static let takenResults: Set<UInt8> = [0, 4]

    private var framer = JT808Framer()
    /// The message that `hear` has read last, where it answers nothing.
    private(set) var command: JT808Packet?

    var name: ProtocolName { .jt808 }
    var registers: Bool { true }

    // MARK: Terminals

    func head(of bytes: [UInt8]) -> ReplayHead? {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return nil
            case .rejected: continue
            case .frame(let run):
                do throws(DecodeError) {
                    let frame = try JT808Frame(checking: framer.contents(of: run, in: bytes.span))
                    return Self.head(of: frame)
                } catch {
                    continue
                }
            }
        }
    }

    private static func head(of frame: borrowing JT808Frame) -> ReplayHead {
        let header = frame.header
        let id = header.messageID
        var head = ReplayHead(terminal: header.phone.terminal, message: header.message, serial: header.flowID)
        head.isFromPlatform = (0x8000..<0xE000).contains(id)
        head.step = id == 0x0100 ? .registration : id == 0x0102 ? .authentication : .other
        guard JT808Message.platformReply(to: id) != nil else { return head }
        head.awaited = AnswerKey(terminal: head.terminal, message: head.message, serial: header.flowID)
        // The first package of an upload begins with its number.
        if id == 0x0801, (header.package?.index ?? 1) == 1, frame.body.count >= 4 {
            head.awaited?.subject = Int(frame.body.uint32BE(at: 0))
        }
        return head
    }

    func registration(like frame: [UInt8], serial: UInt16) -> [UInt8]? {
        guard let phone = phone(of: frame) else { return nil }
        let body = JT808Registration(
            province: 0, city: 0, maker: "YDT", model: "replay", terminalID: String(phone.text.suffix(7)),
            edition: phone.isLong ? .v2019 : .v2013)
        return encode(.registration(body), phone, serial)
    }

    func authentication(like frame: [UInt8], code: String, serial: UInt16) -> [UInt8]? {
        phone(of: frame).map { encode(.authentication(JT808Authentication(authCode: code)), $0, serial) }
    }

    private func phone(of bytes: [UInt8]) -> JT808Phone? {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        guard case .frame(let run) = framer.next(in: bytes.span, at: &cursor) else { return nil }
        do throws(DecodeError) {
            let frame = try JT808Frame(checking: framer.contents(of: run, in: bytes.span))
            return frame.phone
        } catch {
            return nil
        }
    }

    private func encode(_ message: JT808Message, _ phone: JT808Phone, _ serial: UInt16) -> [UInt8] {
        var flowID = serial
        return JT808Codec.encode(message, phone: phone, flowID: &flowID).flatMap { $0 }
    }

    // MARK: Platform

    func hear(_ bytes: Span<UInt8>, _ body: (Heard) -> Void) -> Int {
        var cursor = JT808Framer.Cursor()
        var frameEnd = 0
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore(let droppable):
                // The flag that opened an unfinished frame is needed again, because the cursor is not kept.
                return droppable == bytes.count && droppable == frameEnd ? droppable : max(0, droppable - 1)
            case .rejected(let error, _): body(.broken(error))
            case .frame(let run):
                frameEnd = run.range.upperBound + 1
                do throws(DecodeError) {
                    let frame = try JT808Frame(checking: framer.contents(of: run, in: bytes))
                    body(try heard(frame))
                } catch {
                    body(.broken(error))
                }
            }
        }
    }

    private func heard(_ frame: borrowing JT808Frame) throws(DecodeError) -> Heard {
        let terminal = frame.phone.terminal
        if frame.messageID == Self.acknowledged, frame.body.count >= 5 {
            let result = frame.body[4]
            return .answer(
                ReplayAnswer(
                    key: AnswerKey(
                        terminal: terminal, message: .number(frame.body.uint16BE(at: 2)),
                        serial: frame.body.uint16BE(at: 0)),
                    result: Int(result), isTaken: Self.takenResults.contains(result)))
        }
        guard frame.messageID != 0x0200 else { return .echo(Self.head(of: frame)) }
        let packet = try JT808Codec.decode(frame)
        guard var answer = Self.answer(packet.message) else {
            command = packet
            return .message(Self.head(of: frame))
        }
        answer.key.terminal = terminal
        return .answer(answer)
    }

    private static func answer(_ message: JT808Message) -> ReplayAnswer? {
        switch message {
        case .registrationReply(let reply):
            ReplayAnswer(
                key: AnswerKey(message: .number(0x0100), serial: reply.flowID), result: Int(reply.result),
                isTaken: reply.result == 0, code: reply.authCode ?? "")
        case .mediaAcknowledgement(let reply) where reply.missing.isEmpty:
            ReplayAnswer(key: AnswerKey(message: .number(0x0801), subject: Int(reply.mediaID)), isShared: true)
        case .serverTime: ReplayAnswer(key: AnswerKey(message: .number(0x0004)))
        case .timeSyncReply: ReplayAnswer(key: AnswerKey(message: .number(0x0109)))
        default: nil
        }
    }
}
