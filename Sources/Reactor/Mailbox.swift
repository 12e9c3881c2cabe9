internal import CReactor
internal import Synchronization

/// A bounded queue from any number of threads to one, which sleeps on a descriptor while it is empty.
///
/// Posting takes no lock and never waits: a full mailbox refuses, and the poster decides what that means. Order is kept per
/// posting thread. The reader is an event loop (`EventLoop.attach`) or one thread that calls `wait` and `drain`.
///
/// `@unchecked Sendable`: a place is filled by the one poster that claimed it and emptied by the one reader after the place's
/// sequence number was published; everything else is atomic.
public final class Mailbox<Message: Sendable>: @unchecked Sendable {
    /// Shown with the counters: `commit results`.
    public let name: String
    /// The most messages at once; more are refused.
    public let capacity: Int
    let wakeUp: Int32

    /// The place of position p may be filled while its number is p and emptied while it is p + 1.
    private let sequences: UnsafeMutablePointer<Atomic<Int>>
    private let places: UnsafeMutablePointer<Message>
    private let tail = Atomic<Int>(0)
    private let head = Atomic<Int>(0)
    private let signalled = Atomic<Bool>(false)
    private let refusedMessages = Atomic<UInt64>(0)

    /// Throws when the system has no descriptor left.
    public init(name: String, capacity: Int) throws(ReactorError) {
        self.name = name
        // With a single cell "just written" and "free for the next turn" would have the same number.
        self.capacity = max(2, capacity)
        self.wakeUp = try checked(reactor_eventfd_create(), "eventfd for mailbox \(name)")
        self.sequences = .allocate(capacity: self.capacity)
        self.places = .allocate(capacity: self.capacity)
        for index in 0..<self.capacity {
            (sequences + index).initialize(to: Atomic(index))
        }
    }

    deinit {
        while next() != nil {}
        places.deallocate()
        sequences.deinitialize(count: capacity)
        sequences.deallocate()
        _ = reactor_close(wakeUp)
    }

    /// Messages accepted since the start.
    public var posted: UInt64 {
        UInt64(tail.load(ordering: .relaxed))
    }

    /// Messages refused since the start because the mailbox was full.
    public var refused: UInt64 {
        refusedMessages.load(ordering: .relaxed)
    }

    /// Messages waiting now; a snapshot.
    public var count: Int {
        max(0, tail.load(ordering: .relaxed) - head.load(ordering: .relaxed))
    }

    /// Puts a message in from any thread and wakes the reader; false, and counted, when the mailbox is full.
    public func post(_ message: consuming Message) -> Bool {
        var position = tail.load(ordering: .relaxed)
        while true {
            let index = position % capacity
            let distance = sequences[index].load(ordering: .acquiring) - position
            if distance == 0 {
                let (claimed, found) = tail.weakCompareExchange(
                    expected: position, desired: position + 1, ordering: .relaxed)
                if claimed {
                    (places + index).initialize(to: message)
                    sequences[index].store(position + 1, ordering: .releasing)
                    signal()
                    return true
                }
                position = found
            } else if distance < 0 {
                refusedMessages.add(1, ordering: .relaxed)
                return false
            } else {
                position = tail.load(ordering: .relaxed)
            }
        }
    }

    /// Wakes the reader once for any number of messages it has not begun to look at.
    func signal() {
        if !signalled.exchange(true, ordering: .acquiringAndReleasing) {
            _ = reactor_eventfd_signal(wakeUp)
        }
    }

    /// Takes up to `maximum` messages in order; only the one reading thread may call this. Returns how many there were.
    @discardableResult
    public func drain(maximum: Int, _ body: (Message) -> Void) -> Int {
        // Cleared before looking: whoever posts after the look signals again.
        _ = reactor_eventfd_clear(wakeUp)
        _ = signalled.exchange(false, ordering: .acquiringAndReleasing)
        var taken = 0
        while taken < maximum, let message = next() {
            taken += 1
            body(message)
        }
        if taken == maximum, hasNext { signal() }
        return taken
    }

    /// Waits until a message was posted; false when `milliseconds` have passed without one (-1 waits for ever).
    /// For a reading thread that is not an event loop. A return of true may be early, `drain` then finds nothing.
    public func wait(milliseconds: Int32) -> Bool {
        reactor_poll(wakeUp, milliseconds) > 0
    }

    private var hasNext: Bool {
        let position = head.load(ordering: .relaxed)
        return sequences[position % capacity].load(ordering: .acquiring) == position + 1
    }

    private func next() -> Message? {
        guard hasNext else { return nil }
        let position = head.load(ordering: .relaxed)
        let index = position % capacity
        let message = (places + index).move()
        sequences[index].store(position + capacity, ordering: .releasing)
        head.store(position + 1, ordering: .relaxed)
        return message
    }
}
