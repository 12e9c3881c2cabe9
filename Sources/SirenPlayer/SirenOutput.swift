/// One way to be heard or seen; each runs on a thread of its own, so that one that hangs takes no other with it.
public protocol SirenOutput: AnyObject, Sendable {
    /// The name in the log and in the self-test.
    var name: String { get }

    /// Sounds, or rests, for a short while (10 to 100 ms) and returns.
    ///
    /// - Parameter sound: what should be heard; nil for quiet.
    /// - Throws: when nothing can be heard or seen; it is called again.
    func step(_ sound: SirenSound?) throws(SirenOutputError)

    /// Plays the daily tone or its like for a second.
    func selfTest() throws(SirenOutputError)

    /// The program ends: the output goes to what it should be without anybody to steer it.
    func stop()
}

/// Why an output cannot be heard.
public struct SirenOutputError: Error, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}
