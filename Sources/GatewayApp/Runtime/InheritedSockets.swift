import Foundation
import Glibc

/// Sockets that a service manager opened before this process began and keeps open after it has ended, so that terminals
/// that connect during a restart wait instead of being refused. Source: sd_listen_fds(3).
public struct InheritedSockets: Sendable, Equatable {
    /// The first passed descriptor; the others follow it.
    static let firstDescriptor: Int32 = 3
    /// `FileDescriptorName=` of sockets for terminals, and what systemd says when the unit gives no name.
    static let names: Set<String> = ["listener", "unknown", "yidiantongd.socket"]

    /// Of sockets for terminals.
    public var descriptors: [Int32] = []
    /// Names of passed descriptors that the gateway has no use for.
    public var unused: [String] = []

    public init() {}

    /// Reads what the manager says in the environment; nothing when it speaks to another process.
    init(environment: [String: String], processID: Int32) {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == processID,
            let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...1024).contains(count)
        else { return }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        for index in 0..<count {
            let given = Int(index) < names.count ? String(names[Int(index)]) : ""
            let name = given.isEmpty ? "unknown" : given
            if Self.names.contains(name) {
                descriptors.append(Self.firstDescriptor + index)
            } else {
                unused.append(name)
            }
        }
    }

    /// Takes what was passed to this process; programs that it starts inherit nothing of it.
    static func take() -> InheritedSockets {
        let sockets = InheritedSockets(environment: ProcessInfo.processInfo.environment, processID: getpid())
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        for index in 0..<Int32(sockets.descriptors.count + sockets.unused.count) {
            _ = fcntl(firstDescriptor + index, F_SETFD, FD_CLOEXEC)
        }
        return sockets
    }
}
