internal import TerminalModel
internal import TerminalProtocols

/// SIA DC-09 and Contact ID lines: codes and zones stay, accounts, places and times are replaced; texts, users and extended data of
/// other kinds are dropped, and so is cipher text.
final class DC09Anonymiser: FrameAnonymiser {
    /// Modifiers of SIA codes that say where in a home something happened, and not who or when.
    private static let harmlessModifiers: Set<String> = ["ri", "pi"]
    private static let digitsOfWord = 15

    private let pseudonyms: Pseudonyms

    init(_ pseudonyms: Pseudonyms) {
        self.pseudonyms = pseudonyms
    }

    func anonymise(_ bytes: [UInt8]) -> AnonymousFrame {
        var cursor = DC09Framer.Cursor()
        while true {
            switch DC09Framer().next(in: bytes.span, at: &cursor, isComplete: true) {
            case .needMore: return .dropped("broken")
            case .rejected: continue
            case .frame(let range):
                guard let frame = try? DC09Frame(checking: bytes.span.extracting(range)) else {
                    return .dropped("broken")
                }
                let name = frame.header.identifier.name
                guard let packet = try? DC09Codec.decode(frame) else { return .dropped(name) }
                return anonymise(packet, name)
            }
        }
    }

    private func anonymise(_ packet: DC09Packet, _ name: String) -> AnonymousFrame {
        var header = packet.header
        header.account = header.account.map(account)
        header.receiver = header.receiver.map(account)
        // `L0A0` of a refused time is no address.
        if header.identifier != .refusal { header.linePrefix = header.linePrefix.map(account) }
        var dropped: [String] = packet.trailing.isEmpty ? [] : ["\(name) trailing"]
        let message: DC09Message
        switch packet.message {
        case .empty, .contactID: message = packet.message
        case .sia(let data): message = .sia(codes(of: data, name, &dropped))
        case .other: return .dropped(name)
        }
        let dataAccount = packet.dataAccount.map { text in
            text.hasPrefix("#") ? "#" + account(String(text.dropFirst())) : account(text)
        }
        return .kept(
            DC09Codec.encode(
                DC09Packet(
                    header, dataAccount: dataAccount, message: message,
                    extended: extended(of: packet, name, &dropped), time: packet.time.map(moved))),
            droppedParts: dropped)
    }

    /// Digits of the same kind and count; those of a decimal account are the ones that stand for it in every protocol.
    private func account(_ text: String) -> String {
        guard text.utf8.contains(where: { !(0x30...0x39).contains($0) }), text.utf8.count <= Self.digitsOfWord,
            let value = UInt64(text, radix: 16)
        else { return pseudonyms.word(text) }
        let shown = String(pseudonyms.code(value, of: "account", bits: text.utf8.count * 4), radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, text.utf8.count - shown.utf8.count)) + shown
    }

    /// Codes behind the modifiers that are kept.
    private func codes(of data: DC09SIAData, _ name: String, _ dropped: inout [String]) -> DC09SIAData {
        dropped += data.texts.map { _ in "\(name) text" }
        var parts: [String] = []
        for modifier in data.modifiers {
            if Self.harmlessModifiers.contains(modifier.name) {
                parts.append(modifier.name + digits(modifier.value))
            } else {
                dropped.append("\(name) modifier \(modifier.name)")
            }
        }
        parts += data.events.map { $0.code + digits($0.address) }
        return DC09SIAData((data.isOld ? "O" : "N") + parts.joined(separator: "/"))
    }

    /// What stands before the name that a panel may add.
    private func digits(_ text: String) -> String {
        String(text.prefix { ("0"..."9").contains($0) })
    }

    private func extended(of packet: DC09Packet, _ name: String, _ dropped: inout [String]) -> [DC09ExtendedData] {
        var kept: [DC09ExtendedData] = []
        for item in packet.extended {
            switch item.identifier.map({ Character(Unicode.Scalar($0)) }) {
            case "H":
                if let time = DC09Time(item.value) { kept.append(DC09ExtendedData("H", moved(time).text)) }
            // Both at once, below.
            case "X", "Y": break
            default: dropped.append("\(name) extended data")
            }
        }
        if let place = packet.event().position, let latitude = place.latitudeDegrees,
            let longitude = place.longitudeDegrees
        {
            let (latitudeE7, longitudeE7) = pseudonyms.moved(
                latitudeE7: Int((latitude * 1e7).rounded()), longitudeE7: Int((longitude * 1e7).rounded()))
            kept += DC09Coordinate.extended(
                latitudeDegrees: Double(latitudeE7) / 1e7, longitudeDegrees: Double(longitudeE7) / 1e7)
        }
        return kept
    }

    private func moved(_ time: DC09Time) -> DC09Time {
        time.timestamp.map { DC09Time(pseudonyms.moved($0)) } ?? DC09Time(Timestamp(milliseconds: 0))
    }
}
