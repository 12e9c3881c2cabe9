public import TerminalModel

extension TemplateMessage {
    /// The message that asks a terminal for `command`, nil when the protocol cannot.
    ///
    /// Say how the terminal's answer is recognised: by a counter, by a keyword.
    public static func asking(_ command: TerminalCommand) -> TemplateMessage? {
        nil
    }
}
