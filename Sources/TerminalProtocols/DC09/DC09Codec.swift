public import TerminalModel
import WireBytes

/// Frames to packets and packets to wire bytes, both directions of the protocol.
public enum DC09Codec {
    /// Reads the body of a checked frame.
    ///
    /// - Parameter cipher: the key of the account that the header names.
    /// - Throws: `unsupported` for cipher text without a key, `badIntegrity` when the key does not open it, `badValue` for data
    ///   without an end, or in a form that its name does not allow.
    public static func decode(
        _ frame: borrowing DC09Frame, cipher: DC09Cipher? = nil
    ) throws(DecodeError) -> DC09Packet {
        let header = frame.header
        if header.identifier == .line {
            guard let event = DC09ContactID(line: frame.body.array) else {
                throw DC09Frame.refusal(.badValue, "event", frame.bodyStart, "16 digits", "others")
            }
            return DC09Packet(header, message: .contactID(event))
        }
        guard header.isEncrypted else { return try packet(header, frame.body.array, base: frame.bodyStart) }
        let clear = try open(frame, cipher)
        let packet = try packet(header, Array(clear[padding(of: clear)...]), base: frame.bodyStart)
        // Cipher text always has a time (section 1.1): what a wrong key makes has none.
        guard packet.time != nil, packet.trailing.isEmpty else { throw wrongKey(frame) }
        return packet
    }

    /// One frame, ready to be sent, with LF and CR; a line of 16 digits with CR alone.
    ///
    /// - Parameters:
    ///   - cipher: the account's key; needed when the header says so, and then the packet has a time.
    ///   - padding: makes the given number of bytes, fresh ones for every frame.
    public static func encode(
        _ packet: DC09Packet, cipher: DC09Cipher? = nil, padding: (Int) -> [UInt8] = randomPadding
    ) -> [UInt8] {
        if packet.header.identifier == .line {
            guard case .contactID(let event) = packet.message else { return [] }
            return event.line(account: packet.header.account ?? "0000") + [DC09.carriageReturn]
        }
        var content = Array(headerText(packet.header).utf8)
        if packet.header.isEncrypted, let cipher {
            content += Hex.text(cipher.encrypt(sealed(text(of: packet), padding))).uppercased().utf8
        } else {
            content += text(of: packet)
        }
        return framed(content)
    }

    /// The envelope around what the length counts; more than its three digits can say is cut off.
    public static func framed(_ content: [UInt8]) -> [UInt8] {
        let content = Array(content.prefix(DC09.maximumContentBytes))
        let prefix = DC09Text.hex(UInt64(CRC16.arc(content.span)), 4) + DC09Text.hex(UInt64(content.count), 4)
        return [DC09.lineFeed] + prefix.utf8 + content + [DC09.carriageReturn]
    }

    // MARK: - Clear text

    /// From behind the first bracket to the end.
    private static func packet(
        _ header: DC09Header, _ text: [UInt8], base: Int
    ) throws(DecodeError) -> DC09Packet {
        guard let end = text.firstIndex(of: 0x5D) else {
            throw DC09Frame.refusal(.badValue, "data", base, "a bracket ] that ends the data", "none")
        }
        let (account, data) = split(Array(text[..<end]))
        var packet = DC09Packet(
            header, dataAccount: account.map(DC09Text.ascii), message: try message(header.identifier, data, base: base))
        var rest = text[(end + 1)...]
        while rest.first == 0x5B, let close = rest.firstIndex(of: 0x5D) {
            packet.extended.append(DC09ExtendedData(bytes: Array(rest[(rest.startIndex + 1)..<close])))
            rest = rest[(close + 1)...]
        }
        if rest.first == 0x5F, let time = DC09Time(rest.dropFirst().prefix(DC09Time.byteCount)) {
            packet.time = time
            rest = rest.dropFirst(1 + DC09Time.byteCount)
        }
        packet.trailing = Array(rest)
        return packet
    }

    /// The account before the first bar, where there is one. Texts stand behind bars too, so an account without `#` is digits alone.
    private static func split(_ data: [UInt8]) -> (account: ArraySlice<UInt8>?, data: [UInt8]) {
        guard let bar = data.firstIndex(of: 0x7C) else { return (nil, data) }
        let account = data[..<bar]
        let isAccount =
            account.first == 0x23 || !account.isEmpty && account.allSatisfy { DC09Text.digit($0) != nil }
        return isAccount ? (account, Array(data[(bar + 1)...])) : (nil, data)
    }

    private static func message(
        _ identifier: DC09Identifier, _ data: [UInt8], base: Int
    ) throws(DecodeError) -> DC09Message {
        guard !data.isEmpty else { return .empty }
        switch identifier {
        case .sia: return .sia(DC09SIAData(data))
        case .contactID:
            if let event = DC09ContactID(data: data) { return .contactID(event) }
            throw DC09Frame.refusal(
                .badValue, "data", base, "an event such as 1101 00 001", "\"\(DC09Text.ascii(data.prefix(24)))\"")
        default: return .other(data)
        }
    }

    private static func text(of packet: DC09Packet) -> [UInt8] {
        var text: [UInt8] = []
        if let account = packet.dataAccount { text += Array(account.utf8) + [0x7C] }
        switch packet.message {
        case .empty: break
        case .contactID(let event): text += event.data
        case .sia(let data): text += data.bytes
        case .other(let data): text += data
        }
        text.append(0x5D)
        for item in packet.extended { text += [0x5B] + item.bytes + [0x5D] }
        if let time = packet.time { text += [0x5F] + time.bytes }
        return text + packet.trailing
    }

    /// From the quotation mark to the bracket.
    private static func headerText(_ header: DC09Header) -> String {
        let number = String(min(header.sequence ?? 0, DC09.maximumSequence))
        var text = "\"\(header.isEncrypted ? "*" : "")\(header.identifier.name)\""
        text += String(repeating: "0", count: 4 - number.count) + number
        if let receiver = header.receiver { text += "R" + receiver }
        if let prefix = header.linePrefix { text += "L" + prefix }
        if let account = header.account { text += "#" + account }
        return text + "["
    }
}

// MARK: - Cipher text

extension DC09Codec {
    /// The clear text of a body with its padding.
    private static func open(_ frame: borrowing DC09Frame, _ cipher: DC09Cipher?) throws(DecodeError) -> [UInt8] {
        guard let bytes = Hex.bytes(DC09Text.shown(frame.body)), !bytes.isEmpty,
            bytes.count % DC09.blockByteCount == 0, frame.body.count == bytes.count * 2
        else {
            throw DC09Frame.refusal(
                .badLength, "cipher", frame.bodyStart, "hexadecimal digits of whole blocks of 16 bytes",
                "\(frame.body.count) characters")
        }
        guard let cipher else {
            throw DC09Frame.refusal(.unsupported, "cipher", frame.bodyStart, "the key of the account", "none")
        }
        let clear = cipher.decrypt(bytes)
        // The text behind the padding is printable and has the bracket that ends its data; a wrong key makes neither.
        guard clear.contains(0x5D), clear[padding(of: clear)...].allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw wrongKey(frame)
        }
        return clear
    }

    private static func wrongKey(_ frame: borrowing DC09Frame) -> DecodeError {
        DC09Frame.refusal(
            .badIntegrity, "cipher", frame.bodyStart, "readable text under the key of the account", "other bytes")
    }

    /// How many bytes stand before the data: up to the bar, or, where a panel leaves that out, up to the bracket that ends data that
    /// are empty.
    static func padding(of clear: [UInt8]) -> Int {
        let bracket = clear.firstIndex(of: 0x5D) ?? clear.count
        guard let bar = clear.firstIndex(of: 0x7C), bar < bracket else { return bracket }
        return bar + 1
    }

    /// One to 16 bytes of padding and a bar, so that whole blocks come out.
    private static func sealed(_ text: [UInt8], _ padding: (Int) -> [UInt8]) -> [UInt8] {
        let behind = [0x7C] + text
        return padding(DC09.blockByteCount - behind.count % DC09.blockByteCount) + behind
    }

    /// Bytes of the system's generator without those that end a padding.
    public static func randomPadding(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let byte = UInt8.random(in: 0...255)
            if byte != 0x7C, byte != 0x5B, byte != 0x5D { bytes.append(byte) }
        }
        return bytes
    }
}

// MARK: - Answers

extension DC09Packet {
    /// Says that the frame has been taken: sequence, receiver, prefix and account come back. Encrypted, when the frame was, with the
    /// time (sections 1.3 and 1.7).
    public static func acknowledging(_ header: DC09Header, now: Timestamp) -> DC09Packet {
        var answer = header
        answer.identifier = .acknowledgement
        return DC09Packet(answer, message: .empty, time: header.isEncrypted ? DC09Time(now) : nil)
    }

    /// Says that the frame's time is too far from ours, and ours. It names nobody and is never encrypted (section 1.7).
    public static func refusingTime(now: Timestamp) -> DC09Packet {
        // `L0A0` reads as one prefix.
        let header = DC09Header(.refusal, sequence: 0, receiver: "0", linePrefix: "0A0", account: nil)
        return DC09Packet(header, message: .empty, time: DC09Time(now))
    }

    /// Says that the frame is sound and nothing can be done with it; never encrypted (section 1.7).
    public static func unable(_ header: DC09Header) -> DC09Packet {
        var answer = header
        answer.identifier = .unable
        answer.isEncrypted = false
        return DC09Packet(answer, message: .empty)
    }

    /// True when the frame's time is one that a receiver accepts; true for a frame that states none (section 1.7).
    public func isTimely(now: Timestamp) -> Bool {
        guard let time else { return true }
        guard let sent = time.timestamp else { return false }
        let ahead = sent.milliseconds - now.milliseconds
        return ahead <= DC09.maximumAheadMilliseconds && ahead >= -DC09.maximumBehindMilliseconds
    }
}
