internal import CReactor

/// What the operating system refused, in words for a log or a configuration error.
public struct ReactorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, with its object: `bind 127.0.0.1:7611`.
    public let operation: String
    /// The errno value.
    public let code: Int32

    public init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// The system's sentence for `code`, for example `Permission denied`.
    public var reason: String {
        systemText(code)
    }

    public var description: String {
        "\(operation): \(reason)"
    }
}

/// The system's sentence for an errno value.
func systemText(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { room in
        guard let start = room.baseAddress, reactor_error_text(code, start, room.count) == 0 else {
            return "error \(code)"
        }
        return String(cString: start)
    }
}

/// Turns the shim's negated errno into an error.
@discardableResult
func checked(_ result: Int32, _ operation: @autoclosure () -> String) throws(ReactorError) -> Int32 {
    guard result < 0 else { return result }
    throw ReactorError(operation: operation(), code: -result)
}
