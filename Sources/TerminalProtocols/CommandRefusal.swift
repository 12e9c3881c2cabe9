/// Why a protocol cannot say a command, in words for the operator who gave it.
public struct CommandRefusal: Error, Sendable, Equatable {
    public var reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}
