import TerminalModel

@testable import TerminalProtocols

/// Packets of every kind with random values, all of which the wire can carry.
enum DC09RandomPacket {
    /// Changes bytes and never leaves one as it is; its own inverse, so that it stands for AES where only the frame counts.
    static let cipher = DC09Cipher(
        encrypt: { $0.map { $0 ^ 0xA5 } }, decrypt: { $0.map { $0 ^ 0xA5 } })

    static func make(_ random: inout SplitMix, isEncrypted: Bool) -> DC09Packet {
        let kind = random.below(isEncrypted ? 4 : 5)
        let account = digits(3 + random.below(14), &random)
        var header = DC09Header(
            [.contactID, .sia, .null, .other("ABC-9"), .line][kind], isEncrypted: isEncrypted,
            sequence: UInt16(random.below(10_000)),
            receiver: random.below(2) == 0 ? digits(1 + random.below(6), &random) : nil,
            linePrefix: random.below(5) == 0 ? nil : digits(1 + random.below(6), &random), account: account)
        guard kind < 4 else {
            header = DC09Header(.line, sequence: nil, linePrefix: nil, account: digits(4, &random))
            return DC09Packet(header, message: .contactID(contactID(&random)))
        }
        let message: DC09Message =
            switch kind {
            case 0: .contactID(contactID(&random))
            case 1: .sia(DC09SIAData("N" + text(random.below(40), &random)))
            case 2: .empty
            default: .other(Array(("~" + text(random.below(40), &random)).utf8))
            }
        let extended = (0..<random.below(4)).map { _ in
            DC09ExtendedData(bytes: Array(text(1 + random.below(20), &random).utf8))
        }
        let hasTime = isEncrypted || random.below(2) == 0
        let time = DC09Time(Timestamp(seconds: Int64(random.below(4_000_000_000))))
        return DC09Packet(
            header, dataAccount: kind != 2 && random.below(3) > 0 ? "#" + account : nil, message: message,
            extended: extended,
            time: hasTime ? time : nil)
    }

    private static func contactID(_ random: inout SplitMix) -> DC09ContactID {
        var event = DC09ContactID(
            [.new, .restored, .present][random.below(3)], event: UInt16(random.below(0x1000)),
            group: UInt8(random.below(0x100)), zone: UInt16(random.below(0x1000)))
        event.isCurrentForm = true
        return event
    }

    private static func digits(_ count: Int, _ random: inout SplitMix) -> String {
        String((0..<count).map { _ in Array("0123456789ABCDEF")[random.below(16)] })
    }

    private static func text(_ count: Int, _ random: inout SplitMix) -> String {
        String((0..<count).map { _ in Array("/^ ABYTRQnidrip0123456789:.,-xyz")[random.below(32)] })
    }
}
