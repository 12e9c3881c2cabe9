import Glibc
import TerminalModel

/// Why a capture file cannot be written.
struct CaptureFileError: Error, CustomStringConvertible {
    let description: String

    init(_ action: String, _ path: String) {
        description = "\(action) \(path): \(String(cString: strerror(errno)))"
    }
}

/// The files of a capture: lines go into the newest, the oldest make room. They hold personal data, so nobody but the
/// gateway's user may read them.
///
/// Belongs to the writer's thread.
struct CaptureFiles: ~Copyable {
    private static let prefix = "capture-"
    private static let suffix = ".jsonl"

    private(set) var settings: CaptureSettings
    private var descriptor: Int32 = -1
    private var fileBytes = 0
    /// Tells two files of one millisecond apart.
    private var fileNumber = 0

    init(_ settings: CaptureSettings) {
        self.settings = settings
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// What is written from now on goes by these.
    mutating func change(to new: CaptureSettings) {
        if new.directory != settings.directory { end() }
        settings = new
    }

    /// Ends the file that is open; the next line begins a new one.
    mutating func end() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Appends whole lines.
    ///
    /// - Throws: `CaptureFileError`; then nothing of them is in the file.
    mutating func append(_ lines: [UInt8], now: Timestamp) throws(CaptureFileError) {
        if descriptor >= 0, fileBytes + lines.count > settings.maximumFileBytes { end() }
        if descriptor < 0 { try begin(now) }
        try write(lines)
    }

    private mutating func begin(_ now: Timestamp) throws(CaptureFileError) {
        let directory = settings.directory
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw CaptureFileError("make", directory) }
        makeRoom()
        fileNumber += 1
        let stamp = now.description.filter { $0 != "-" && $0 != ":" && $0 != "." }
        let path = "\(directory)/\(Self.prefix)\(stamp)-\(getpid())-\(fileNumber)\(Self.suffix)"
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CaptureFileError("open", path) }
        fileBytes = 0
        try write(Array((CaptureRecord.header.text + "\n").utf8))
    }

    private mutating func write(_ bytes: [UInt8]) throws(CaptureFileError) {
        var done = 0
        while done < bytes.count {
            let from = done
            let written = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map { Glibc.write(descriptor, $0 + from, buffer.count - from) } ?? 0
            }
            if written >= 0 {
                done += written
            } else if errno != EINTR {
                let error = CaptureFileError("write into", settings.directory)
                // Half a line would be read as damage.
                _ = ftruncate(descriptor, off_t(fileBytes))
                end()
                throw error
            }
        }
        fileBytes += bytes.count
    }

    /// Deletes the oldest files until another one has room.
    private func makeRoom() {
        var files = Self.files(in: settings.directory)
        var total = files.reduce(0) { $0 + $1.bytes }
        while total + settings.maximumFileBytes > settings.maximumTotalBytes, let oldest = files.first {
            files.removeFirst()
            total -= oldest.bytes
            unlink("\(settings.directory)/\(oldest.name)")
        }
    }

    /// The capture files of a directory, the oldest first: their names begin with their time.
    private static func files(in directory: String) -> [(name: String, bytes: Int)] {
        guard let listing = opendir(directory) else { return [] }
        defer { closedir(listing) }
        var found: [(name: String, bytes: Int)] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard name.hasPrefix(prefix), name.hasSuffix(suffix), lstat("\(directory)/\(name)", &status) == 0 else {
                continue
            }
            found.append((name, Int(status.st_size)))
        }
        return found.sorted { $0.name < $1.name }
    }
}
