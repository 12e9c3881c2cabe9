import Foundation
import Testing

/// The documents name only what exists: files, scripts, targets of make and subcommands of the programs.
struct DocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static let documents = [
        "README.md", "README.zh-CN.md", "CHANGELOG.md", "docs/architecture.md", "docs/captures.md",
        "docs/configuration.md", "docs/devices.md",
        "docs/fences-geojson.md", "docs/operating.md", "docs/people-csv.md", "docs/performance.md", "docs/protocols.md",
        "docs/webhooks.md",
    ]

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path())
    }

    @Test(arguments: documents) func linksLeadSomewhere(document: String) throws {
        let folder = document.hasPrefix("docs/") ? "docs/" : ""
        for match in try Self.text(document).matches(of: /\]\(([^)\s]+)\)/) {
            let link = String(match.output.1)
            guard !link.hasPrefix("https://") else { continue }
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let path = parts[0].isEmpty ? document : folder + parts[0]
            #expect(Self.exists(path), "\(document) links to \(link)")
            guard parts.count == 2 else { continue }
            #expect(try Self.anchors(path).contains(String(parts[1])), "\(document) links to \(link)")
        }
    }

    /// Anchors of a page as GitHub makes them.
    private static func anchors(_ path: String) throws -> Set<String> {
        let headings = try text(path).split(separator: "\n").filter { $0.hasPrefix("#") }
        return Set(
            headings.map { heading in
                heading.drop { $0 == "#" || $0 == " " }.lowercased()
                    .filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.replacing(" ", with: "-")
            })
    }

    /// `Sources/X`, `scripts/x` and the like in backquotes.
    @Test(arguments: documents) func namedFilesExist(document: String) throws {
        let pattern = /`((?:Sources|Tests|scripts|etc|systemd|udev-rules|docs)(?:\/[A-Za-z0-9._-]+)+)/
        for match in try Self.text(document).matches(of: pattern) {
            #expect(Self.exists(String(match.output.1)), "\(document) names \(match.output.1)")
        }
    }

    @Test func everyFolderOfTheSourcesIsInBothTours() throws {
        for target in try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "Sources").path()) {
            for document in ["README.md", "README.zh-CN.md"] {
                #expect(try Self.text(document).contains("`Sources/\(target)`"), "\(document) lacks \(target)")
            }
        }
    }

    @Test(arguments: documents) func namedTargetsOfMakeExist(document: String) throws {
        let makefile = try Self.text("Makefile")
        for match in try Self.text(document).matches(of: /(?:`|sudo )make ([a-z-]+)/) {
            #expect(makefile.contains("\n\(match.output.1):"), "\(document) names make \(match.output.1)")
        }
    }

    @Test(arguments: documents) func namedSubcommandsExist(document: String) throws {
        let known = [
            "ydtctl": try Self.subcommands(in: "Sources/ydtctl/Commands"),
            "framereplay": try Self.subcommands(in: "Sources/framereplay"),
        ]
        #expect(known.values.allSatisfy { $0.count >= 4 })
        // In a code block or in backquotes.
        let pattern = /(?:\$ |`|^|&& |-q )(ydtctl|framereplay) ([a-z][a-z-]*)/.anchorsMatchLineEndings()
        for match in try Self.text(document).matches(of: pattern) {
            let (program, command) = (String(match.output.1), String(match.output.2))
            #expect(known[program]?.contains(command) == true, "\(document) names \(program) \(command)")
        }
    }

    private static func subcommands(in folder: String) throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path())
        return Set(
            try files.flatMap { file in
                try text("\(folder)/\(file)").matches(of: /commandName: "([a-z-]+)"/).map { String($0.output.1) }
            })
    }
}

/// `make install` and the unit name only what exists and each other.
struct DeploymentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func installedFilesExist() throws {
        let script = try Self.text("scripts/install")
        let files = script.matches(of: /install (?:-D )?-m [0-7]+ ((?:etc|systemd|udev-rules)\/[A-Za-z0-9._-]+)/)
            .map { String($0.output.1) }
        #expect(files.count >= 5)
        for file in files {
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: file).path()), "\(file)")
        }
        let programs = try #require(script.firstMatch(of: /for program in ([a-z -]+);/)).output.1
        for program in programs.split(separator: " ") {
            #expect(try Self.text("Package.swift").contains(".executable(name: \"\(program)\""), "\(program)")
        }
    }

    /// Secrets that the example names without a path are those that the unit loads.
    @Test func credentialsOfTheUnitAreThoseOfTheExample() throws {
        let loaded = try Self.text("systemd/yidiantongd.service").matches(of: /LoadCredential=([a-z0-9.-]+):/)
            .map { String($0.output.1) }
        let named = try Self.text("etc/yidiantong.example.toml").matches(of: /secret_files = \["([a-z0-9.-]+)"\]/)
            .map { String($0.output.1) }
        #expect(!loaded.isEmpty)
        #expect(Set(loaded) == Set(named))
    }
}
