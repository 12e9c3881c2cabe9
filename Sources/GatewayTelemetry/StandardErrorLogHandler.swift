public import Glibc
public import Logging
public import TerminalModel

/// Writes one line a message: `Incident opened incident.id=7F3A0001C9D20044 incident.service=emergency`.
///
/// Under journald the line has no time and begins with the priority, `<5>`; elsewhere it begins with time and level.
/// Each line is one `write`, so that lines of several threads do not mix. Source: sd-daemon(3), STYLE section 8.
public struct StandardErrorLogHandler: LogHandler {
    public enum Form: Sendable, Equatable {
        case journald
        case plain

        /// Journald when `JOURNAL_STREAM` names the very file that standard error is; a redirected stream is plain.
        public static func detect(
            environment: String? = getenv("JOURNAL_STREAM").map { String(cString: $0) },
            descriptor: Int32 = STDERR_FILENO
        ) -> Form {
            var status = stat()
            guard let environment, fstat(descriptor, &status) == 0 else { return .plain }
            return environment == "\(status.st_dev):\(status.st_ino)" ? .journald : .plain
        }
    }

    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let form: Form
    private let descriptor: Int32
    /// Journald reads from a stream socket.
    private let isSocket: Bool
    private let now: @Sendable () -> Timestamp

    public init(
        label: String, level: Logger.Level = .info, form: Form = .detect(), descriptor: Int32 = STDERR_FILENO,
        now: @escaping @Sendable () -> Timestamp = Self.wallClock
    ) {
        self.label = label
        self.logLevel = level
        self.form = form
        self.descriptor = descriptor
        self.now = now
        var status = stat()
        isSocket = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var merged = metadataProvider?.get() ?? [:]
        merged.merge(metadata) { _, own in own }
        if let explicit = event.metadata { merged.merge(explicit) { _, explicit in explicit } }
        if let error = event.error, merged[LogKey.errorDetail.rawValue] == nil {
            merged[LogKey.errorDetail.rawValue] = "\(error)"
        }
        write(Self.line(form: form, time: now(), label: label, event: event, metadata: merged))
    }

    /// One `write`; what the descriptor does not take is lost rather than waited for.
    private func write(_ line: String) {
        var bytes = Array(line.utf8)
        if bytes.count > Self.maximumLineBytes {
            bytes.removeSubrange((Self.maximumLineBytes - 1)...)
            bytes.append(UInt8(ascii: "\n"))
        }
        var offset = 0
        while offset < bytes.count {
            // A reader of the log that stands still must not stop the threads that answer alarms.
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&ready, 1, 0) == 1 else { return }
            let written = bytes[offset...].withUnsafeBytes {
                isSocket
                    ? send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                    : Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            offset += written
        }
    }

    /// Long enough for any frame in hex at `trace`, short enough for journald's default of 48 KiB.
    private static let maximumLineBytes = 16_384

    private static func line(
        form: Form, time: Timestamp, label: String, event: LogEvent, metadata: Logger.Metadata
    ) -> String {
        var line =
            switch form {
            case .journald: "<\(priority(event.level))>"
            case .plain: "\(time) \(event.level.rawValue) \(label): "
            }
        line += clean(event.message.description)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " " + key + "=" + quoted(value.description)
        }
        return line + "\n"
    }

    /// Priorities of syslog(3).
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// logfmt: bare when it is one plain word, else in quotes with escapes.
    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0 != "\\" && $0.value != 0x7F
            }
        if isPlain { return clean(value) }
        var output = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            default: output += clean(scalar)
            }
        }
        return output + "\""
    }

    /// Text from outside cannot begin a line of its own or steer the reader's terminal.
    private static func clean(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { $0 += clean($1) }
    }

    private static func clean(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C:
            return "\\u{" + String(scalar.value, radix: 16) + "}"
        default: return String(scalar)
        }
    }

    /// CLOCK_REALTIME in milliseconds.
    @Sendable public static func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
