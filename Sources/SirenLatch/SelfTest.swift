public import TerminalModel

/// How a self-test of the siren ended; the file `self-test` tells it to the gateway.
///
///     at 2026-03-14T02:00:01.120Z
///     output alsa default
///     failure sound device "default" cannot be opened: No such device
public struct SelfTest: Sendable, Equatable {
    public var at: Timestamp
    public var outputs: [String]
    /// Empty when every output could be heard.
    public var failures: [String]

    public init(at: Timestamp, outputs: [String], failures: [String]) {
        self.at = at
        self.outputs = outputs
        self.failures = failures
    }

    var text: String {
        let lines = ["at \(at)"] + outputs.map { "output \($0)" } + failures.map { "failure \($0)" }
        return lines.map { String($0.map { $0.isNewline ? " " : $0 }) + "\n" }.joined()
    }

    init?(text: String) {
        var at: Timestamp?
        var outputs: [String] = []
        var failures: [String] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "at": at = Timestamp(parts[1])
            case "output": outputs.append(parts[1])
            case "failure": failures.append(parts[1])
            default: continue
            }
        }
        guard let at else { return nil }
        self.init(at: at, outputs: outputs, failures: failures)
    }
}

extension LatchDirectory {
    /// nil while there was none.
    public func selfTest() -> SelfTest? {
        guard case .bytes(let bytes) = FileContents.read(path + "/self-test") else { return nil }
        return SelfTest(text: String(decoding: bytes, as: UTF8.self))
    }

    public func write(_ test: SelfTest) throws(LatchError) {
        try write(test.text, to: path + "/self-test")
    }
}
