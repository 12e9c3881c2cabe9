/// One server-sent event.
public struct ControlEvent: Sendable, Equatable {
    /// `frame`, `incident`, `session` or `command`.
    public var name: String
    /// JSON on one line.
    public var data: String

    public init(name: String, data: String) {
        self.name = name
        self.data = data
    }
}

/// Puts server-sent events together from chunks that end anywhere. Source: HTML standard, section 9.2.6.
public struct ControlEventParser: Sendable {
    private var line: [UInt8] = []
    private var name = ""
    private var data: [String] = []

    public init() {}

    public mutating func append(_ bytes: some Sequence<UInt8>) -> [ControlEvent] {
        var events: [ControlEvent] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if let event = take(String(decoding: line, as: UTF8.self)) { events.append(event) }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func take(_ line: String) -> ControlEvent? {
        if line.isEmpty {
            defer {
                name = ""
                data = []
            }
            return data.isEmpty ? nil : ControlEvent(name: name, data: data.joined(separator: "\n"))
        }
        guard let colon = line.firstIndex(of: ":") else { return nil }
        var value = line[line.index(after: colon)...]
        if value.first == " " { value = value.dropFirst() }
        switch line[..<colon] {
        case "event": name = String(value)
        case "data": data.append(String(value))
        default: break
        }
        return nil
    }
}
