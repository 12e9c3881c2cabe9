public import TerminalModel
import WireBytes

extension TemplateMessage {
    /// What the frame says in the words that all protocols share.
    ///
    /// Say here: what is normalised (signs, units, time zones, old positions), what stays in `extras`, and what a time is
    /// worth that a clock showed which was never set.
    public func events(profile: TemplateProfile = .standard, received: Timestamp? = nil) -> [TerminalEvent] {
        []
    }
}
