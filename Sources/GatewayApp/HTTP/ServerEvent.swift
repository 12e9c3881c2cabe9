/// One line of `GET /v1/events`.
public struct ServerEvent: Sendable, Equatable {
    /// `frame`, `incident`, `session`, `command`; empty for a sign of life.
    public var name: String
    /// JSON on one line.
    public var data: String

    public init(name: String, data: String) {
        self.name = name
        self.data = data
    }

    static let signOfLife = ServerEvent(name: "", data: "")

    /// The bytes on the wire. Source: HTML standard, section 9.2.6.
    var wireText: String {
        name.isEmpty ? ": alive\n\n" : "event: \(name)\ndata: \(data)\n\n"
    }
}
