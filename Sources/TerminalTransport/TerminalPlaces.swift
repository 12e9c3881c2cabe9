import TerminalModel

/// Where each connected terminal is, by bearer: the newest connection of a terminal wins on each (promise P6).
struct TerminalPlaces {
    private var tables: (tcp: FlatTable, udp: FlatTable, serial: FlatTable) = (FlatTable(), FlatTable(), FlatTable())

    subscript(terminal: TerminalID, bearer: Bearer) -> SessionHandle? {
        get {
            switch bearer {
            case .tcp: tables.tcp[terminal.nibbles].map(SessionHandle.init(rawValue:))
            case .udp: tables.udp[terminal.nibbles].map(SessionHandle.init(rawValue:))
            case .serial: tables.serial[terminal.nibbles].map(SessionHandle.init(rawValue:))
            }
        }
        set {
            switch bearer {
            case .tcp: tables.tcp[terminal.nibbles] = newValue?.rawValue
            case .udp: tables.udp[terminal.nibbles] = newValue?.rawValue
            case .serial: tables.serial[terminal.nibbles] = newValue?.rawValue
            }
        }
    }
}
