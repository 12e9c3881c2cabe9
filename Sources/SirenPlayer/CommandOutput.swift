import Foundation
import Synchronization

/// A relay board, a lamp or a public-address system, steered by a program of the site.
///
/// The program is called with `on` when the siren starts and again every `repeatSeconds` while it sounds (a board that was
/// plugged out and in again has forgotten), and with `off` when it ends. It has `timeoutSeconds` and is then killed.
public final class CommandOutput: SirenOutput {
    static let repeatSeconds: Int64 = 30
    static let timeoutSeconds = 5.0
    static let stepMicroseconds: UInt32 = 50_000
    /// After a failure it is tried again so soon.
    static let retryMilliseconds: Int64 = 1000

    private struct State {
        var isOn: Bool?
        var nextCallAt: Int64 = 0
    }

    public let name: String
    private let program: String
    private let state = Mutex(State())

    /// - Parameter program: absolute path of an executable file.
    public init(program: String) {
        self.program = program
        name = "command \(program)"
    }

    public func step(_ sound: SirenSound?) throws(SirenOutputError) {
        try state.withLock { (state) throws(SirenOutputError) in
            defer { usleep(Self.stepMicroseconds) }
            let wanted = sound != nil
            let now = MonotonicTime.milliseconds
            guard state.isOn != wanted || (wanted && now >= state.nextCallAt) else { return }
            guard now >= state.nextCallAt || state.isOn != nil else { return }
            // Unknown until the program has done it.
            state.isOn = nil
            state.nextCallAt = now + Self.retryMilliseconds
            try call(wanted ? "on" : "off")
            state.isOn = wanted
            state.nextCallAt = now + Self.repeatSeconds * 1000
        }
    }

    public func selfTest() throws(SirenOutputError) {
        try call("on")
        usleep(1_000_000)
        try state.withLock { (state) throws(SirenOutputError) in
            state = State()
            try call("off")
        }
    }

    public func stop() {
        // The relay keeps its state: a siren program that ends while the latch is set must not end the alarm.
    }

    private func call(_ word: String) throws(SirenOutputError) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = [word]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let done = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in done.signal() }
        do {
            try process.run()
        } catch {
            throw SirenOutputError("\(program) \(word) cannot be started: \(error.localizedDescription)")
        }
        if done.wait(timeout: .now() + Self.timeoutSeconds) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            throw SirenOutputError("\(program) \(word) did not end within \(Int(Self.timeoutSeconds)) s")
        }
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw SirenOutputError("\(program) \(word) failed with status \(process.terminationStatus)")
        }
    }
}

enum MonotonicTime {
    /// Of CLOCK_MONOTONIC.
    static var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
