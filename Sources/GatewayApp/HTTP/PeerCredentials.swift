import Glibc
import NIOCore

/// Who is at the other end of a Unix socket, as the kernel knows it.
enum PeerCredentials {
    /// The kernel's `struct ucred`, which the C library shows only to GNU sources. Source: unix(7).
    private struct Credentials: Sendable {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }

    /// The user's name, `uid:N` for a user without a name, `unknown` on a connection of another kind.
    static func unixUser(of channel: any Channel) async -> String {
        guard let provider = channel as? any SocketOptionProvider else { return "unknown" }
        let credentials: Credentials
        do {
            credentials = try await provider.unsafeGetSocketOption(
                level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
            ).get()
        } catch {
            return "unknown"
        }
        // A connection that is not a Unix socket answers with process 0.
        guard credentials.process != 0 else { return "unknown" }
        return name(of: credentials.user)
    }

    static func name(of user: uid_t) -> String {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.pw_name
        else { return "uid:\(user)" }
        return String(cString: name)
    }
}
