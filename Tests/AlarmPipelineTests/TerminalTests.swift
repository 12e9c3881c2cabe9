import AlarmPipeline
import Geofencing
import IncidentCore
import IncidentStore
import Synchronization
import TerminalModel
import Testing

/// Queues, registration, commands, fences and what operators do.
@Suite struct TerminalTests {
    @Test func aFullQueueRefusesPositionsAndNeverAnSOS() async throws {
        let site = try Site(configure: { configuration in
            configuration.queueLimits.positions = 10
            configuration.queueLimits.alarms = 10
        })
        // One call hands everything in before the thread can take any of it.
        var items: [IngestItem] = []
        var alarms: [UInt32] = []
        for number in 1...500 {
            let isAlarm = number % 10 == 0
            let ticket = site.ticket()
            if isAlarm { alarms.append(ticket.request) }
            items.append(
                .report(
                    site.inbound(
                        isAlarm ? .sos : [], number, TerminalID(nibbles: UInt128(0x1000 + number)), 28, [], .report),
                    ticket))
        }
        #expect(site.pipeline.ingest(items) == 60)
        #expect(await site.plane.results.wait { $0.count == 500 })
        let stored = Set(site.plane.results.value.filter { $0.outcome == .stored }.map(\.ticket.request))
        #expect(stored.isSuperset(of: alarms))
        #expect(stored.count == 60)
        #expect(try site.incidents().count == 50)
        #expect(site.pipeline.health.queues.first { $0.name == "ingest_alarms" }?.dropped == 440)
        try await site.stop()
    }

    @Test func aRegistrationIsGoodWhenItIsStored() async throws {
        let site = try Site()
        let ticket = site.ticket()
        let terminal = TerminalID(nibbles: 0x55)
        func registration(_ digest: UInt8) -> TerminalRegistration {
            TerminalRegistration(
                terminal: terminal, protocolName: .jt808, maker: "m", model: "x1", serialNumber: "1",
                codeDigest: [digest], at: ManualClock.start)
        }
        let directory = site.directory
        let known = Watched<[KnownTerminal?]>([])
        site.plane.onResults.withLock { $0 = { _ in known.change { $0.append(directory[terminal]) } } }
        site.pipeline.ingest([.registration(registration(1), ticket)])
        #expect(await site.answer(to: ticket.request) == .stored)
        #expect(known.value.first??.authCodeDigests == [[1]])
        let second = site.ticket()
        site.pipeline.ingest([.registration(registration(2), second)])
        #expect(await site.answer(to: second.request) == .stored)
        #expect(directory[terminal]?.authCodeDigests == [[1], [2]])
        site.pipeline.ingest([.authenticated(terminal, digest: [2], at: site.clock.now())])
        // Alarms pass it on their way to the disk, so nothing that is answered tells when it is there.
        let deadline = ContinuousClock.now + .seconds(10)
        while directory[terminal]?.authCodeDigests != [[2]], ContinuousClock.now < deadline { await Task.yield() }
        #expect(directory[terminal]?.authCodeDigests == [[2]])
        try await site.stop()
    }

    @Test func commandsGoOneAtATimeToATerminalThatIsThere() async throws {
        let site = try Site()
        let first = try await site.pipeline.submit(
            .setNumbers(.centre, ["0731-8888 1234"]), to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        let second = try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        #expect(site.plane.orders.value.isEmpty)
        let now = site.clock.now()
        site.pipeline.ingest([.online(Site.terminal, .tcp, peer: "127.0.0.1:5", protocolName: .jt808, at: now)])
        #expect(await site.plane.orders.wait { $0.map(\.id) == [first.id] })
        site.pipeline.ingest([.command(id: first.id, outcome: .sent, at: now)])
        site.pipeline.ingest([.command(id: first.id, outcome: .confirmed, at: now)])
        #expect(await site.plane.orders.wait { $0.map(\.id) == [first.id, second.id] })
        #expect(site.plane.orders.value.first?.command == .setNumbers(.centre, ["073188881234"]))
        site.advance(61_000)
        // An operator's act shares its commit with what nobody waits for, such as the expiry.
        let deadline = ContinuousClock.now + .seconds(10)
        while try site.pipeline.store.command(second.id)?.outcome != .expired, ContinuousClock.now < deadline {
            _ = try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        }
        #expect(try site.pipeline.store.command(first.id)?.outcome == .confirmed)
        #expect(try site.pipeline.store.command(second.id)?.outcome == .expired)
        try await site.stop()
    }

    @Test(arguments: ["120", "0731-120", "+86120", "１２０", "1 2 0", "1-2-0", ""])
    func noTerminalIsToldToDialAnEmergencyNumber(_ number: String) async throws {
        for isCommissioned in [true, false] {
            let site = try Site(configure: { $0.rules.isCommissioned = isCommissioned })
            let error = await #expect(throws: PipelineError.self) {
                try await site.pipeline.submit(
                    .callBack(number: number, listen: false), to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
            }
            #expect(error?.code == .numberRefused)
            // Among several, one such number is enough, and none of them leaves.
            let among = await #expect(throws: PipelineError.self) {
                try await site.pipeline.submit(
                    .setNumbers(.sos, ["0731-8888 1234", number]), to: Site.terminal, by: Site.actor,
                    lifetimeSeconds: 60)
            }
            #expect(among?.code == .numberRefused)
            #expect(try site.pipeline.store.commands(for: Site.terminal).isEmpty)
            try await site.stop()
        }
    }

    /// The gateway asks for positions after an SOS; that a human has taken over passes it, also when it is under way.
    @Test func whoIsInNeedDoesNotWaitForTheChase() async throws {
        let site = try Site(configure: { $0.rules.chase = ChaseRules() })
        let plane = site.plane
        site.pipeline.ingest([
            .online(Site.terminal, .tcp, peer: "127.0.0.1:5", protocolName: .jt808, at: site.clock.now())
        ])
        #expect(await site.answer(to: site.report(.sos, sequence: 77)) == .stored)
        #expect(await plane.orders.wait { $0.map(\.command) == [.locate] })
        let locate = try #require(plane.orders.value.first)
        site.pipeline.ingest([.command(id: locate.id, outcome: .sent, at: site.clock.now())])
        let id = try #require(try site.incidents().first?.id)
        _ = try await site.pipeline.operate(.acknowledge(reason: "on the way"), on: id, by: Site.actor)
        #expect(await plane.orders.wait { $0.last?.command == .confirmAlarm(sequence: 77) })
        // The session let go of the one under way.
        site.pipeline.ingest([.command(id: locate.id, outcome: .queued, at: site.clock.now())])
        let fast = TerminalCommand.track(intervalSeconds: 10, durationSeconds: 600)
        for expected in [TerminalCommand.message(text: SpokenText.emergency, urgent: true), .locate, fast] {
            let order = try #require(plane.orders.value.last)
            site.pipeline.ingest([.command(id: order.id, outcome: .sent, at: site.clock.now())])
            site.pipeline.ingest([.command(id: order.id, outcome: .confirmed, at: site.clock.now())])
            #expect(await plane.orders.wait { $0.last?.command == expected })
        }
        #expect(plane.orders.value.count == 5)
        #expect(plane.orders.value[3].id == locate.id)
        try await site.stop()
    }

    /// Chasing goes on after a restart until a human closes, by the way that the terminal understands.
    @Test func theChaseGoesOnAfterARestart() async throws {
        let site = try Site(configure: { $0.rules.chase = ChaseRules() })
        site.pipeline.ingest([
            .online(Site.terminal, .tcp, peer: "127.0.0.1:5", protocolName: .gt06, at: site.clock.now())
        ])
        #expect(await site.answer(to: site.report(.sos, sequence: 77)) == .stored)
        #expect(await site.plane.orders.wait { $0.map(\.command) == [.locate] })
        for outcome in [CommandOutcome.confirmed, .failed(reason: "GT06 has no text for track")] {
            let count = site.plane.orders.value.count
            let order = try #require(site.plane.orders.value.last)
            site.pipeline.ingest([.command(id: order.id, outcome: outcome, at: site.clock.now())])
            #expect(await site.plane.orders.wait { $0.count > count })
        }
        #expect(site.plane.orders.value.last?.command == .reportInterval(seconds: 10))
        let id = try #require(try site.incidents().first?.id)
        _ = try await site.pipeline.operate(.acknowledge(reason: "on the way"), on: id, by: Site.actor)
        try await site.stop(keepFiles: true)

        let again = try Site(path: site.path, configure: { $0.rules.chase = ChaseRules() })
        again.advance(569_000)
        let before = try again.pipeline.store.commands(for: Site.terminal).count
        again.advance(1000)
        let deadline = ContinuousClock.now + .seconds(10)
        while try again.pipeline.store.commands(for: Site.terminal).count < before + 2, ContinuousClock.now < deadline {
            await Task.yield()
        }
        _ = try await again.pipeline.operate(.close(disposition: "helped", reason: ""), on: id, by: Site.actor)
        let commands = try again.pipeline.store.commands(for: Site.terminal)
        #expect(
            commands.prefix(commands.count - before).map(\.command)
                == [.reportInterval(seconds: 300), .reportInterval(seconds: 10), .locate])
        let restore = try #require(commands.first)
        #expect(restore.expiresAt.milliseconds - restore.createdAt.milliseconds == 7 * 86_400_000)
        try await again.stop()
    }

    @Test func aMessageMayHaveAsManyCharactersAsTheDocumentSays() async throws {
        let site = try Site()
        for text in [String(repeating: "药", count: 500), String(repeating: "a", count: 500), "x"] {
            _ = try await site.pipeline.submit(
                .message(text: text, urgent: false), to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        }
        for text in [String(repeating: "a", count: 501), ""] {
            let error = await #expect(throws: PipelineError.self) {
                try await site.pipeline.submit(
                    .message(text: text, urgent: false), to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
            }
            #expect(error?.code == .invalid)
        }
        try await site.stop()
    }

    @Test func acknowledgingTellsTheTerminal() async throws {
        let site = try Site()
        site.pipeline.ingest([
            .online(Site.terminal, .tcp, peer: "127.0.0.1:5", protocolName: .jt808, at: site.clock.now())
        ])
        #expect(await site.answer(to: site.report(.sos, sequence: 77)) == .stored)
        let id = try #require(try site.incidents().first?.id)
        _ = try await site.pipeline.operate(.acknowledge(reason: "on the way"), on: id, by: Site.actor)
        #expect(await site.plane.orders.wait { $0.contains { $0.command == .confirmAlarm(sequence: 77) } })
        let order = try #require(site.plane.orders.value.last)
        site.pipeline.ingest([.command(id: order.id, outcome: .confirmed, at: site.clock.now())])
        #expect(
            await site.plane.orders.wait {
                $0.contains { if case .message(_, urgent: true) = $0.command { true } else { false } }
            })
        await #expect(throws: OperatorError.self) {
            try await site.pipeline.operate(.acknowledge(reason: "again"), on: id, by: Site.actor)
        }
        try await site.stop()
    }

    @Test func leavingAFenceOpensAnIncident() async throws {
        let site = try Site()
        let fence = try Fence(
            id: "home",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.9), radiusMetres: 200),
            rule: .outsideForbidden, scope: .persons(["p1"]))
        try await site.pipeline.put(fence, by: Site.actor)
        var sequence = 0
        func walk(_ latitude: Double) async -> IngestResult.Outcome? {
            sequence += 1
            site.advance(30_000)
            return await site.answer(to: site.report(sequence: sequence, latitude: latitude))
        }
        for latitude in [28.2, 28.2, 28.2, 28.21, 28.21, 28.21] { #expect(await walk(latitude) == .stored) }
        let incident = try #require(try site.incidents().first)
        #expect(incident.service == .fenceWatch && incident.fence == "home" && incident.person == "p1")
        var states = 0
        try site.pipeline.store.forEachFenceState { _ in states += 1 }
        #expect(states == 1)
        try await site.stop()
    }

    @Test func aTerminalThatLeftTheListsLeavesNothingToTheNext() async throws {
        let site = try Site(configure: { $0.rules.lowBatteryPercent = 15 })
        let fence = try Fence(
            id: "all",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.9), radiusMetres: 200),
            rule: .both, confirmations: 1, confirmationWindow: 1)
        try await site.pipeline.put(fence, by: Site.actor)
        var low = site.inbound([], 1, Site.terminal, 28.2, [], .report)
        low.event.batteryPercent = 5
        let ticket = site.ticket()
        site.pipeline.ingest([.report(low, ticket)])
        #expect(await site.answer(to: ticket.request) == .stored)
        #expect(try site.incidents().map(\.causes) == [["low_battery"]])
        try await site.pipeline.removeTerminal(Site.terminal, by: Site.actor)
        // The next terminal gets the small number that became free: its battery was never low and it was never inside.
        let other = TerminalID(nibbles: 0x4242)
        try await site.pipeline.assign(TerminalAssignment(terminal: other, person: "p1"), by: Site.actor)
        #expect(await site.answer(to: site.report(sequence: 2, terminal: other, latitude: 28.3)) == .stored)
        #expect(try site.incidents().count == 1)
        low.event.terminal = other
        low.event.position = nil
        let again = site.ticket()
        site.pipeline.ingest([.report(low, again)])
        #expect(await site.answer(to: again.request) == .stored)
        #expect(try site.incidents().map(\.terminal).sorted() == [other, Site.terminal].sorted())
        #expect(try await site.pipeline.lastWords(of: other)?.event?.contains("\"battery_percent\":5") == true)
        try await site.stop()
    }

    @Test func aFenceOfAGroupFollowsTheCard() async throws {
        let site = try Site()
        let fence = try Fence(
            id: "school",
            shape: .circle(centre: Coordinate(latitudeDegrees: 28.2, longitudeDegrees: 112.9), radiusMetres: 200),
            rule: .outsideForbidden, scope: .groups(["children"]), confirmations: 1, confirmationWindow: 1)
        try await site.pipeline.put(fence, by: Site.actor)
        #expect(await site.answer(to: site.report(sequence: 1, latitude: 28.3)) == .stored)
        #expect(try site.incidents().isEmpty)
        var person = try #require(try site.pipeline.store.person("p1"))
        person.groups = ["children", "disabled"]
        try await site.pipeline.put(person, by: Site.actor)
        #expect(await site.answer(to: site.report(sequence: 2, latitude: 28.3)) == .stored)
        #expect(try site.incidents().map(\.fence) == ["school"])
        try await site.stop()
    }

    @Test func strangersComeAndGo() async throws {
        let site = try Site()
        let now = site.clock.now()
        // Ids of different lengths, some of which begin like others.
        let ids = (0x1001...0x1BB8).map { TerminalID(nibbles: UInt128($0 << ($0 % 3 * 16))) }
        for id in ids {
            site.pipeline.ingest([.online(id, .udp, peer: "10.0.0.1:7", protocolName: .jt808, at: now)])
        }
        // Connections are taken up over several turns of the thread; a key passes the same lane behind them.
        #expect(await site.answer(to: site.report(keys: [1])) == .stored)
        #expect(try await site.pipeline.strangers(after: nil, limit: 5000).count == 3000)
        let inOrder = ids.sorted { $0.description < $1.description }
        #expect(try await site.pipeline.strangers(after: nil, limit: 7) == Array(inOrder.prefix(7)))
        #expect(try await site.pipeline.strangers(after: inOrder[6], limit: 1200) == Array(inOrder[7..<1207]))
        #expect(try await site.pipeline.strangers(after: inOrder[2990], limit: 1200) == Array(inOrder[2991...]))
        let first = try await site.pipeline.sessions(of: [ids[0], Site.terminal])
        #expect(first.map(\.peer) == ["10.0.0.1:7"])
        // Only the bearer on which it is connected ends its presence.
        site.pipeline.ingest([.offline(ids[0], .tcp, reason: "test", at: now)])
        #expect(try await site.pipeline.sessions(of: [ids[0]]).count == 1)
        for id in ids { site.pipeline.ingest([.offline(id, .udp, reason: "test", at: now)]) }
        #expect(await site.answer(to: site.report(sequence: 2, terminal: TerminalID(nibbles: 9), keys: [1])) == .stored)
        #expect(try await site.pipeline.strangers(after: nil, limit: 5000).isEmpty)
        #expect(try await site.pipeline.sessions(of: [ids[0]]).isEmpty)
        try await site.stop()
    }

    @Test func positionsKeepTheirOrderOverManyTurns() async throws {
        let site = try Site()
        var requests: [UInt32] = []
        for _ in 0..<10 {
            let items = (0..<700).map { index in
                let ticket = site.ticket()
                requests.append(ticket.request)
                return IngestItem.report(site.inbound([], index, Site.terminal, 28.2, [], .report), ticket)
            }
            #expect(site.pipeline.ingest(items) == 700)
        }
        #expect(await site.plane.results.wait { $0.count == 7000 })
        #expect(site.plane.results.value.map(\.ticket.request) == requests)
        #expect(site.plane.results.value.allSatisfy { $0.outcome == .stored })
        #expect(site.pipeline.health.queues.first { $0.name == "ingest_positions" }?.depth == 0)
        try await site.stop()
    }

    /// For all terminals, and for those of one model alone.
    static let limits = [SilenceLimits(seconds: 600), SilenceLimits(models: ["pager": 600])]

    private static func makePager(_ site: Site) async throws {
        try await site.pipeline.assign(
            TerminalAssignment(terminal: Site.terminal, person: "p1", model: "pager"), by: Site.actor)
    }

    @Test(arguments: limits) func silenceFromBeforeTheStartIsFound(limits: SilenceLimits) async throws {
        let site = try Site(configure: { $0.rules.silence = limits })
        try await Self.makePager(site)
        #expect(await site.answer(to: site.report()) == .stored)
        site.advance(4000)
        // The last words are written behind this.
        _ = try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        try await site.stop(keepFiles: true)
        let again = try Site(path: site.path, configure: { $0.rules.silence = limits })
        #expect(try await again.pipeline.lastWords(of: Site.terminal)?.lastSeen == ManualClock.start)
        for _ in 0..<30 {
            again.advance(60_000)
            _ = try await again.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 1)
        }
        #expect(await again.hub.sent.wait { $0.contains { $0.notice.incident.causes == ["silence"] } })
        try await again.stop()
    }

    @Test(arguments: limits) func silenceOpensAnIncident(limits: SilenceLimits) async throws {
        let site = try Site(configure: { $0.rules.silence = limits })
        try await Self.makePager(site)
        #expect(await site.answer(to: site.report()) == .stored)
        // Found and then held back for a moment: the thread must look at the clock in between.
        for _ in 0..<30 {
            site.advance(60_000)
            _ = try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 1)
        }
        #expect(await site.hub.sent.wait { $0.contains { $0.notice.incident.causes == ["silence"] } })
        try await site.stop()
    }

    @Test(arguments: limits) func newLimitsHoldForTerminalsThatWereHeardBefore(limits: SilenceLimits) async throws {
        let site = try Site()
        try await Self.makePager(site)
        #expect(await site.answer(to: site.report()) == .stored)
        for _ in 0..<30 { site.advance(60_000) }
        var rules = Site.rules
        rules.silence = limits
        site.pipeline.reload(rules: rules, channels: [site.hub, site.dispatch])
        for _ in 0..<3 {
            site.advance(60_000)
            // An operator's act passes the decision thread and the disk behind the passing of time.
            _ = try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        }
        #expect(try site.incidents().map(\.causes) == [["silence"]])
        try await site.stop()
    }

    @Test func theRegisteredModelCountsUntilOneIsAssigned() async throws {
        let site = try Site()
        func register(_ model: String) async -> String? {
            let ticket = site.ticket()
            let registration = TerminalRegistration(
                terminal: Site.terminal, protocolName: .jt808, maker: "m", model: model, serialNumber: "1",
                codeDigest: [1], at: ManualClock.start)
            site.pipeline.ingest([.registration(registration, ticket)])
            #expect(await site.answer(to: ticket.request) == .stored)
            return site.directory[Site.terminal]?.model
        }
        func assign(_ model: String) async throws -> String? {
            try await site.pipeline.assign(
                TerminalAssignment(terminal: Site.terminal, person: "p1", model: model), by: Site.actor)
            return site.directory[Site.terminal]?.model
        }
        #expect(await register("x1") == "x1")
        #expect(await register("x2") == "x2")
        #expect(try await assign("") == "x2")
        #expect(try await assign("pager") == "pager")
        #expect(await register("x3") == "pager")
        #expect(try await assign("") == "x3")
        try await site.stop()
    }

    @Test func openIncidentsAreCountedByService() async throws {
        let site = try Site()
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        #expect(await site.answer(to: site.report([AlarmSet(AlarmKind.removed)], sequence: 2)) == .stored)
        func count(_ service: Service) -> [Int] {
            let counts = site.pipeline.health.incidents[service]
            return [counts?.open ?? 0, counts?.unacknowledged ?? 0]
        }
        #expect(count(.emergency) == [1, 1])
        #expect(count(.securityAlarm) == [1, 1])
        let id = try #require(try site.incidents().first { $0.service == .emergency }?.id)
        _ = try await site.pipeline.operate(.acknowledge(reason: "on the way"), on: id, by: Site.actor)
        #expect(count(.emergency) == [1, 0])
        _ = try await site.pipeline.operate(.close(disposition: "helped", reason: "home"), on: id, by: Site.actor)
        #expect(count(.emergency) == [0, 0])
        #expect(site.pipeline.health.openIncidents == 1)
        try await site.stop()
    }

    @Test func commissioningIsStoredAndAudited() async throws {
        let site = try Site(configure: { $0.rules.isCommissioned = false })
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        #expect(site.dispatch.sent.value.isEmpty)
        try await site.pipeline.setCommissioned(true, reason: "inspected", by: Site.actor)
        site.advance(60_000)
        #expect(await site.dispatch.sent.wait { $0.count == 1 })
        #expect(try site.pipeline.store.audit().map(\.action) == ["commission"])
        try await site.stop()
    }

    @Test func subscribersHearWhatHappens() async throws {
        let site = try Site()
        let stream = site.pipeline.subscribe()
        site.report(.sos)
        var heard: [String] = []
        for await event in stream {
            switch event {
            case .event: heard.append("event")
            case .incident(let incident): heard.append(incident.state.rawValue)
            default: continue
            }
            if heard.count == 2 { break }
        }
        #expect(heard == ["event", "open"])
        try await site.stop()
    }

    @Test func aPersonIsErasedWithTheTrack() async throws {
        let site = try Site()
        #expect(await site.answer(to: site.report()) == .stored)
        try await site.pipeline.erase(person: "p1", by: Site.actor)
        let start = ManualClock.start.adding(milliseconds: -1000)
        let end = ManualClock.start.adding(milliseconds: 60_000)
        #expect(try site.pipeline.tracks.track(of: Site.terminal, from: start, to: end).isEmpty)
        #expect(try site.pipeline.store.person("p1") == nil)
        try await site.stop()
    }

    @Test func whatComesAfterAnErasureDoesNotBringThePersonBack() async throws {
        let site = try Site(hub: FakeChannel("hub", .retry(reason: "refused", afterMilliseconds: nil)))
        #expect(await site.answer(to: site.report(.sos, sequence: 1)) == .stored)
        let id = try #require(try site.incidents().first?.id)
        #expect(try site.incidents().first?.person == "p1")
        _ = try await site.pipeline.operate(
            .close(disposition: "helped", reason: "done"), on: id, by: Site.actor)
        #expect(await site.hub.sent.wait { $0.contains { $0.notice.kind == .closed } })
        try await site.pipeline.erase(person: "p1", by: Site.actor)
        // The retransmission finds the closed incident and is written to it.
        #expect(await site.answer(to: site.report(.sos, sequence: 1)) == .stored)
        let after = try #require(try site.pipeline.store.history(of: id)?.incident)
        #expect(after.person == nil && after.position == nil)
        // What the target refused carried the person's card; it is not sent again.
        site.advance(60_000)
        site.report(.sos, sequence: 9, terminal: TerminalID(nibbles: 7))
        #expect(await site.hub.sent.wait { $0.contains { $0.notice.incident.terminal.nibbles == 7 } })
        #expect(site.hub.sent.value.count { $0.notice.kind == .closed } == 1)
        try await site.stop()
    }

    @Test func everyThreadTurns() async throws {
        let site = try Site()
        #expect(await site.answer(to: site.report(.sos)) == .stored)
        #expect(await site.hub.sent.wait { $0.count == 1 })
        #expect(site.pipeline.health.liveness.count == 7)
        #expect(site.pipeline.health.openIncidents == 1)
        #expect(try site.pipeline.store.synchronousLevel() == 2)
        try await site.stop()
        await #expect(throws: PipelineError.self) {
            try await site.pipeline.submit(.locate, to: Site.terminal, by: Site.actor, lifetimeSeconds: 60)
        }
    }
}
