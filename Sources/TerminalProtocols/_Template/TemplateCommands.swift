public import TerminalModel

extension TemplateMessage {
    /// The message that asks a terminal for `command`. Say how the terminal's answer is recognised: by a counter, by a keyword.
    ///
    /// - Throws: when the protocol has no message for it.
    public static func asking(_ command: TerminalCommand) throws(CommandRefusal) -> TemplateMessage {
        throw CommandRefusal("<protocol> has no message for \(command.name)")
    }
}
