import Glibc

extension LatchDirectory {
    /// So long somebody else may hold the lock; then it counts as held by a process that hangs.
    static let lockMilliseconds = 300

    /// Runs `body` while no other process changes the directory. A lock that stays held must not keep the siren from
    /// sounding, so after a short wait `body` runs without it; each write is whole by itself.
    func withLock<Value>(_ body: () throws(LatchError) -> Value) throws(LatchError) -> Value {
        let lockPath = path + "/lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
        guard descriptor >= 0 else { throw LatchError(action: "open", path: lockPath, errno: errno) }
        defer { close(descriptor) }
        var tries = Self.lockMilliseconds / 10
        while tries > 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            tries -= 1
            usleep(10_000)
        }
        return try body()
    }

    /// Puts `text` at `target` so that it survives a power cut, or leaves what was there.
    func write(_ text: String, to target: String) throws(LatchError) {
        let temporary = target + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o660)
        guard descriptor >= 0 else { throw LatchError(action: "create", path: temporary, errno: errno) }
        try writeSynced(Array(text.utf8), to: descriptor, path: temporary)
        guard rename(temporary, target) == 0 else { throw LatchError(action: "rename", path: temporary, errno: errno) }
        try syncDirectory()
    }

    /// Removes a file so that it stays removed after a power cut; one that is not there is no fault.
    func remove(_ target: String) throws(LatchError) {
        guard unlink(target) == 0 || errno == ENOENT else {
            throw LatchError(action: "remove", path: target, errno: errno)
        }
        try syncDirectory()
    }

    private func writeSynced(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(LatchError) {
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { room in
                Glibc.write(descriptor, room.baseAddress.map { $0 + done }, room.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw LatchError(action: "write", path: path, errno: errno)
            }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw LatchError(action: "sync", path: path, errno: errno) }
    }

    private func syncDirectory() throws(LatchError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LatchError(action: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LatchError(action: "sync", path: path, errno: errno) }
    }
}
