public import TerminalModel

extension JT808Message {
    /// The message that asks a terminal for `command`; its flow id is where the terminal's answer will point.
    ///
    /// - Parameters:
    ///   - edition: the terminal's edition; texts are laid out differently in 2019.
    ///   - alarmTypes: for `confirmAlarm`, the bits to confirm.
    /// - Returns: the message and the id of the message that tells it was done.
    public static func asking(
        _ command: TerminalCommand, edition: JT808Edition, alarmTypes: UInt32 = JT808AlarmConfirmation.confirmableBits
    ) -> (message: JT808Message, answer: UInt16) {
        switch command {
        case .locate: (.queryLocation(JT808Bytes()), 0x0201)
        case .message(let text, let urgent):
            (.text(JT808Text(text, urgent: urgent, edition: edition)), 0x0001)
        case .callBack(let number, let listen): (.callBack(JT808CallBack(listen: listen, phone: number)), 0x0001)
        case .reportInterval(let seconds):
            (
                .setParameters(
                    JT808ParameterList([
                        JT808Parameter(
                            id: JT808ParameterID.defaultReportInterval, dword: UInt32(clamping: max(1, seconds)))
                    ])), 0x0001
            )
        case .track(let interval, let duration):
            (
                .track(
                    JT808Tracking(
                        intervalSeconds: UInt16(clamping: interval), validitySeconds: UInt32(clamping: duration))),
                0x0001
            )
        case .confirmAlarm(let sequence):
            (
                .confirmAlarm(
                    JT808AlarmConfirmation(
                        alarmFlowID: UInt16(truncatingIfNeeded: sequence), alarmTypes: alarmTypes)), 0x0001
            )
        }
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
