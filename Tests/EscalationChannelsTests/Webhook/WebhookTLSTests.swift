import Foundation
import NIOSSL
import Testing

/// An authority and two server certificates, made by the `openssl` command.
struct TestCertificates: Sendable {
    let directory: TemporaryDirectory
    var authority: String { directory.path("ca.pem") }

    init() throws {
        directory = try TemporaryDirectory()
        try openssl(["req", "-x509", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem"] + key)
        try issue("good", names: "DNS:localhost,IP:127.0.0.1")
        try issue("other", names: "DNS:other.example")
    }

    private let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    private func issue(_ name: String, names: String) throws {
        try openssl(
            [
                "req", "-x509", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "\(name).key",
                "-out", "\(name).pem",
            ] + key)
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = directory.url
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
    }

    func context(_ name: String) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(directory.path("\(name).pem")).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: directory.path("\(name).key"), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }
}

@Suite struct WebhookTLSTests {
    @Test(arguments: ["localhost", "127.0.0.1"]) func aTrustedTargetIsReached(host: String) async throws {
        let certificates = try TestCertificates()
        try await HTTPPeer.with([.respond(200)], tls: certificates.context("good")) { peer in
            let fixture = try ChannelFixture(
                url: "https://\(host):\(peer.port)/", certificateAuthorityFile: certificates.authority)
            let results = try await fixture.send(3)
            #expect(results.allSatisfy { $0.text.hasPrefix("accepted HTTP 200") }, "\(results)")
            #expect(peer.connections == 1)
        }
    }

    @Test func anUntrustedCertificateIsRefused() async throws {
        let certificates = try TestCertificates()
        try await HTTPPeer.with([.respond(200)], tls: certificates.context("good")) { peer in
            let result = try #require(
                try await ChannelFixture(url: "https://localhost:\(peer.port)/").send().first)
            #expect(result.text.hasPrefix("retry after - channel_tls_failed: "), "\(result.text)")
            #expect(peer.requests.isEmpty)
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1"]) func aWrongHostNameIsRefused(host: String) async throws {
        let certificates = try TestCertificates()
        try await HTTPPeer.with([.respond(200)], tls: certificates.context("other")) { peer in
            let fixture = try ChannelFixture(
                url: "https://\(host):\(peer.port)/", certificateAuthorityFile: certificates.authority)
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasPrefix("retry after - channel_tls_failed: "), "\(result.text)")
            #expect(peer.requests.isEmpty)
        }
    }

    @Test func anUnlistedAddressGetsNothingOverTLSEither() async throws {
        let certificates = try TestCertificates()
        try await HTTPPeer.with([.respond(200)], tls: certificates.context("good")) { peer in
            let fixture = try ChannelFixture(
                url: "https://localhost:\(peer.port)/", certificateAuthorityFile: certificates.authority, allowed: [])
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasPrefix("retry after - channel_address_forbidden: 127.0.0.1 "), "\(result.text)")
            #expect(peer.requests.isEmpty)
        }
    }

    @Test func aPeerWithoutTLSIsRefused() async throws {
        try await HTTPPeer.with([.respond(200)]) { peer in
            let result = try #require(
                try await ChannelFixture(url: "https://localhost:\(peer.port)/", totalMilliseconds: 500).send().first)
            #expect(result.text.hasPrefix("retry after - channel_"), "\(result.text)")
            #expect(peer.requests.isEmpty)
        }
    }
}
