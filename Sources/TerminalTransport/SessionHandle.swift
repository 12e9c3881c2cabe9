import Reactor

/// Names a session of one loop: that of a connection by the connection's own handle, that of a UDP peer by slot and generation.
///
/// A handle that was kept too long names nothing.
struct SessionHandle: Hashable {
    /// Never 0. Bit 31 tells UDP peers from connections, whose indexes stay below it.
    let rawValue: UInt64

    private static let flowBit: UInt64 = 1 << 31

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ connection: Connection) {
        rawValue = connection.rawValue
    }

    init(flow index: Int, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | Self.flowBit | UInt64(index)
    }

    /// The slot of a UDP peer, nil for a connection.
    var flow: Int? {
        rawValue & Self.flowBit == 0 ? nil : Int(rawValue & (Self.flowBit - 1))
    }

    var connection: Connection { Connection(rawValue: rawValue) }
}
