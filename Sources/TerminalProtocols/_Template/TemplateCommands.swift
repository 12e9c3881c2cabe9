public import TerminalModel

extension TemplateMessage {
    /// The message that asks a terminal for `command`; the terminal's `done` repeats the counter.
    ///
    /// Numbers that a terminal is told to dial have passed the guard already (promise P7).
    ///
    /// - Throws: when the protocol has no message for it.
    public static func asking(_ command: TerminalCommand, counter: UInt8) throws(CommandRefusal) -> TemplateMessage {
        switch command {
        case .locate: .locate(counter: counter)
        default: throw CommandRefusal("this protocol has no message for \(command.name)")
        }
    }
}
