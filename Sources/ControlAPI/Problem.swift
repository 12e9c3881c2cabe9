/// What the status socket answers when it does not do what was asked: `application/problem+json`. Source: RFC 9457.
public struct Problem: Error, Sendable, Equatable, Codable {
    /// The HTTP status, 400...599.
    public var status: Int
    /// What kind of refusal it is, in a few words.
    public var title: String
    /// A stable name for programs.
    public var code: String
    /// The whole story in one sentence.
    public var detail: String
    /// Where in the request: a JSON pointer, `query.NAME`, `path.NAME` or a header.
    public var pointer: String?
    /// What stood there.
    public var found: String?
    /// What may stand there.
    public var allowed: String?
    /// What is wrong with each row of an import.
    public var faults: [ImportReport.Row]?

    public init(
        status: Int, title: String, code: String, detail: String, pointer: String? = nil, found: String? = nil,
        allowed: String? = nil
    ) {
        self.status = status
        self.title = title
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.found = found
        self.allowed = allowed
    }
}

extension Problem: CustomStringConvertible {
    public var description: String {
        var text = detail
        if let pointer { text += " At: \(pointer)." }
        if let found { text += " Found: \(found)." }
        if let allowed { text += " Allowed: \(allowed)." }
        return text
    }
}
