import Foundation
import Glibc

/// Keeps a second gateway away from a state directory: two writers would each believe that the incidents are theirs.
///
/// The directory itself is locked, so that neither a full disk nor a file left behind by a crash is in the way; the
/// kernel takes the lock back however the process ends. Source: flock(2).
final class StateDirectoryLock: Sendable {
    private let descriptor: Int32

    /// Makes the directory if need be and locks it.
    ///
    /// - Throws: `GatewayStartError` when another gateway works there or the directory cannot be used.
    init(_ directory: String) throws(GatewayStartError) {
        // When that fails, opening says why in fewer words.
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw GatewayStartError(
                description: "user \(NSUserName()) cannot use or make the state directory \(directory): \(reason)")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            // `deinit` closes the descriptor: it runs for an object all of which was set before the throw.
            let code = errno
            throw GatewayStartError(
                description: code == EWOULDBLOCK
                    ? "another gateway already works in the state directory \(directory)"
                    : "the state directory \(directory) cannot be locked: \(String(cString: strerror(code)))")
        }
    }

    deinit { close(descriptor) }

    /// Lets the next gateway in, once the stores are closed.
    func release() { _ = flock(descriptor, LOCK_UN) }
}
