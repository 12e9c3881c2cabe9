import AlarmFormats
import Foundation
import GatewayTelemetry
import TerminalModel
import Testing

@testable import EscalationChannels

@Suite struct WebhookTargetTests {
    private func target(_ url: String, allowed: [String] = [], plain: Bool = false) -> WebhookTarget {
        WebhookTarget(
            name: "care-hub", url: url, secretFiles: ["/secret"],
            allowedAddresses: allowed.compactMap { AddressRange($0) }, allowsPlainHTTP: plain)
    }

    @Test(arguments: [
        "http://hub.example/", "ftp://hub.example/", "hub.example", "https://", "https://a:b@hub.example/",
        "https://hub.example/#x", "https://hub.example:0/", "https://127.0.0.1/", "https://10.1.2.3/",
        "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://0.0.0.0/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://100.64.0.1/",
    ]) func refusesUnsafeAddresses(url: String) {
        #expect(throws: ChannelConfigurationError.self) { try target(url).validate() }
    }

    @Test func takesSafeOnes() throws {
        try target("https://hub.example/hooks").validate()
        try target("https://203.0.113.7:8443/hooks").validate()
        try target("https://10.1.2.3/", allowed: ["10.1.0.0/16"]).validate()
        try target("https://[fd00::1]/", allowed: ["fd00::/8"]).validate()
        try target("http://127.0.0.1:8080/", allowed: ["127.0.0.1"], plain: true).validate()
        try target("http://[::ffff:127.0.0.1]:8080/", allowed: ["127.0.0.1"], plain: true).validate()
        try target("http://hub.internal/", allowed: ["10.0.0.0/8"], plain: true).validate()
    }

    @Test func plainHTTPGoesOnlyToListedAddresses() {
        #expect(throws: ChannelConfigurationError.self) { try target("http://203.0.113.7/", plain: true).validate() }
        #expect(throws: ChannelConfigurationError.self) {
            try target("http://203.0.113.7/", allowed: ["127.0.0.1"], plain: true).validate()
        }
        #expect(throws: ChannelConfigurationError.self) {
            try target("http://127.0.0.1/", allowed: ["127.0.0.1"], plain: false).validate()
        }
    }

    @Test func rangesAreReadAndCompared() throws {
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/8/8", "", "/8", "x", "10.0.0.0/-1"] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
        let everything = try #require(AddressRange("0.0.0.0/0"))
        #expect(everything.contains(try #require(IPAddress("203.0.113.7"))))
        #expect(!everything.contains(try #require(IPAddress("2001:db8::1"))))
        let half = try #require(AddressRange("10.128.0.0/9"))
        #expect(half.contains(try #require(IPAddress("10.255.255.255"))))
        #expect(!half.contains(try #require(IPAddress("10.127.255.255"))))
        let one = try #require(AddressRange("fd00::1"))
        #expect(one.contains(try #require(IPAddress("fd00::1"))))
        #expect(!one.contains(try #require(IPAddress("fd00::2"))))
    }

    @Test(arguments: ["8.8.8.8", "203.0.113.7", "2606:4700::1111", "::ffff:8.8.8.8", "172.32.0.1", "11.0.0.0"])
    func publicAddressesAreNotSpecial(text: String) throws {
        #expect(try !#require(IPAddress(text)).isSpecial)
    }

    @Test func aNameThatLeadsToLoopbackGetsNothing() async throws {
        try await HTTPPeer.with([.respond(200)]) { peer in
            let allowed = [try #require(AddressRange("10.0.0.0/8"))]
            for host in ["localhost", "127.1", "0x7f000001"] {
                let fixture = try ChannelFixture(url: "http://\(host):\(peer.port)/", allowed: allowed)
                let result = try #require(try await fixture.send().first)
                #expect(result.text.contains("channel_address_forbidden: 127.0.0.1 is not listed"), "\(result.text)")
            }
            #expect(peer.requests.isEmpty)
        }
    }

    @Test func secretsComeFromProtectedFiles() throws {
        let directory = try TemporaryDirectory()
        func load(_ name: String, _ credentials: String? = nil) throws -> WebhookSecret {
            try SecretFile.load(name, target: "care-hub", credentialsDirectory: credentials)
        }
        func message(_ name: String, _ credentials: String? = nil) -> String {
            do {
                _ = try load(name, credentials)
                return "none"
            } catch {
                return "\(error)"
            }
        }
        let good = try directory.write("good", Fixture.secret + "\r\n", mode: 0o440)
        #expect(try load(good) == WebhookSecret(Fixture.secret))
        #expect(try load("good", directory.url.path) == WebhookSecret(Fixture.secret))
        #expect(message("good").contains("$CREDENTIALS_DIRECTORY is not set"))
        #expect(message("../good", directory.url.path).contains("neither an absolute path nor"))
        #expect(message("absent", directory.url.path).contains("No such file"))
        let open = try directory.write("open", Fixture.secret, mode: 0o644)
        #expect(message(open).contains("everybody may use this file (mode 644)"))
        let broken = try directory.write("broken", "whsec_AAAA")
        #expect(message(broken).contains("a signing secret has 24 to 64 bytes, found 3"))
        let large = try directory.write("large", String(repeating: "x", count: 5_000))
        #expect(message(large).contains("larger than any secret"))
        #expect(message(directory.url.path).contains("not a regular file"))
    }

    @Test func badFilesAreReportedByKey() throws {
        let directory = try TemporaryDirectory()
        var target = target("https://hub.example/")
        target.secretFiles = [try directory.write("secret", Fixture.secret)]
        target.certificateAuthorityFile = try directory.write("ca.pem", "no certificate")
        let error = #expect(throws: ChannelConfigurationError.self) {
            try WebhookChannel(target, gateway: "g", logger: Fixture.silent)
        }
        #expect(error?.key == "ca_file")
        target.secretFiles = []
        #expect(throws: ChannelConfigurationError.self) { try target.validate() }
    }

    @Test(arguments: [
        ("0", 0), ("120", 120_000), (" 5", 5_000), ("99999999999999999999", 86_400_000),
        ("Sun, 01 Mar 2026 02:30:23 GMT", 9_969), ("Sunday, 01-Mar-26 02:30:23 GMT", 9_969),
        ("Sun Mar  1 02:30:23 2026", 9_969), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
    ]) func retryAfterIsRead(text: String, milliseconds: Int) {
        #expect(RetryAfter.milliseconds(text, now: Fixture.now) == milliseconds)
    }

    @Test(arguments: ["", "-1", "soon", "1.5", "Sun, 32 Mar 2026 02:30:23 GMT", "Sun, 01 Foo 2026 02:30:23 GMT", "١"])
    func otherRetryAfterIsLeftOut(text: String) {
        #expect(RetryAfter.milliseconds(text, now: Fixture.now) == nil)
    }
}
