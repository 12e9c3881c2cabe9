import Foundation
import SirenLatch

/// A latch directory that goes when its owner does.
final class FreshDirectory: Sendable {
    let latch: LatchDirectory

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "siren-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        latch = LatchDirectory(path: url.path())
    }

    deinit {
        try? FileManager.default.removeItem(atPath: latch.path)
    }
}
