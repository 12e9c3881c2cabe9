public import TerminalModel
public import TerminalProtocols

/// The keys of a site's panels, as its key file lists them: an account and its key a line, `*` for every account without a line of its
/// own. Blank lines and lines that begin with `#` are passed over.
///
///     # account   key
///     100001      hex:00112233445566778899aabbccddeeff
///     *           text:0123456789ABCDEF
public struct DC09KeyTable: Sendable {
    /// One line a panel of the largest site is below this.
    public static let maximumFileBytes = 64 << 20

    private var keys: [TerminalID: DC09Key] = [:]
    private var common: DC09Key?

    /// What is wrong with which line; it never shows a key.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        public var line: Int
        public var text: String

        public var description: String { "line \(line): \(text)" }
    }

    /// No key: every panel speaks in clear text.
    public init() {}

    public init(_ text: String) throws(Problem) {
        // CR LF is one character, which `isNewline` knows.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let account = words.first, !account.hasPrefix("#") else { continue }
            func problem(_ text: String) -> Problem { Problem(line: index + 1, text: text) }
            guard words.count == 2 else { throw problem("expected an account and a key, found \(words.count) words") }
            let key: DC09Key
            do {
                key = try DC09Key(words[1])
            } catch {
                throw problem(error.description)
            }
            if account == "*" {
                guard common == nil else { throw problem("a second key for every account") }
                common = key
            } else {
                let header = DC09Header(.null, sequence: 0, account: String(account))
                guard account.utf8.count <= 16 else { throw problem("an account has at most 16 digits") }
                guard keys.updateValue(key, forKey: header.terminal) == nil else {
                    throw problem("a second key for account \(account)")
                }
            }
        }
    }

    /// Why a key file is not used, in one sentence that names no key.
    public struct FileProblem: Error, Sendable, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// Reads a key file.
    ///
    /// - Throws: when it cannot be read, everybody may read it, or a line is wrong.
    public init(contentsOf path: String) throws(FileProblem) {
        switch SecretFile.read(path, maximumBytes: Self.maximumFileBytes) {
        case .failure(let reason): throw FileProblem(description: "\(path): \(reason.text)")
        case .success(let bytes):
            do {
                try self.init(String(decoding: bytes, as: UTF8.self))
            } catch {
                throw FileProblem(description: "\(path): \(error)")
            }
        }
    }

    /// The key of a panel; nil for one that speaks in clear text.
    public func cipher(of account: TerminalID) -> DC09Cipher? {
        (keys[account] ?? common)?.cipher
    }
}
