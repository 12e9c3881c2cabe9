internal import CReactor
internal import Glibc
internal import Synchronization

/// The wish to stop, written by any thread, read by the loop.
final class StopRequest: Sendable {
    private static let none = Int64.min
    private let requested = Atomic<Int64>(StopRequest.none)
    private let finalDeadline = Atomic<Int64>(StopRequest.none)

    /// How long the loop may go on to drain; the first request counts.
    var milliseconds: Int64? {
        get {
            let value = requested.load(ordering: .acquiring)
            return value == Self.none ? nil : value
        }
        set {
            guard let newValue else { return }
            _ = requested.compareExchange(expected: Self.none, desired: newValue, ordering: .acquiringAndReleasing)
        }
    }

    /// On the loop's time scale; set by the loop.
    var deadline: Int64? {
        get {
            let value = finalDeadline.load(ordering: .relaxed)
            return value == Self.none ? nil : value
        }
        set { finalDeadline.store(newValue ?? Self.none, ordering: .relaxed) }
    }
}

/// An event loop on a thread of its own: the handle that other threads hold.
public final class ReactorThread: Sendable {
    /// What runs on the loop's thread before its first wait: adds listeners, lines and mailboxes, and makes the handler.
    public typealias SetUp = @Sendable (EventLoop) throws -> any ConnectionHandler
    /// A piece of work for the loop's thread.
    public typealias Command = @Sendable (EventLoop) -> Void

    public let name: String
    private let commands: Mailbox<Command>
    private let published = PublishedCounters()
    private let stopRequest = StopRequest()
    /// Readable for ever once the loop has started, or has failed to, and once it has ended.
    private let started: Int32
    private let ended: Int32
    private let failure = Mutex<(any Error)?>(nil)

    private init(name: String, limits: ReactorLimits) throws(ReactorError) {
        self.name = name
        self.commands = try Mailbox(name: "\(name) commands", capacity: limits.maximumCommands)
        let started = try checked(reactor_eventfd_create(), "eventfd for thread \(name)")
        self.started = started
        do throws(ReactorError) {
            self.ended = try checked(reactor_eventfd_create(), "eventfd for thread \(name)")
        } catch {
            _ = reactor_close(started)
            throw error
        }
    }

    deinit {
        _ = reactor_close(started)
        _ = reactor_close(ended)
    }

    /// Starts a thread and runs `setUp` on it; returns when that has succeeded, throws what it threw.
    ///
    /// `name` shows in `ps -L` and debuggers, cut to 15 bytes. The thread takes no signals. Threads with the same `census`
    /// share the limits of connections; without one the thread counts for itself.
    public static func start(
        name: String, limits: ReactorLimits = ReactorLimits(), census: ConnectionCensus? = nil,
        setUp: @escaping SetUp
    ) throws -> ReactorThread {
        let thread = try ReactorThread(name: name, limits: limits)
        let census = census ?? ConnectionCensus(limits)
        let body = ThreadBody { thread.main(limits: limits, census: census, setUp: setUp) }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var identifier = pthread_t()
        let argument = Unmanaged.passRetained(body)
        let result = pthread_create(
            &identifier, &attributes,
            { argument in
                if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw ReactorError(operation: "start thread \(name)", code: result)
        }
        while reactor_poll(thread.started, -1) == 0 {}
        if let error = thread.failure.withLock({ $0 }) { throw error }
        return thread
    }

    /// The counters as of the loop's latest wait.
    public var counters: ReactorCounters {
        published.snapshot()
    }

    /// Runs a closure on the loop's thread at its next wake-up; false when `maximumCommands` wait already. What is given to a
    /// loop that has stopped is never run.
    public func execute(_ command: @escaping Command) -> Bool {
        commands.post(command)
    }

    /// Asks the loop to stop: listeners close at once, what has arrived is handed over, and answers are written until the
    /// handler is drained and every queue is empty, at most for the given time. Returns at once; the first call counts.
    public func stop(drainMilliseconds: Int64) {
        stopRequest.milliseconds = max(0, drainMilliseconds)
        commands.signal()
    }

    /// Waits for the loop's end, from any number of threads; false when `milliseconds` have passed before (-1 waits for ever).
    @discardableResult
    public func waitUntilStopped(milliseconds: Int32 = -1) -> Bool {
        let deadline = reactor_milliseconds() + Int64(milliseconds)
        while true {
            let rest = milliseconds < 0 ? -1 : Int32(clamping: max(0, deadline - reactor_milliseconds()))
            if reactor_poll(ended, rest) > 0 { return true }
            if rest == 0 { return false }
        }
    }

    private func main(limits: ReactorLimits, census: ConnectionCensus, setUp: SetUp) {
        var everySignal = sigset_t()
        sigfillset(&everySignal)
        pthread_sigmask(SIG_BLOCK, &everySignal, nil)
        _ = reactor_name_thread(name)
        do {
            let loop = try EventLoop(
                name: name, limits: limits, census: census, published: published, stopRequest: stopRequest)
            let handler = try setUp(loop)
            try loop.attach(commands) { command, loop in command(loop) }
            _ = reactor_eventfd_signal(started)
            loop.run(handler)
        } catch {
            failure.withLock { $0 = error }
            _ = reactor_eventfd_signal(started)
        }
        _ = reactor_eventfd_signal(ended)
    }
}

/// Carries a closure through pthread_create.
private final class ThreadBody {
    let run: () -> Void

    init(_ run: @escaping () -> Void) {
        self.run = run
    }
}
