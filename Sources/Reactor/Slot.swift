internal import CReactor

/// epoll's event bits.
enum EventMask {
    static let readable = UInt32(REACTOR_READABLE)
    static let writable = UInt32(REACTOR_WRITABLE)
    static let error = UInt32(REACTOR_ERROR)
    static let hangUp = UInt32(REACTOR_HANG_UP)
    static let exclusive = UInt32(REACTOR_EXCLUSIVE)
}

/// What a slot of the loop's table stands for.
enum SlotKind: UInt8 {
    case free, stream, serial, listener, datagram, mailbox, newcomers

    /// A stream has bytes, a partial frame and a write queue.
    var isStream: Bool { self == .stream || self == .serial }
}

struct SlotFlags: OptionSet {
    let rawValue: UInt16

    /// In the list of connections to write to at the end of the wake-up.
    static let flushListed = SlotFlags(rawValue: 1 << 0)
    /// The last write did not take everything; epoll says when there is room.
    static let waitsForRoom = SlotFlags(rawValue: 1 << 1)
    /// Ends with this wake-up, no callback but `closed` follows.
    static let closing = SlotFlags(rawValue: 1 << 2)
    /// The handler has stopped reading.
    static let paused = SlotFlags(rawValue: 1 << 3)
    /// The peer sends nothing any more.
    static let inputEnded = SlotFlags(rawValue: 1 << 4)
    /// Nothing can be written any more, what was received before the failure is still read.
    static let outputBroken = SlotFlags(rawValue: 1 << 5)
    /// `connect` has not finished.
    static let connecting = SlotFlags(rawValue: 1 << 6)
    /// Stands in the census of accepted connections.
    static let counted = SlotFlags(rawValue: 1 << 7)
    /// Broke while paused: taken out of epoll, which would report that without end, until reading goes on.
    static let detached = SlotFlags(rawValue: 1 << 8)
    /// A serial line that has given bytes since it was opened.
    static let hasReceived = SlotFlags(rawValue: 1 << 9)
    /// Its bytes go through a `StreamFilter`.
    static let filtered = SlotFlags(rawValue: 1 << 10)
    /// The filter does not let bytes pass yet, and the handler knows nothing of the connection.
    static let handshaking = SlotFlags(rawValue: 1 << 11)
    /// A listening socket that other threads or processes accept from as well.
    static let shared = SlotFlags(rawValue: 1 << 12)
    /// Accepted, and the handler has not recognised it: watched by the epoll for newcomers.
    static let newcomer = SlotFlags(rawValue: 1 << 13)
}

/// One entry of the loop's table: about 100 bytes, the buffers exist only while they hold something.
struct Slot {
    var descriptor: Int32
    var generation: UInt32
    var kind: SlotKind
    var flags: SlotFlags
    /// The epoll events that are asked for.
    var interest: UInt32
    /// The tag of the listener, line or `connect`; the next free slot while free.
    var tag: UInt32
    /// The errno value of a failed write.
    var failure: Int32
    /// `TimerID` of the connection's timer, 0 for none.
    var timer: UInt64
    /// What its peer's connections are counted under.
    var peerKey: UInt64
    var partial: UnsafeMutableRawPointer?
    var partialCount: UInt32
    var partialCapacity: UInt32
    var queue: UnsafeMutableRawPointer?
    var queueStart: UInt32
    var queueEnd: UInt32
    var queueCapacity: UInt32

    static var empty: Slot {
        Slot(
            descriptor: -1, generation: 1, kind: .free, flags: [], interest: 0, tag: .max, failure: 0, timer: 0,
            peerKey: 0,
            partial: nil, partialCount: 0, partialCapacity: 0, queue: nil, queueStart: 0, queueEnd: 0, queueCapacity: 0)
    }
}

/// The loop's slots in one block whose addresses never change. Address space is reserved for all, memory is taken as they are used.
struct SlotTable: ~Copyable {
    let capacity: Int
    private let slots: UnsafeMutablePointer<Slot>
    private(set) var used = 0
    private var firstFree = UInt32.max

    init(capacity: Int) {
        self.capacity = capacity
        self.slots = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<used {
            slots[index].partial?.deallocate()
            slots[index].queue?.deallocate()
        }
        slots.deallocate()
    }

    subscript(index: Int) -> UnsafeMutablePointer<Slot> {
        slots + index
    }

    /// The slot behind a handle, nil when the handle is stale.
    func find(_ connection: Connection) -> UnsafeMutablePointer<Slot>? {
        let index = connection.index
        guard index < used, slots[index].generation == connection.generation, slots[index].kind != .free else {
            return nil
        }
        return slots + index
    }

    /// Takes a free slot; nil when all are in use.
    mutating func take(_ kind: SlotKind, descriptor: Int32, tag: UInt32) -> Connection? {
        let index: Int
        if firstFree != .max {
            index = Int(firstFree)
            firstFree = slots[index].tag
        } else {
            guard used < capacity else { return nil }
            index = used
            used += 1
            (slots + index).initialize(to: .empty)
        }
        slots[index].kind = kind
        slots[index].descriptor = descriptor
        slots[index].tag = tag
        return Connection(index: index, generation: slots[index].generation)
    }

    /// Gives a slot back; its buffers must have been given up before.
    mutating func release(_ connection: Connection) {
        let index = connection.index
        let generation = slots[index].generation &+ 1
        slots[index] = .empty
        slots[index].generation = generation == 0 ? 1 : generation
        slots[index].tag = firstFree
        firstFree = UInt32(index)
    }
}
