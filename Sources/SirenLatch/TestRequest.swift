import Glibc

/// The gateway asks for a self-test; the siren that watches the directory takes the wish away and answers with `self-test`.
extension LatchDirectory {
    private var requestPath: String { path + "/test-request" }
    private var watchedPath: String { path + "/watched" }

    public func requestTest() throws(LatchError) {
        try write("test\n", to: requestPath)
    }

    /// Takes back a wish that nobody has answered.
    public func withdrawTest() throws(LatchError) {
        try remove(requestPath)
    }

    /// - Returns: true when a test was asked for; once for each wish.
    public func takeTestRequest() -> Bool {
        guard case .bytes = FileContents.read(requestPath) else { return false }
        // One that cannot be removed would be played without end.
        return (try? remove(requestPath)) != nil
    }

    /// Shows that a siren watches the directory, until this process ends in whatever way.
    public func markWatched() throws(LatchError) {
        let descriptor = open(watchedPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
        guard descriptor >= 0 else { throw LatchError(action: "open", path: watchedPath, errno: errno) }
        // Shared, so that a second siren is not kept from sounding.
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            throw LatchError(action: "lock", path: watchedPath, errno: errno)
        }
    }

    /// True while a siren runs that watches the directory.
    public var isWatched: Bool {
        let descriptor = open(watchedPath, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
