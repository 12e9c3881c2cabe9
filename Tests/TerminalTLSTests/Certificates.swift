import Foundation
import NIOSSL
import TerminalTLS
import Testing

/// Two authorities with a server and a client certificate each, made by the `openssl` command; gone with the value.
final class Certificates: Sendable {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "ydt-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for authority in ["old", "new"] {
            try openssl("req -x509 -subj /CN=\(authority) -keyout \(authority).key -out \(authority).pem")
            for name in ["server", "client"] {
                try openssl(
                    """
                    req -x509 -subj /CN=\(name) -addext subjectAltName=IP:127.0.0.1 \
                    -addext basicConstraints=critical,CA:FALSE -CA \(authority).pem -CAkey \(authority).key \
                    -keyout \(authority)-\(name).key -out \(authority)-\(name).pem
                    """)
            }
        }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appending(path: name).path() }

    func files(_ authority: String, clients: Bool = false) -> TLSFiles {
        TLSFiles(
            certificate: path("\(authority)-server.pem"), key: path("\(authority)-server.key"),
            clientAuthority: clients ? path("\(authority).pem") : nil)
    }

    /// A client that believes `authority`, and shows the certificate of `client` if there is one.
    func client(
        _ authority: String, client: String? = nil, maximum: TLSVersion? = nil
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(path("\(authority).pem"))
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion = maximum
        if let client {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path("\(client)-client.pem")).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(file: path("\(client)-client.key"), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Puts the files of another authority in the place of those of `authority`, as a renewal does.
    func replace(_ authority: String, by other: String) throws {
        for name in ["server.pem", "server.key"] {
            let target = directory.appending(path: "\(authority)-\(name)")
            try FileManager.default.removeItem(at: target)
            try FileManager.default.copyItem(at: directory.appending(path: "\(other)-\(name)"), to: target)
        }
    }

    func overwrite(_ name: String, _ text: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["openssl"] + arguments.split(separator: " ").map(String.init)
            + ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        process.currentDirectoryURL = directory
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
    }
}
