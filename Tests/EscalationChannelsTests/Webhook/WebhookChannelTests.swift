import AlarmFormats
import AlarmPipeline
import EscalationChannels
import GatewayTelemetry
import IncidentCore
import Testing

@Suite struct WebhookChannelTests {
    @Test func aNoticeArrivesSigned() async throws {
        try await HTTPPeer.with([.respond(202, body: "taken \u{1B}[2J by desk 4\n")]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/hooks/sos?site=1")
            let results = try await fixture.send()
            let text = try #require(results.first).text
            #expect(
                text.wholeMatch(
                    of:
                        /accepted HTTP 202 in \d+ ms, webhook-id inc_7F3A0001C9D20044_1, answer "taken  \[2J by desk 4 "/
                )
                    != nil, "\(text)")
            let request = try #require(peer.requests.first)
            #expect(request.path == "/hooks/sos?site=1")
            #expect(request.header("content-type") == "application/json")
            #expect(request.header("content-length") == "\(request.body.count)")
            #expect(request.body == WebhookMessage(try Fixture.notice(), gateway: "changsha-1").body)
            #expect(try Self.verifies(request, secret: Fixture.secret))
            #expect(try !Self.verifies(request, secret: Fixture.otherSecret))
            #expect(fixture.attempts("accepted") == 1)
            #expect(fixture.metrics.exposition().contains("latency_seconds_count{channel=\"care-hub\"} 1\n"))
        }
    }

    @Test func oneConnectionCarriesManyNoticesAndRetriesAreEqual() async throws {
        try await HTTPPeer.with([.respond(500), .respond(200, body: "ok")]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            let first = await fixture.channel.send(try Fixture.notice(), attempt: 1)
            let second = await fixture.channel.send(try Fixture.notice(), attempt: 2)
            #expect(first.text.hasPrefix("retry after - channel_refused: HTTP 500 in "))
            #expect(second.text.hasPrefix("accepted HTTP 200 in "))
            _ = try await fixture.send(3)
            #expect(peer.connections == 1)
            #expect(peer.requests.count == 5)
            #expect(peer.requests[0].body == peer.requests[1].body)
            #expect(peer.requests[0].header("webhook-id") == peer.requests[1].header("webhook-id"))
        }
    }

    @Test(arguments: [400, 401, 403, 404, 408, 429, 500, 502, 503, 504])
    func everyOtherStatusIsTriedAgain(status: Int) async throws {
        try await HTTPPeer.with([.respond(status, headers: [("retry-after", "7")])]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasPrefix("retry after 7000 channel_refused: HTTP \(status) in "))
            #expect(fixture.attempts("retry") == 1)
        }
    }

    @Test func aTargetCannotMuteAnEmergency() async throws {
        let plan = [HTTPPeer.Answer.respond(503, headers: [("retry-after", "Sun, 01 Mar 2026 03:30:13 GMT")])]
        try await HTTPPeer.with(plan) { peer in
            let url = "http://127.0.0.1:\(peer.port)/"
            let emergency = try await ChannelFixture(url: url).send(service: .emergency)
            #expect(emergency.first?.text.hasPrefix("retry after 60000 ") == true)
            let errand = try await ChannelFixture(url: url).send(service: .lifeAssistance)
            #expect(errand.first?.text.hasPrefix("retry after 3599969 ") == true)
        }
    }

    /// What waited for a target that became an emergency service meanwhile does not leave.
    @Test func nothingOfADrillLeavesForAnEmergencyService() async throws {
        try await HTTPPeer.with([.respond(200)]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/", isEmergencyService: true)
            var notice = try Fixture.notice()
            notice.incident.isDrill = true
            #expect(await fixture.channel.send(notice, attempt: 1).text.hasPrefix("give up"))
            #expect(peer.requests.isEmpty)
            notice.incident.isDrill = nil
            #expect(await fixture.channel.send(notice, attempt: 1).text.hasPrefix("accepted"))
            await fixture.channel.shutdown()
        }
    }

    @Test func goneIsGivenUp() async throws {
        try await HTTPPeer.with([.respond(410, body: "moved out")]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasPrefix("give up channel_gone: the target is gone for good, HTTP 410 in "))
            #expect(fixture.attempts("gave_up") == 1)
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func redirectsAreNotFollowed(status: Int) async throws {
        try await HTTPPeer.with([.respond(200)]) { other in
            let location = [("location", "http://127.0.0.1:\(other.port)/")]
            try await HTTPPeer.with([.respond(status, headers: location)]) { peer in
                let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
                let result = try #require(try await fixture.send().first)
                #expect(result.text.hasPrefix("retry after - channel_redirect: HTTP \(status) in "))
                #expect(other.requests.isEmpty)
            }
        }
    }

    @Test func silenceEndsAtTheTimeLimit() async throws {
        try await HTTPPeer.with([.hang]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/", totalMilliseconds: 150)
            let started = ContinuousClock.now
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasPrefix("retry after - channel_timeout: no answer within 150 ms, "))
            #expect(ContinuousClock.now - started < .seconds(4))
        }
    }

    @Test func theStatusIsTheReceiptEvenIfTheBodyStalls() async throws {
        try await HTTPPeer.with([.stallInBody(200, body: "half")]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/", totalMilliseconds: 300)
            let started = ContinuousClock.now
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasPrefix("accepted HTTP 200 in "))
            #expect(result.text.hasSuffix("answer \"half\""))
            #expect(ContinuousClock.now - started < .seconds(4))
        }
    }

    @Test func anEndlessAnswerIsReadOnlyInPart() async throws {
        try await HTTPPeer.with([.endless(200)]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            let started = ContinuousClock.now
            let result = try #require(try await fixture.send().first)
            #expect(result.text.hasSuffix("answer \"\(String(repeating: "x", count: 300))…\""))
            #expect(ContinuousClock.now - started < .seconds(4))
        }
    }

    @Test(arguments: [HTTPPeer.Answer.closeAtOnce, .garbage])
    func abruptPeersAreTriedAgain(answer: HTTPPeer.Answer) async throws {
        try await HTTPPeer.with([answer, .respond(200)]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            let results = try await fixture.send(2)
            #expect(results[0].text.hasPrefix("retry after - channel_unreachable: "))
            #expect(results[1].text.hasPrefix("accepted HTTP 200"))
        }
    }

    @Test func aRefusedConnectionFailsAtOnceWithItsReason() async throws {
        let port = try await HTTPPeer.with([.hang]) { $0.port }
        let fixture = try ChannelFixture(url: "http://127.0.0.1:\(port)/")
        let started = ContinuousClock.now
        let result = try #require(try await fixture.send().first)
        #expect(result.text.hasPrefix("retry after - channel_unreachable: "))
        #expect(result.text.contains("refused"))
        #expect(ContinuousClock.now - started < .seconds(1))
    }

    @Test func aSlowTargetDelaysNoOther() async throws {
        try await HTTPPeer.with([.hang]) { slow in
            try await HTTPPeer.with([.respond(200)]) { fast in
                let slowFixture = try ChannelFixture(url: "http://127.0.0.1:\(slow.port)/", totalMilliseconds: 1_000)
                let fastFixture = try ChannelFixture(url: "http://127.0.0.1:\(fast.port)/")
                async let slowResults = slowFixture.send(1)
                let fastResults = try await fastFixture.send(20)
                #expect(fastResults.allSatisfy { $0.text.hasPrefix("accepted") })
                #expect(try await slowResults.first?.text.hasPrefix("retry after - channel_timeout") == true)
            }
        }
    }

    @Test func secretsChangeOverWithoutARestart() async throws {
        try await HTTPPeer.with([.respond(200)]) { peer in
            let fixture = try ChannelFixture(url: "http://127.0.0.1:\(peer.port)/")
            _ = await fixture.channel.send(try Fixture.notice(), attempt: 1)
            _ = try fixture.directory.write("secret", "whsec_broken")
            #expect(throws: ChannelConfigurationError.self) { try fixture.channel.reloadSecrets() }
            _ = await fixture.channel.send(try Fixture.notice(), attempt: 2)
            _ = try fixture.directory.write("secret", Fixture.otherSecret)
            try fixture.channel.reloadSecrets()
            _ = try await fixture.send()
            let verdicts = try peer.requests.map { try Self.verifies($0, secret: Fixture.secret) }
            #expect(verdicts == [true, true, false])
            #expect(try Self.verifies(peer.requests[2], secret: Fixture.otherSecret))
        }
    }

    private static func verifies(_ request: HTTPPeer.Request, secret: String) throws -> Bool {
        let signer = try #require(WebhookSigner(secrets: [try WebhookSecret(secret)]))
        return signer.verifies(
            id: request.header("webhook-id"), timestamp: request.header("webhook-timestamp"),
            signature: request.header("webhook-signature"), body: request.body, now: Fixture.now)
    }
}
