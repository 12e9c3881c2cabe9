import Foundation
import NIOSSL
import Reactor
import Testing

@testable import TerminalTLS

/// Answers every byte with the next one, on a loop of its own.
private final class Counter: ConnectionHandler {
    func opened(_ connection: Connection, from origin: ConnectionOrigin, on loop: EventLoop) {}

    func received(_ connection: Connection, bytes: Span<UInt8>, on loop: EventLoop) -> Int {
        var answer: [UInt8] = []
        for index in 0..<bytes.count { answer.append(bytes[index] &+ 1) }
        loop.write(connection, answer)
        return bytes.count
    }

    func keepsOpenAfterEndOfInput(_ connection: Connection, on loop: EventLoop) -> Bool {
        loop.write(connection, [99])
        loop.close(connection, reason: .endOfInput)
        return true
    }

    func closed(_ connection: Connection, reason: CloseReason, on loop: EventLoop) {}
}

private final class Server: Sendable {
    let thread: ReactorThread
    let port: UInt16

    init(_ identity: TLSIdentity, limits: ReactorLimits = ReactorLimits()) throws {
        let socket = try ListeningSocket(binding: SocketAddress(ipv4: 0x7F00_0001, port: 0), limits: limits)
        port = socket.address.port
        thread = try ReactorThread.start(name: "tls", limits: limits) { loop in
            try loop.listen(socket, tag: 0, filter: identity.makeFilters())
            return Counter()
        }
    }

    deinit {
        thread.stop(drainMilliseconds: 0)
        thread.waitUntilStopped(milliseconds: 10_000)
    }
}

@Suite struct TLSFilterTests {
    private let certificates: Certificates

    init() throws { certificates = try Certificates() }

    private func identity(_ authority: String, clients: Bool = false) throws -> TLSIdentity {
        try TLSIdentity(TLSCredentials(reading: certificates.files(authority, clients: clients)))
    }

    @Test(arguments: [TLSVersion.tlsv12, .tlsv13]) func bytesGoThroughBothWays(version: TLSVersion) throws {
        let server = try Server(identity("old"))
        let client = try TLSClient(certificates.client("old", maximum: version), port: server.port)
        #expect(client.handshake() == nil)
        client.send([1, 2, 3])
        #expect(client.read() == [2, 3, 4])
        // More than one TLS record and more than one read.
        let many = [UInt8](repeating: 7, count: 40_000)
        client.send(many)
        var answer: [UInt8] = []
        while answer.count < many.count, let more = client.read(), !more.isEmpty { answer += more }
        #expect(answer == [UInt8](repeating: 8, count: 40_000))
        #expect(server.thread.counters.handshakesCompleted == 1)
    }

    @Test func olderVersionsAreRefused() throws {
        let server = try Server(identity("old"))
        let client = try TLSClient(certificates.client("old", maximum: .tlsv11), port: server.port)
        #expect(client.handshake() != nil)
    }

    @Test func theClientsAuthorityDecidesWhoComesIn() throws {
        let server = try Server(identity("old", clients: true))
        let known = try TLSClient(certificates.client("old", client: "old"), port: server.port)
        #expect(known.handshake() == nil)
        known.send([1])
        #expect(known.read() == [2])
        for stranger in [nil, "new"] {
            let client = try TLSClient(certificates.client("old", client: stranger), port: server.port)
            // With TLS 1.3 the client has done its part before the gateway looks at its certificate.
            let refused = client.handshake() != nil
            client.send([1])
            #expect(refused || client.read() == [], "\(stranger ?? "no certificate") came in")
        }
    }

    @Test func anEndInsideTLSStillGetsTheAnswer() throws {
        let server = try Server(identity("old"))
        let client = try TLSClient(certificates.client("old"), port: server.port)
        #expect(client.handshake() == nil)
        client.endOutput()
        #expect(client.read() == [99])
        #expect(client.read() == [])
    }

    @Test func whatIsNoTLSEndsTheConnectionAndNothingElse() throws {
        let server = try Server(identity("old"))
        let good = try TLSClient(certificates.client("old"), port: server.port)
        #expect(good.handshake() == nil)
        let noise = try TLSClient(certificates.client("old"), port: server.port)
        noise.sendRaw(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        // What is no TLS may come behind the gateway's part of the handshake; then the client learns of the end by reading.
        #expect(noise.handshake() != nil || noise.read() == [])
        let broken = try TLSClient(certificates.client("old"), port: server.port)
        #expect(broken.handshake() == nil)
        broken.sendRaw([23, 3, 3, 0, 20] + [UInt8](repeating: 1, count: 20))
        #expect(broken.read() == [])
        good.send([5])
        #expect(good.read() == [6])
    }

    @Test func newFilesServeNewConnectionsAndOldOnesStay() throws {
        let identity = try identity("old")
        let server = try Server(identity)
        let before = try TLSClient(certificates.client("old"), port: server.port)
        #expect(before.handshake() == nil)
        try certificates.replace("old", by: "new")
        try identity.use(TLSCredentials(reading: certificates.files("old")))
        let after = try TLSClient(certificates.client("new"), port: server.port)
        #expect(after.handshake() == nil)
        #expect(try TLSClient(certificates.client("old"), port: server.port).handshake() != nil)
        before.send([1])
        #expect(before.read() == [2])
    }

    @Test func filesThatCannotBeUsedAreNamed() throws {
        func fault(_ files: TLSFiles) -> TLSFileError? {
            #expect(throws: TLSFileError.self) { try TLSCredentials(reading: files) }
        }
        #expect(fault(TLSFiles(certificate: "/missing.pem", key: "/missing.key"))?.role == .certificate)
        var files = certificates.files("new")
        files.key = certificates.path("new-client.key")
        #expect(fault(files)?.role == .key, "the key is another certificate's")
        files = certificates.files("new")
        files.clientAuthority = certificates.path("missing.pem")
        #expect(fault(files)?.role == .clientAuthority)
        try certificates.overwrite("old-server.key", "no key")
        let error = fault(certificates.files("old"))
        #expect(error?.description.contains(certificates.path("old-server.key")) == true)
        try certificates.overwrite("new-server.pem", "")
        #expect(fault(certificates.files("new"))?.role == .certificate)
    }
}
