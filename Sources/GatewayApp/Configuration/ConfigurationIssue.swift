/// One thing that is wrong in a configuration file, said so that the reader can put it right.
public struct ConfigurationIssue: Sendable, Equatable {
    /// The file as it was named to the program.
    public var file: String
    /// 1 is the first line; nil when the fault has no line, for example a file that cannot be read.
    public var line: Int?
    /// For example `policy[0].steps[1].targets`; empty for a fault of the whole file.
    public var keyPath: String
    /// What stands there.
    public var found: String
    /// What may stand there.
    public var allowed: String

    public init(file: String, line: Int?, keyPath: String, found: String, allowed: String) {
        self.file = file
        self.line = line
        self.keyPath = keyPath
        self.found = found
        self.allowed = allowed
    }
}

extension ConfigurationIssue: CustomStringConvertible {
    /// `FILE:LINE: KEY: found WHAT; allowed: WHAT`.
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        let key = keyPath.isEmpty ? "" : " \(keyPath):"
        return "\(place):\(key) found \(found); allowed: \(allowed)"
    }
}

/// Everything that is wrong in a configuration; nothing of it is in force.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var issues: [ConfigurationIssue]

    public init(issues: [ConfigurationIssue]) {
        self.issues = issues
    }

    public var description: String {
        issues.map(\.description).joined(separator: "\n")
    }
}
