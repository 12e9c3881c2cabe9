import Glibc

/// Reads secrets from files, never from a configuration itself.
public enum SecretFile {
    /// Why a file is not read.
    public struct Reason: Error, Sendable, Equatable {
        public var text: String
    }

    /// Reads a whole file that not everybody may use; a larger one is something else.
    public static func read(_ path: String, maximumBytes: Int) -> Result<[UInt8], Reason> {
        // Looks at the open file, so that what was checked is what is read.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .failure(Reason(text: String(cString: strerror(errno)))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            return .failure(Reason(text: String(cString: strerror(errno))))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(Reason(text: "not a regular file")) }
        guard status.st_mode & 0o007 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            return .failure(Reason(text: "everybody may use this file (mode \(mode)); take that away: chmod o= FILE"))
        }
        var buffer = [UInt8](repeating: 0, count: maximumBytes + 1)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { return .failure(Reason(text: String(cString: strerror(errno)))) }
        guard count <= maximumBytes else { return .failure(Reason(text: "larger than any secret")) }
        return .success(Array(buffer[..<count]))
    }
}
