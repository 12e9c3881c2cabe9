import Foundation
import Testing

@testable import GatewayApp

/// `docs/configuration.md` says of each key what the reader of the file says.
@Suite struct ConfigurationPageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Section of the page, and a text that opens the table, with `KEYS` where its keys stand.
    private static let tables: [(section: String, text: String)] = [
        ("[gateway]", "[gateway]\nKEYS"), ("[[listener]]", "[[listener]]\nKEYS"), ("[[serial]]", "[[serial]]\nKEYS"),
        ("[[serial]] match", "[[serial]]\nmatch = { KEYS }"), ("[gpsd]", "[gpsd]\nKEYS"),
        ("[reactor]", "[reactor]\nKEYS"), ("[sessions]", "[sessions]\nKEYS"), ("[dc09]", "[dc09]\nKEYS"),
        ("[store]", "[store]\nKEYS"), ("[capture]", "[capture]\nKEYS"),
        ("[rules]", "[rules]\nKEYS"), ("[chase]", "[chase]\nKEYS"),
        ("[supervision]", "[supervision]\nKEYS"), ("[[service]]", "[[service]]\nKEYS"),
        ("[[roster]]", "[[roster]]\nKEYS"), ("[[target]]", "[[target]]\nKEYS"), ("[[policy]]", "[[policy]]\nKEYS"),
        ("[[policy]]", "[[policy]]\nsteps = [{ KEYS }]"), ("[[model]]", "[[model]]\nKEYS"),
    ]

    private static func allowed(_ text: String, atKeyEndingWith key: String) -> String? {
        do {
            _ = try GatewayConfiguration.parse(text, file: "test")
            return nil
        } catch {
            return error.issues.first { $0.keyPath.hasSuffix(".\(key)") }?.allowed
        }
    }

    /// The rows of a section by their key.
    private static func rows(_ section: String) throws -> [String: String] {
        let page = try text("docs/configuration.md")
        let part = page.components(separatedBy: "\n## ").first { $0.hasPrefix("`\(section)`") } ?? ""
        return Dictionary(
            part.split(separator: "\n").compactMap { line in
                line.prefixMatch(of: /\| `([a-z_]+)`/).map { (String($0.output.1), String(line)) }
            }, uniquingKeysWith: { first, second in first + second })
    }

    @Test(arguments: tables.indices) func everyKeyIsOnThePage(index: Int) throws {
        let (section, text) = Self.tables[index]
        let rows = try Self.rows(section)
        let unknown = try #require(
            Self.allowed(text.replacing("KEYS", with: "no_such_key = 1"), atKeyEndingWith: "no_such_key"))
        let keys = unknown.components(separatedBy: "Known here: ")[1].components(separatedBy: ", ")
        #expect(!keys.isEmpty)
        for key in keys {
            guard let row = rows[key] else {
                Issue.record("\(section) \(key) is not on the page")
                continue
            }
            // A value of a type that no key has but the two flags, which refuse a number.
            let wrong =
                Self.allowed(text.replacing("KEYS", with: "\(key) = 2026-03-14"), atKeyEndingWith: key) ?? ""
            if let range = wrong.firstMatch(of: /integer from (\d+) to (\d+)/) {
                #expect(row.contains("\(range.output.1) to \(range.output.2)"), "\(section) \(key): \(wrong)")
            } else if wrong.hasPrefix("a string: \"") {
                for word in wrong.matches(of: /"([a-z0-9_]+)"/) {
                    #expect(row.contains("`\(word.output.1)`"), "\(section) \(key): \(wrong)")
                }
            }
        }
        if !["[[policy]]", "[[roster]]"].contains(section) { #expect(Set(rows.keys) == Set(keys)) }
    }

    /// What stands in the example as a comment is a default, and the page shows the same.
    @Test func defaultsAreThoseOfTheExample() throws {
        var section = ""
        var compared = 0
        for line in try Self.text("etc/yidiantong.example.toml").split(separator: "\n") {
            if line.hasPrefix("[") { section = String(line) }
            guard section.hasPrefix("["), !section.hasPrefix("[["),
                let match = line.prefixMatch(of: /# ([a-z_]+) = ("[^"]*"|\S+)/)
            else { continue }
            let row = try Self.rows(section)[String(match.output.1)] ?? ""
            #expect(row.contains("| `\(match.output.2)` |"), "\(section) \(match.output.1) = \(match.output.2)")
            compared += 1
        }
        #expect(compared >= 15)
    }
}
