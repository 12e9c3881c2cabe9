/// Why a tool could not do what was asked, in one sentence for a person.
public struct ReplayFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The request itself makes no sense: an unknown address form, a file that is not there.
        case usage
        /// A limit of this machine stands in the way.
        case limit
        /// The other side could not be reached.
        case unreachable
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
