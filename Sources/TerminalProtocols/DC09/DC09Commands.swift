public import TerminalModel

extension DC09Message {
    /// The message that asks a panel for `command`: there is none, since panels only report (section 1).
    public static func asking(_ command: TerminalCommand) throws(CommandRefusal) -> DC09Message {
        throw CommandRefusal(
            "an alarm panel only reports and cannot be asked for \(command.name); telephone the person")
    }
}
