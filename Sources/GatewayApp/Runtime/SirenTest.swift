import ControlAPI
import SirenLatch

/// Asks the siren program, which is another process, for its tone, and waits until it says what was heard.
struct SirenTest: Sendable {
    /// The tone lasts a second on each output, and a relay board has a few seconds.
    static let waitMilliseconds = 15_000
    private static let lookMilliseconds = 100

    let directory: LatchDirectory

    /// - Throws: a problem when the siren sounds already, or nobody answers.
    func run(waitMilliseconds: Int = Self.waitMilliseconds) async throws -> SirenTestReport {
        guard directory.latch() == .clear else {
            throw Problem.conflict("The siren sounds already; a test would not be heard.")
        }
        guard directory.isWatched else {
            throw Self.impossible("No siren watches \(directory.path). Does yidiantong-siren run there?")
        }
        let last = directory.selfTest()
        do {
            try directory.requestTest()
        } catch {
            throw Self.impossible("The wish could not be written: \(error).")
        }
        for _ in 0..<max(1, waitMilliseconds / Self.lookMilliseconds) {
            try await Task.sleep(for: .milliseconds(Self.lookMilliseconds))
            guard let test = directory.selfTest(), test != last else { continue }
            return SirenTestReport(at: test.at, outputs: test.outputs, failures: test.failures)
        }
        try? directory.withdrawTest()
        throw Self.impossible("The siren has not answered within \(waitMilliseconds / 1000) s; its log says why.")
    }

    private static func impossible(_ detail: String) -> Problem {
        Problem(status: 503, title: "Not possible now", code: "siren_silent", detail: detail)
    }
}
