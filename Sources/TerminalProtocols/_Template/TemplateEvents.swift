public import TerminalModel
import WireBytes

extension TemplatePacket {
    /// What the frame says in the words that all protocols share.
    ///
    /// Say here: what is normalised (signs, units, time zones, old positions), what stays in `extras`, and what a time is
    /// worth that a clock showed which was never set. A batch gives one event an item.
    public func events(profile: TemplateProfile = .standard, received: Timestamp? = nil) -> [TerminalEvent] {
        switch message {
        case .report(let report): [event(report, profile, received)]
        case .done: [event(.reply, received)]
        case .acknowledgement, .locate: [event(.other, received)]
        case .unknown(_, let bytes):
            if bytes.isEmpty { [event(.other, received)] } else { [event(.other, received, data: bytes)] }
        }
    }

    private func event(_ kind: EventKind, _ received: Timestamp?, data: [UInt8] = []) -> TerminalEvent {
        var event = TerminalEvent(
            protocolName: .template, terminal: terminal, message: .number(UInt16(message.number)), sequence: nil,
            received: received, kind: kind)
        if !data.isEmpty { event.extras = [("data", Hex.text(data))] }
        return event
    }

    private func event(
        _ report: TemplateReport, _ profile: TemplateProfile, _ received: Timestamp?
    ) -> TerminalEvent {
        let alarm = report.alarm == 0 ? nil : profile.alarms[report.alarm]
        guard let battery = report.batteryPercent else {
            var event = event(.alarm, received)
            if let alarm { event.alarms = AlarmSet(alarm) }
            return event
        }
        var event = event(.report, received)
        if let alarm { event.alarms = AlarmSet(alarm) }
        event.batteryPercent = battery <= 100 ? Int(battery) : nil
        // Zero coordinates are what a receiver without a fix shows; they are no place.
        let hasFix = report.latitude != 0 || report.longitude != 0
        event.position = Position(
            valid: hasFix, latitudeDegrees: hasFix ? Double(report.latitude) / 1_000_000 : nil,
            longitudeDegrees: hasFix ? Double(report.longitude) / 1_000_000 : nil)
        return event
    }
}
