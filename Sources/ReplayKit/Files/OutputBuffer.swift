internal import Glibc
internal import TerminalModel

/// Collects output and writes it in large pieces.
final class OutputBuffer {
    /// The reader of the output has gone; there is nothing left to do and nothing to complain about.
    struct ReaderGone: Error {}

    private static let flushBytes = 128 << 10

    private let descriptor: Int32
    private var bytes: [UInt8] = []

    init(descriptor: Int32) {
        self.descriptor = descriptor
        bytes.reserveCapacity(Self.flushBytes * 2)
    }

    func append(_ text: String) throws {
        bytes += text.utf8
        if bytes.count >= Self.flushBytes { try flush() }
    }

    func append(line: JSONValue) throws {
        line.write(to: &bytes)
        bytes.append(0x0A)
        if bytes.count >= Self.flushBytes { try flush() }
    }

    func append(line: String) throws {
        bytes += line.utf8
        bytes.append(0x0A)
        if bytes.count >= Self.flushBytes { try flush() }
    }

    /// - Throws: `ReaderGone` for a closed pipe, `ReplayFailure` for a full disk and its like.
    func flush() throws {
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map { write(descriptor, $0 + done, buffer.count - done) } ?? 0
            }
            if written >= 0 {
                done += written
            } else if errno == EPIPE {
                throw ReaderGone()
            } else if errno != EINTR {
                throw ReplayFailure(.limit, "output: \(String(cString: strerror(errno)))")
            }
        }
        bytes.removeAll(keepingCapacity: true)
    }
}

/// Short messages of a tool; a reader that has gone is no error.
public enum StandardStreams {
    public static func write(_ text: String, to descriptor: Int32) {
        let buffer = OutputBuffer(descriptor: descriptor)
        try? buffer.append(text)
        try? buffer.flush()
    }
}
