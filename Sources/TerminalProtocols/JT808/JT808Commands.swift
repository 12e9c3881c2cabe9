public import TerminalModel

extension JT808Message {
    /// The message that asks a terminal for `command`; its flow id is where the terminal's answer will point.
    ///
    /// - Parameters:
    ///   - edition: the terminal's edition; texts are laid out differently in 2019.
    ///   - alarmTypes: for `confirmAlarm`, the bits to confirm.
    /// - Returns: the message and the id of the message that tells it was done.
    /// - Throws: when the standard has no message for it, or cannot hold what was asked.
    public static func asking(
        _ command: TerminalCommand, edition: JT808Edition, alarmTypes: UInt32 = JT808AlarmConfirmation.confirmableBits
    ) throws(CommandRefusal) -> (message: JT808Message, answer: UInt16) {
        switch command {
        case .locate: return (.queryLocation(JT808Bytes()), 0x0201)
        case .message(let text, let urgent):
            return (.text(JT808Text(text, urgent: urgent, edition: edition)), 0x0001)
        case .callBack(let number, let listen):
            return (.callBack(JT808CallBack(listen: listen, phone: number)), 0x0001)
        case .reportInterval(let seconds):
            let interval = JT808Parameter(
                id: JT808ParameterID.defaultReportInterval, dword: UInt32(clamping: max(1, seconds)))
            return (.setParameters(JT808ParameterList([interval])), 0x0001)
        case .track(let interval, let duration):
            let tracking = JT808Tracking(
                intervalSeconds: UInt16(clamping: interval), validitySeconds: UInt32(clamping: duration))
            return (.track(tracking), 0x0001)
        case .confirmAlarm(let sequence):
            let confirmation = JT808AlarmConfirmation(
                alarmFlowID: UInt16(truncatingIfNeeded: sequence), alarmTypes: alarmTypes)
            return (.confirmAlarm(confirmation), 0x0001)
        case .setNumbers(let purpose, let numbers): return (try setting(numbers, for: purpose), 0x0001)
        case .powerOff: return (.control(JT808Control(command: JT808Control.powerOff)), 0x0001)
        case .restart: return (.control(JT808Control(command: JT808Control.restart)), 0x0001)
        case .find, .fallDetection:
            throw CommandRefusal("JT/T 808 has no message for \(command.name)")
        }
    }

    /// The number of the platform is the one that the SOS key calls (section 9, parameter 0x0040); numbers of the family are
    /// the phone book.
    private static func setting(
        _ numbers: [String], for purpose: NumberPurpose
    ) throws(CommandRefusal) -> JT808Message {
        let parameter: UInt32
        switch purpose {
        case .family:
            let both: UInt8 = 3
            let contacts = numbers.map { JT808PhoneBook.Contact(flag: both, phone: $0, name: $0) }
            return .phoneBook(JT808PhoneBook(setting: contacts.isEmpty ? 0 : 1, contacts: contacts))
        case .sos, .centre: parameter = JT808ParameterID.platformPhone
        case .monitor: parameter = JT808ParameterID.listenInPhone
        }
        guard numbers.count <= 1 else {
            throw CommandRefusal("JT/T 808 holds one \(purpose.rawValue) number, \(numbers.count) were given")
        }
        return .setParameters(JT808ParameterList([JT808Parameter(id: parameter, text: numbers.first ?? "")]))
    }

    /// The id of the message that answers an uplink message, nil when it expects none (section 6).
    ///
    /// Messages that are not known are answered with 0x8001 too, so that a device does not repeat them for ever.
    public static func platformReply(to id: UInt16) -> UInt16? {
        switch id {
        case 0x0001, 0x0104, 0x0107, 0x0201, 0x0302, 0x0500, 0x0608, 0x0700, 0x0802, 0x0805, 0x1300: nil
        case 0x0004: 0x8004
        case 0x0005: nil
        case 0x0100: 0x8100
        case 0x0109: 0x8109
        case 0x0801: 0x8800
        case 0x0A00: 0x8A00
        case 0x8000..<0xE000, 0xF000...: nil
        default: 0x8001
        }
    }
}
