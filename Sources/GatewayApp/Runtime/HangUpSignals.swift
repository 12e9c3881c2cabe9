import UnixSignals

/// SIGHUP, as `systemctl reload` sends it.
enum HangUpSignals {
    static func sequence() async -> UnixSignalsSequence {
        await UnixSignalsSequence(trapping: .sighup)
    }
}
