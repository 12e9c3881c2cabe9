import TerminalModel

/// Why something asked of the pipeline was not done.
public struct PipelineError: Error, Sendable, CustomStringConvertible {
    /// Stable names on every interface.
    public enum Code: String, Sendable, CaseIterable {
        /// It is in force, but not on the disk yet; it is stored as soon as the store works.
        case notDurable = "incident_not_durable"
        /// It was not stored and is not in force.
        case notStored = "store_commit_failed"
        case numberRefused = "number_refused"
        case queueFull = "queue_full"
        case notFound = "not_found"
        case invalid = "request_invalid"
        case conflict
        case stopped
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
