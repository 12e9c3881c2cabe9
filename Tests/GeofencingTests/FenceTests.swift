import Foundation
import Geofencing
import TerminalModel
import Testing

private let home = Coordinate(latitudeDegrees: 28.2282, longitudeDegrees: 112.9388)
private let terminal = TerminalID(nibbles: 0x17700000101)

/// `home` moved by metres.
private func place(north: Double = 0, east: Double = 0) -> Coordinate {
    Coordinate(
        latitudeDegrees: home.latitudeDegrees + north / 110_823,
        longitudeDegrees: home.longitudeDegrees + east / 98_198)
}

private func fix(north: Double = 0, east: Double = 0, accuracy: Int? = nil, valid: Bool = true) -> Position {
    let place = place(north: north, east: east)
    return Position(
        valid: valid, latitudeDegrees: place.latitudeDegrees, longitudeDegrees: place.longitudeDegrees,
        accuracyMetres: accuracy)
}

private func at(_ seconds: Int64) -> Moment {
    Moment(wall: Timestamp(seconds: 1_773_000_000 + seconds), monotonicMilliseconds: seconds * 1000)
}

private func circle(
    _ id: String = "c", rule: Fence.Rule = .outsideForbidden, scope: Fence.Scope = .persons(["p"]),
    hysteresis: Double = 10, confirmations: Int = 1, window: Int = 1, dwell: Int = 0, enabled: Bool = true
) throws -> Fence {
    try Fence(
        id: id, shape: .circle(centre: home, radiusMetres: 100), rule: rule, scope: scope,
        hysteresisMetres: hysteresis, confirmations: confirmations, confirmationWindow: window, dwellSeconds: dwell,
        isEnabled: enabled)
}

/// What a walk gives: one word a crossing, `!` for violations.
private func walk(
    _ engine: inout FenceEngine, _ steps: [Position?], person: String? = "p", groups: [String] = [], from: Int64 = 0
) -> [String] {
    var words: [String] = []
    for (index, position) in steps.enumerated() {
        for crossing in engine.evaluate(
            terminal: terminal, number: 7, position: position, person: person, groups: groups,
            now: at(from + Int64(index)))
        {
            words.append("\(index):\(crossing.direction.rawValue)\(crossing.isViolation ? "!" : "")")
        }
    }
    return words
}

@Suite struct FenceGeometryTests {
    @Test func circleHasThreeAnswers() throws {
        let engine = FenceEngine([try circle()])
        func ask(_ position: Position?) -> FenceAnswer { engine.answer(position, for: "c") }
        let answers = [
            ask(fix()), ask(fix(east: 80)), ask(fix(east: 95)), ask(fix(east: 105)), ask(fix(east: 115)),
            ask(fix(east: 80, accuracy: 30)), ask(fix(east: 200, accuracy: 90)), ask(fix(east: 200, accuracy: 150)),
            ask(fix(valid: false)), ask(nil),
        ]
        #expect(
            answers == [
                .inside, .inside, .unknown, .unknown, .outside, .unknown, .outside, .unknown, .unknown, .unknown,
            ])
    }

    @Test func polygonWithAHole() throws {
        func square(_ half: Double) -> [Coordinate] {
            [
                place(north: -half, east: -half), place(north: -half, east: half), place(north: half, east: half),
                place(north: half, east: -half), place(north: -half, east: -half),
            ]
        }
        let far = square(50).map {
            Coordinate(latitudeDegrees: $0.latitudeDegrees, longitudeDegrees: $0.longitudeDegrees + 0.02)
        }
        let fence = try Fence(
            id: "q", shape: .polygons([[square(500), square(100)], [far]]), rule: .both, hysteresisMetres: 0)
        let engine = FenceEngine([fence])
        func ask(_ north: Double, _ east: Double) -> FenceAnswer {
            engine.answer(fix(north: north, east: east), for: "q")
        }
        let answers = [ask(0, 0), ask(0, 99), ask(0, 101), ask(0, 499), ask(0, 501), ask(-300, 300), ask(0, 1964)]
        #expect(answers == [.outside, .outside, .inside, .inside, .outside, .inside, .inside])
    }

    @Test func rectangleAndCorridor() throws {
        let rectangle = try Fence(
            id: "r",
            shape: .rectangle(southWest: place(north: -50, east: -200), northEast: place(north: 50, east: 200)),
            rule: .both, hysteresisMetres: 0)
        let corridor = try Fence(
            id: "k",
            shape: .corridor(path: [place(), place(east: 1000), place(north: 1000, east: 1000)], halfWidthMetres: 30),
            rule: .both, hysteresisMetres: 0)
        let engine = FenceEngine([rectangle, corridor])
        let answers = [
            engine.answer(fix(north: 49, east: 199), for: "r"), engine.answer(fix(north: 51), for: "r"),
            engine.answer(fix(north: 29, east: 500), for: "k"), engine.answer(fix(north: 31, east: 500), for: "k"),
            engine.answer(fix(north: 500, east: 1029), for: "k"), engine.answer(fix(east: -31), for: "k"),
        ]
        #expect(answers == [.inside, .outside, .inside, .outside, .inside, .outside])
    }

    @Test(arguments: Datum.allCases)
    func fenceDrawnOnAnyMapLiesOnTheSameGround(datum: Datum) throws {
        let fence = try Fence(
            id: "m", shape: .circle(centre: datum.fromWGS84(home), radiusMetres: 50), rule: .both, datum: datum,
            hysteresisMetres: 0)
        var engine = FenceEngine([fence])
        // Replacing must not shift it a second time.
        engine.set(FencePlan(fence))
        let answers = [engine.answer(fix(east: 49), for: "m"), engine.answer(fix(east: 51), for: "m")]
        #expect(answers == [.inside, .outside])
    }

    @Test func strangeShapesAreRefusedOrHarmless() throws {
        func refused(_ shape: Fence.Shape, hysteresis: Double = 0) -> String? {
            do {
                _ = try Fence(id: "x", shape: shape, rule: .both, hysteresisMetres: hysteresis)
                return nil
            } catch { return error.field }
        }
        let nan = Coordinate(latitudeDegrees: .nan, longitudeDegrees: 0)
        let endless = Coordinate(latitudeDegrees: 0, longitudeDegrees: .infinity)
        #expect(refused(.circle(centre: nan, radiusMetres: 5)) == "shape.centre")
        #expect(refused(.circle(centre: home, radiusMetres: .nan)) == "shape.radiusMetres")
        #expect(refused(.circle(centre: home, radiusMetres: .infinity)) == "shape.radiusMetres")
        #expect(refused(.circle(centre: home, radiusMetres: 0)) == "shape.radiusMetres")
        #expect(refused(.circle(centre: home, radiusMetres: 5), hysteresis: .nan) == "hysteresisMetres")
        #expect(refused(.polygons([])) == "shape.polygons")
        #expect(refused(.polygons([[]])) == "shape.polygons")
        #expect(refused(.polygons([[[home, place(east: 5), home]]])) == "shape.polygons")
        #expect(refused(.polygons([[[home, endless, place(north: 5)]]])) == "shape.polygons")
        #expect(refused(.rectangle(southWest: home, northEast: place(north: -5, east: 5))) == "shape.rectangle")
        #expect(refused(.corridor(path: [home], halfWidthMetres: 5)) == "shape.path")
        let west = Coordinate(latitudeDegrees: 0, longitudeDegrees: -179)
        let east = Coordinate(latitudeDegrees: 1, longitudeDegrees: 179)
        #expect(refused(.corridor(path: [west, east], halfWidthMetres: 5)) == "shape")
        let edges: [Fence.Shape] = [
            .circle(centre: .init(latitudeDegrees: 90, longitudeDegrees: 180), radiusMetres: 1_000_000),
            .circle(centre: .init(latitudeDegrees: -90, longitudeDegrees: -180), radiusMetres: 1),
            .rectangle(
                southWest: .init(latitudeDegrees: -90, longitudeDegrees: -90),
                northEast: .init(latitudeDegrees: 90, longitudeDegrees: 90)),
        ]
        var engine = FenceEngine(
            try edges.enumerated().map { try Fence(id: "e\($0)", shape: $1, rule: .both, hysteresisMetres: 0) })
        for latitude in [-90, 0, 90, .nan, 1e300] {
            for longitude in [-180, 0, 180, Double.infinity] {
                _ = engine.evaluate(
                    terminal: terminal, number: 0,
                    position: Position(valid: true, latitudeDegrees: latitude, longitudeDegrees: longitude),
                    person: nil, groups: [], now: at(0))
            }
        }
    }

    @Test func survivesJSON() throws {
        let fence = try circle("c", rule: .both, scope: .groups(["children"]), confirmations: 2, window: 4, dwell: 30)
        let data = try JSONEncoder().encode(fence)
        #expect(try JSONDecoder().decode(Fence.self, from: data) == fence)
        let broken = String(decoding: data, as: UTF8.self).replacingOccurrences(
            of: "\"dwell_seconds\":30", with: "\"dwell_seconds\":-1")
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Fence.self, from: Data(broken.utf8)) }
    }
}

@Suite struct FenceCrossingTests {
    @Test(arguments: [
        (Fence.Rule.outsideForbidden, ["1:left!", "3:entered"]),
        (.insideForbidden, ["0:entered!", "1:left", "3:entered!"]),
        (.both, ["1:left!", "3:entered!"]),
    ])
    func rules(rule: Fence.Rule, expected: [String]) throws {
        var engine = FenceEngine([try circle(rule: rule)])
        #expect(walk(&engine, [fix(), fix(east: 200), fix(east: 300), fix()]) == expected)
    }

    @Test func firstPositionOnTheForbiddenSideIsACrossing() throws {
        var outside = FenceEngine([try circle(rule: .outsideForbidden)])
        #expect(walk(&outside, [fix(east: 500)]) == ["0:left!"])
        var news = FenceEngine([try circle(rule: .both)])
        #expect(walk(&news, [fix(east: 500)]) == [])
    }

    @Test func noFlapping() throws {
        var engine = FenceEngine([try circle()])
        // The line is at 100 m with 10 m on either side; jitter across it decides nothing.
        let jitter = [95.0, 105, 99, 108, 92, 101, 109].map { fix(east: $0) }
        #expect(walk(&engine, [fix()] + jitter + [fix(east: 115)] + jitter) == ["8:left!"])
    }

    @Test func confirmationsAndUnknown() throws {
        var engine = FenceEngine([try circle(confirmations: 2, window: 3)])
        let far = fix(east: 300)
        let steps = [fix(), fix(), far, fix(), fix(), far, nil, fix(valid: false), fix(east: 300, accuracy: 900), far]
        #expect(walk(&engine, steps) == ["9:left!"])
    }

    @Test func dwell() throws {
        var engine = FenceEngine([try circle(dwell: 3)])
        let far = fix(east: 300)
        #expect(walk(&engine, [fix(), far, far, fix(), far, far, far, far]) == ["7:left!"])
    }

    @Test func scopes() throws {
        let fences = [
            try circle("mine", scope: .persons(["p"])), try circle("ours", scope: .groups(["g"])),
            try circle("all", scope: .everybody), try circle("off", scope: .everybody, enabled: false),
        ]
        func crossed(person: String?, groups: [String]) -> [String] {
            var engine = FenceEngine(fences)
            return engine.evaluate(
                terminal: terminal, number: 0, position: fix(east: 900), person: person, groups: groups, now: at(0)
            ).map(\.fence).sorted()
        }
        #expect(crossed(person: "p", groups: ["g"]) == ["all", "mine", "ours"])
        #expect(crossed(person: "other", groups: []) == ["all"])
        #expect(crossed(person: nil, groups: ["g"]) == ["all", "ours"])
    }

    @Test func aFenceForEverybodyIsEnteredAndLeftThroughTheGrid() throws {
        var engine = FenceEngine([try circle(rule: .both, scope: .everybody)])
        let words = walk(&engine, [fix(east: 50_000), fix(), fix(), fix(east: 80_000), fix(north: 9000), fix()])
        #expect(words == ["1:entered!", "3:left!", "5:entered!"])
    }

    @Test func stateSurvivesARestart() throws {
        let fence = try circle()
        var engine = FenceEngine([fence])
        #expect(walk(&engine, [fix(), fix(east: 300)]) == ["1:left!"])
        let kept = engine.takeChangedStates()
        #expect(kept.count == 2)
        let data = try JSONEncoder().encode(kept)
        var restarted = FenceEngine([fence])
        for state in try JSONDecoder().decode([FenceState].self, from: data) {
            restarted.seed(fence: state.fence, number: 7, isInside: state.isInside, since: state.since)
        }
        #expect(walk(&restarted, [fix(east: 300), fix(east: 310), fix()], from: 100) == ["2:entered"])
        #expect(restarted.takeChangedStates().map(\.isInside) == [true])
        restarted.set(FencePlan(fence))
        #expect(walk(&restarted, [fix()], from: 200) == [])
    }

    /// A point against many fences, compared with the plain geometry, so that the grid hides nothing.
    @Test func gridAgreesWithGeometry() throws {
        var fences: [Fence] = []
        var random = SplitMix(state: 42)
        for index in 0..<300 {
            let centre = place(north: random.next(20_000), east: random.next(20_000))
            fences.append(
                try Fence(
                    id: "f\(index)", shape: .circle(centre: centre, radiusMetres: 20 + abs(random.next(1500))),
                    rule: .insideForbidden, hysteresisMetres: 0, confirmations: 1, confirmationWindow: 1))
        }
        var engine = FenceEngine(fences)
        for index in 0..<300 {
            let position = fix(north: random.next(20_000), east: random.next(20_000))
            let one = TerminalID(nibbles: UInt128(index + 1))
            let found = engine.evaluate(
                terminal: one, number: UInt32(index), position: position, person: nil, groups: [],
                now: at(0))
            var expected: [String] = []
            for fence in fences where engine.answer(position, for: fence.id) == .inside { expected.append(fence.id) }
            #expect(found.map(\.fence).sorted() == expected.sorted())
        }
    }
}

@Suite struct FenceChangeTests {
    private static func shapes() -> [Fence.Shape] {
        let ring = [place(), place(north: 900), place(north: 900, east: 900), place(east: 900)]
        let hole = [place(north: 300, east: 300), place(north: 600, east: 300), place(north: 600, east: 600)]
        let other = ring.map {
            Coordinate(latitudeDegrees: $0.latitudeDegrees + 0.05, longitudeDegrees: $0.longitudeDegrees)
        }
        return [
            .circle(centre: home, radiusMetres: 300), .polygons([[ring + ring.prefix(1), hole], [other]]),
            .rectangle(southWest: place(), northEast: place(north: 700, east: 800)),
            .corridor(path: ring, halfWidthMetres: 60),
        ]
    }

    @Test(arguments: Datum.allCases) func aPlanSurvivesItsBytes(datum: Datum) throws {
        let scopes: [Fence.Scope] = [.everybody, .persons(["p1", "人"]), .groups([]), .groups(["children", "x"])]
        for (index, shape) in Self.shapes().enumerated() {
            let fence = try Fence(
                id: "f\(index)", name: "家 \(index)", shape: shape, rule: Fence.Rule.allCases[index % 3], datum: datum,
                scope: scopes[index], hysteresisMetres: 12.5, confirmations: 3, confirmationWindow: 32,
                dwellSeconds: 86_400, isEnabled: index != 2)
            let plan = FencePlan(fence)
            let bytes = plan.bytes
            #expect(FencePlan(id: fence.id, bytes: bytes) == plan)
            let readable = (0..<bytes.count).filter { FencePlan(id: "f", bytes: Array(bytes.prefix($0))) != nil }
            #expect(readable.isEmpty)
            #expect(FencePlan(id: "f", bytes: bytes + [0]) == nil)
            #expect(FencePlan(id: "f", bytes: [255] + bytes.dropFirst()) == nil)
        }
    }

    @Test func onlyTheChangedFenceForgets() throws {
        var engine = FenceEngine([try circle("a", confirmations: 2, window: 2), try circle("b")])
        #expect(walk(&engine, [fix(), fix(), fix(east: 300)]) == ["2:left!"])
        // Renaming keeps what is known, also half a confirmation; a new place does not.
        engine.set(FencePlan(try circle("a", rule: .both, confirmations: 2, window: 2)))
        #expect(walk(&engine, [fix(east: 300)], from: 10) == ["0:left!"])
        engine.set(
            FencePlan(
                try Fence(
                    id: "b", shape: .circle(centre: home, radiusMetres: 150), rule: .outsideForbidden,
                    scope: .persons(["p"]), confirmations: 1, confirmationWindow: 1)))
        #expect(walk(&engine, [fix(east: 300)], from: 20) == ["0:left!"])
        let removed = [engine.remove("b"), engine.remove("b")]
        #expect(removed == [true, false])
        engine.set(FencePlan(try circle("c")))
        #expect(walk(&engine, [fix(east: 300)], from: 30) == ["0:left!"])
        engine.set(FencePlan(try circle("c", enabled: false)))
        let count = engine.count
        #expect(count == 1)
        #expect(walk(&engine, [fix()], from: 40) == [])
        engine.forget(7)
        #expect(walk(&engine, [fix(), fix(), fix(east: 300), fix(east: 300)], from: 50) == ["3:left!"])
    }

    @Test func aFenceDrawnAroundSomebodyWhoStoodThereIsNoCrossing() throws {
        var engine = FenceEngine([try circle("a", rule: .both, scope: .everybody)])
        #expect(walk(&engine, [fix(east: 3000)]) == [])
        let around = try Fence(
            id: "b", shape: .circle(centre: place(east: 3000), radiusMetres: 100), rule: .both,
            confirmations: 1, confirmationWindow: 1)
        engine.set(FencePlan(around))
        let words = walk(&engine, [fix(east: 3000), fix(), fix(east: 3000)], from: 10)
        #expect(words == ["1:entered!", "1:left!", "2:entered!", "2:left!"])
    }

    /// Many changes in a row leave the same answers as the fences that are in force at the end.
    @Test func changesAgreeWithAFreshEngine() throws {
        var random = SplitMix(state: 7)
        var kept: [String: Fence] = [:]
        var engine = FenceEngine()
        for step in 0..<1000 {
            let id = "f\(Int(abs(random.next(60))))"
            if random.next(1) > 0.5, kept[id] != nil {
                kept[id] = nil
                let wasThere = engine.remove(id)
                #expect(wasThere)
                continue
            }
            let centre = place(north: random.next(5000), east: random.next(5000))
            let ring = (0..<12).map { corner in
                Coordinate(
                    latitudeDegrees: centre.latitudeDegrees + 0.004 * cos(Double(corner) * .pi / 6),
                    longitudeDegrees: centre.longitudeDegrees + 0.004 * sin(Double(corner) * .pi / 6))
            }
            let fence = try Fence(
                id: id, shape: .polygons([[ring]]), rule: .insideForbidden,
                scope: step % 3 == 0 ? .persons(["p"]) : .everybody, hysteresisMetres: 0, confirmations: 1,
                confirmationWindow: 1)
            kept[id] = fence
            engine.set(FencePlan(fence))
        }
        var fresh = FenceEngine(Array(kept.values))
        let count = engine.count
        #expect(count == kept.count)
        for index in 0..<200 {
            let position = fix(north: random.next(6000), east: random.next(6000))
            func found(_ engine: inout FenceEngine) -> [String] {
                engine.evaluate(
                    terminal: terminal, number: UInt32(index), position: position, person: "p", groups: [], now: at(0)
                ).map(\.fence).sorted()
            }
            let (kept, anew) = (found(&engine), found(&fresh))
            #expect(kept == anew)
        }
    }
}

/// A small seeded generator, the same on every run.
private struct SplitMix {
    var state: UInt64

    mutating func next(_ range: Double) -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return (Double(z >> 11) / 9_007_199_254_740_992 * 2 - 1) * range
    }
}
