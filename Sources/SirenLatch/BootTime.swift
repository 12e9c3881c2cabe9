import Glibc

/// A moment on the clock that counts from the start of the machine, also while it sleeps, and that nobody can set.
///
/// Moments of different boots cannot be compared; whoever finds another boot's moment takes the loud side.
public struct BootTime: Sendable, Equatable {
    /// The kernel's random name of this boot, 36 characters; empty when the kernel tells none.
    public var bootID: String
    public var milliseconds: Int64

    public init(bootID: String, milliseconds: Int64) {
        self.bootID = bootID
        self.milliseconds = milliseconds
    }

    public static func now() -> BootTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return BootTime(
            bootID: presentBootID, milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Milliseconds from `earlier` to this moment; nil when the machine was started in between, or for a number that nobody
    /// but a hand can have written.
    public func milliseconds(since earlier: BootTime) -> Int64? {
        guard bootID == earlier.bootID else { return nil }
        let (difference, hasOverflown) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return hasOverflown ? nil : difference
    }

    public func adding(milliseconds: Int64) -> BootTime {
        BootTime(bootID: bootID, milliseconds: self.milliseconds &+ milliseconds)
    }

    private static let presentBootID: String = {
        guard case .bytes(let bytes) = FileContents.read("/proc/sys/kernel/random/boot_id") else { return "" }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }()
}
