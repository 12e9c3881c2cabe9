import AlarmFormats
import Foundation
import TerminalModel
import Testing

/// One line of `Tests/Corpus/Escalation/webhook.jsonl`.
struct SignatureCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var secret: String
    var old_secret: String?
    var id: String
    var timestamp: Int64
    var body: String
    var signature: String

    var testDescription: String { name }

    static func all() throws -> [SignatureCase] {
        try Corpus.lines("webhook").map { try JSONDecoder().decode(SignatureCase.self, from: $0) }
    }
}

enum Corpus {
    static func lines(_ name: String) throws -> [Data] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Corpus/Escalation/\(name).jsonl")
        return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map { Data($0) }
    }
}

@Suite struct WebhookSignerTests {
    @Test(arguments: try SignatureCase.all()) func signsAsTheReferenceDoes(vector: SignatureCase) throws {
        let secrets = try [vector.secret, vector.old_secret].compactMap { try $0.map { try WebhookSecret($0) } }
        let signer = try #require(WebhookSigner(secrets: secrets))
        let body = Array(vector.body.utf8)
        // Milliseconds within the second do not change the header.
        let time = Timestamp(milliseconds: vector.timestamp * 1000 + 999)
        #expect(signer.signature(id: vector.id, at: time, body: body) == vector.signature)
    }

    @Test(arguments: try SignatureCase.all()) func verifiesOnlyWhatWasSigned(vector: SignatureCase) throws {
        let secret = try WebhookSecret(vector.old_secret ?? vector.secret)
        let signer = try #require(WebhookSigner(secrets: [secret]))
        let now = Timestamp(seconds: vector.timestamp)
        func verdict(
            id: String? = nil, timestamp: String? = nil, signature: String? = nil, body: String? = nil,
            now late: Int64 = 0
        ) -> Bool {
            signer.verifies(
                id: id ?? vector.id, timestamp: timestamp ?? String(vector.timestamp),
                signature: signature ?? vector.signature, body: Array((body ?? vector.body).utf8),
                now: now.adding(milliseconds: late * 1000))
        }
        #expect(verdict())
        #expect(verdict(now: 300))
        #expect(verdict(now: -300))
        #expect(!verdict(now: 301))
        #expect(!verdict(now: -301))
        #expect(!verdict(id: vector.id + "x"))
        #expect(!verdict(timestamp: String(vector.timestamp + 1)))
        #expect(!verdict(timestamp: "soon"))
        #expect(!verdict(body: vector.body + " "))
        #expect(!verdict(signature: ""))
        #expect(!verdict(signature: vector.signature.replacing("v1,", with: "v2,")))
        #expect(!verdict(signature: "v1,AAAA"))
    }

    @Test func aSignerNeedsAFewSecrets() throws {
        let secret = try WebhookSecret(Self.secret(bytes: 32))
        #expect(WebhookSigner(secrets: []) == nil)
        #expect(WebhookSigner(secrets: Array(repeating: secret, count: 5)) == nil)
    }

    private static func secret(bytes: Int) -> String {
        "whsec_" + Data(repeating: 7, count: bytes).base64EncodedString()
    }

    @Test(arguments: [24, 32, 64]) func takesSecretsOfTheRightLength(bytes: Int) throws {
        _ = try WebhookSecret(Self.secret(bytes: bytes))
    }

    @Test(arguments: [
        ("", WebhookSecretError.missingPrefix),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .missingPrefix),
        ("whsec_", .badLength(bytes: 0)),
        ("whsec_!!!!", .badBase64),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", .badBase64),
        (secret(bytes: 23), .badLength(bytes: 23)),
        (secret(bytes: 65), .badLength(bytes: 65)),
    ]) func refusesOtherSecretsWithAReason(text: String, error: WebhookSecretError) {
        #expect(throws: error) { try WebhookSecret(text) }
        #expect(!error.description.contains("MfKQ"))
    }

    @Test func aSecretDoesNotShowItself() throws {
        let secret = try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(!text.contains("MfKQ") && !text.contains("49"))
        }
    }
}
