import Glibc

/// What reading a small file gave.
enum FileContents {
    case bytes([UInt8])
    case absent
    /// errno of the call that failed.
    case failed(Int32)

    /// No file of the latch is longer; what is longer is not ours.
    static let maximumBytes = 65_536

    static func read(_ path: String) -> FileContents {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        // Where something else stands in the place of the directory there is no file either.
        guard descriptor >= 0 else { return errno == ENOENT || errno == ENOTDIR ? .absent : .failed(errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { room in
                Glibc.read(descriptor, room.baseAddress.map { $0 + count }, room.count - count)
            }
            if got < 0 {
                if errno == EINTR { continue }
                return .failed(errno)
            }
            if got == 0 { break }
            count += got
        }
        return .bytes(Array(bytes.prefix(count)))
    }
}

/// A system call that failed while the latch was read or written.
public struct LatchError: Error, Equatable, CustomStringConvertible {
    public var action: String
    public var path: String
    /// The system's error number.
    public var errno: Int32

    public init(action: String, path: String, errno: Int32) {
        self.action = action
        self.path = path
        self.errno = errno
    }

    public var description: String {
        "cannot \(action) \(path): \(String(cString: strerror(errno)))"
    }
}
