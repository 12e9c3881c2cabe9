import Reactor
import TerminalModel
import TerminalSession

/// What the loop keeps of one connection, line or UDP peer.
struct SessionSlot {
    let handle: SessionHandle
    var session: any TerminalSession
    let peer: PeerAddress
    /// The socket that answers leave from; for a connection itself.
    let socket: Connection
    /// When the timer is armed for.
    var armedDeadline = Int64.max
    /// Counts identifications over all loops; that of the last terminal that was identified here.
    var identification: UInt64 = 0
    let bearer: Bearer
    var protocolName: ProtocolName
    /// The terminal has said all it will say and waits for its answers.
    var isHalfClosed = false
}

/// The terminals of one loop over UDP. There is no connection, so each has a slot of its own here.
struct DatagramFlows {
    private var slots: [SessionSlot?] = []
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    private var table = FlatTable()
    /// Where the next sweep begins.
    private var hand = 0

    var count: Int { slots.count - free.count }
    /// Slots in use and free ones.
    var slotCount: Int { slots.count }

    subscript(handle: SessionHandle) -> SessionSlot? {
        get {
            guard let index = handle.flow, index < slots.count, let slot = slots[index], slot.handle == handle else {
                return nil
            }
            return slot
        }
        set {
            guard let index = handle.flow, index < slots.count, slots[index]?.handle == handle else { return }
            slots[index] = newValue
        }
    }

    func find(_ peer: PeerAddress, on socket: Connection) -> SessionHandle? {
        guard let handle = table[Self.key(peer, socket)].map(SessionHandle.init(rawValue:)),
            self[handle]?.peer == peer
        else { return nil }
        return handle
    }

    /// - Parameter isFoundByAddress: false where every frame names its terminal, so that nobody asks for the address.
    mutating func add(
        _ session: any TerminalSession, peer: PeerAddress, socket: Connection, protocolName: ProtocolName,
        isFoundByAddress: Bool
    ) -> SessionHandle {
        let index: Int
        if let known = free.popLast() {
            index = Int(known)
        } else {
            index = slots.count
            slots.append(nil)
            generations.append(0)
        }
        generations[index] = generations[index] == .max ? 1 : generations[index] + 1
        let handle = SessionHandle(flow: index, generation: generations[index])
        slots[index] = SessionSlot(
            handle: handle, session: session, peer: peer, socket: socket, bearer: .udp, protocolName: protocolName)
        if isFoundByAddress { table[Self.key(peer, socket)] = handle.rawValue }
        return handle
    }

    mutating func remove(_ handle: SessionHandle) {
        guard let index = handle.flow, let slot = self[handle] else { return }
        // The address may be another terminal's as well, who spoke later.
        let key = Self.key(slot.peer, slot.socket)
        if table[key] == handle.rawValue { table[key] = nil }
        slots[index] = nil
        free.append(UInt32(index))
    }

    /// The next `limit` peers in turn whose session has something due.
    mutating func due(now: Int64, limit: Int) -> [SessionHandle] {
        var found: [SessionHandle] = []
        for _ in 0..<min(limit, slots.count) {
            if hand >= slots.count { hand = 0 }
            if let slot = slots[hand], slot.session.nextDeadline <= now { found.append(slot.handle) }
            hand += 1
        }
        return found
    }

    /// Somebody who can make room: of the next few in turn who wait for nothing, the one that will be idle first.
    mutating func longestSilent() -> SessionHandle? {
        var best: (handle: SessionHandle, deadline: Int64)?
        for _ in 0..<min(Self.candidates, slots.count) {
            if hand >= slots.count { hand = 0 }
            if let slot = slots[hand], !slot.session.isAwaitingResult {
                let deadline = slot.session.nextDeadline
                if deadline < best?.deadline ?? .max { best = (slot.handle, deadline) }
            }
            hand += 1
        }
        return best?.handle
    }

    private static let candidates = 64

    var handles: [SessionHandle] { slots.compactMap { $0?.handle } }

    /// An IPv4 peer whole; of an IPv6 peer a hash, and `find` compares.
    private static func key(_ peer: PeerAddress, _ socket: Connection) -> UInt128 {
        switch peer {
        case .ipv4(let address, let port):
            return UInt128(address) << 64 | UInt128(socket.index) << 16 | UInt128(port)
        case .ipv6, .path:
            var hasher = Hasher()
            hasher.combine(peer)
            hasher.combine(socket)
            return UInt128(1) << 127 | UInt128(UInt64(bitPattern: Int64(hasher.finalize())))
        }
    }
}
