import Foundation
import Glibc
import Synchronization

/// Wakes a thread that waits in poll(2), from any other one.
final class Bell: Sendable {
    private let ends: (read: Int32, write: Int32)

    init() {
        var made: [Int32] = [-1, -1]
        _ = pipe(&made)
        for end in made {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        ends = (made[0], made[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func ring() { _ = write(ends.write, [0], 1) }

    /// Waits until the bell rings, `descriptor` is readable or the time is over.
    func wait(_ descriptor: Int32?, milliseconds: Int32) {
        var waiting = [pollfd(fd: ends.read, events: Int16(POLLIN), revents: 0)]
        if let descriptor { waiting.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&waiting, nfds_t(waiting.count), milliseconds)
    }
}

/// A thread that runs until it is told to stop.
final class StoppableThread: Sendable {
    let bell = Bell()
    private let stopping = Atomic<Bool>(false)
    private let started = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        guard !started.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let thread = Thread { [ended] in
            body()
            ended.signal()
        }
        thread.name = name
        thread.start()
    }

    /// Asks the thread to end and waits for it.
    func stop() {
        guard !stopping.exchange(true, ordering: .acquiringAndReleasing), started.load(ordering: .acquiring) else {
            return
        }
        bell.ring()
        ended.wait()
    }
}
