import Foundation
import Testing

/// Every protocol has the same files, so that who knows one finds the way in all of them.
struct ProtocolFolderTests {
    /// Each file of a protocol is one of these with the protocol's name in front, or `+Family` behind one of them.
    private static let layers: [String: Set<String>] = [
        "TerminalProtocols": [
            "", "Framer", "Frame", "Messages", "Codec", "Alarms", "Events", "Fields", "Commands", "Explain",
            "OfflineDecoder",
        ],
        "TerminalSession": ["Session", "TerminalState"],
    ]
    private static let maximumLines = 700

    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

    @Test(arguments: ["TerminalProtocols", "TerminalSession"])
    func everyProtocolHasTheSameFiles(target: String) throws {
        let base = try #require(Self.layers[target])
        let folders = try Self.folders(of: target)
        #expect(folders.contains("JT808"))
        #expect(folders.contains("_Template"))
        for folder in folders {
            let prefix = folder == "_Template" ? "Template" : folder
            var found: Set<String> = []
            for file in try Self.swiftFiles(in: "\(target)/\(folder)") {
                guard file.hasPrefix(prefix) else {
                    Issue.record("\(target)/\(folder)/\(file) does not begin with \(prefix)")
                    continue
                }
                let parts = file.dropFirst(prefix.count).dropLast(".swift".count).split(
                    separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(parts[0])
                #expect(base.contains(name), "\(target)/\(folder)/\(file) is in no other protocol: name it X+Family")
                if parts.count == 1 { found.insert(name) }
            }
            let missing = base.subtracting(found).map { "\(prefix)\($0).swift" }.sorted()
            #expect(missing.isEmpty, "\(target)/\(folder) has no \(missing.joined(separator: ", "))")
        }
    }

    @Test(arguments: ["TerminalProtocols", "TerminalSession"])
    func noFileIsTooLong(target: String) throws {
        for folder in try Self.folders(of: target) {
            for file in try Self.swiftFiles(in: "\(target)/\(folder)") {
                let path = Self.sources.appending(path: "\(target)/\(folder)/\(file)")
                let lines = try String(contentsOf: path, encoding: .utf8).count { $0 == "\n" }
                #expect(lines <= Self.maximumLines, "\(target)/\(folder)/\(file) has \(lines) lines")
            }
        }
    }

    private static func folders(of target: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            at: sources.appending(path: target), includingPropertiesForKeys: [.isDirectoryKey]
        ).filter { $0.hasDirectoryPath }.map(\.lastPathComponent).sorted()
    }

    private static func swiftFiles(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: sources.appending(path: folder).path())
            .filter { $0.hasSuffix(".swift") }.sorted()
    }
}
