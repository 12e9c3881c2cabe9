import Reactor
import Testing

@Suite struct TimerWheelTests {
    /// Moves the wheel and lists the tokens that fire.
    private func fire(_ wheel: inout TimerWheel, at now: Int64) -> [UInt64] {
        wheel.advance(toMilliseconds: now)
        var tokens: [UInt64] = []
        while let due = wheel.popDue() { tokens.append(due.token) }
        return tokens
    }

    private func arm(_ wheel: inout TimerWheel, at deadline: Int64, token: UInt64) throws -> TimerID {
        let timer = wheel.arm(atMilliseconds: deadline, token: token)
        return try #require(timer)
    }

    @Test func firesInOrderNeverEarlyAtMostOneTickLate() {
        var wheel = TimerWheel(capacity: 10, tickMilliseconds: 10, nowMilliseconds: 1003)
        _ = wheel.arm(atMilliseconds: 1035, token: 3)
        _ = wheel.arm(atMilliseconds: 1020, token: 1)
        _ = wheel.arm(atMilliseconds: 1021, token: 2)
        let none = fire(&wheel, at: 1019)
        #expect(none == [])
        let next = wheel.nextMilliseconds
        #expect(next == 1020)
        let first = fire(&wheel, at: 1020)
        #expect(first == [1])
        let rest = fire(&wheel, at: 90_000)
        #expect(rest == [2, 3])
        let empty = wheel.nextMilliseconds
        #expect(empty == nil)
    }

    @Test func survivesManyTurnsOfTheWheel() {
        var wheel = TimerWheel(capacity: 100, tickMilliseconds: 10, nowMilliseconds: 0)
        // More than one turn apart and in the same bucket.
        for turn in (0..<50).reversed() {
            _ = wheel.arm(atMilliseconds: Int64(turn) * 40_960 + 500, token: UInt64(turn))
        }
        for turn in 0..<50 {
            let next = wheel.nextMilliseconds
            #expect(next == Int64(turn) * 40_960 + 500)
            let early = fire(&wheel, at: Int64(turn) * 40_960 + 499)
            #expect(early == [])
            let tokens = fire(&wheel, at: Int64(turn) * 40_960 + 500)
            #expect(tokens == [UInt64(turn)])
        }
    }

    @Test func aJumpOverManyTurnsKeepsTheOrder() {
        var wheel = TimerWheel(capacity: 1000, tickMilliseconds: 10, nowMilliseconds: 0)
        for token in 0..<1000 {
            _ = wheel.arm(atMilliseconds: Int64((token * 7919) % 1000) * 1000, token: UInt64((token * 7919) % 1000))
        }
        let tokens = fire(&wheel, at: 10_000_000)
        #expect(tokens == Array(0..<1000))
        let count = wheel.count
        #expect(count == 0)
    }

    @Test func cancelsAndMoves() throws {
        var wheel = TimerWheel(capacity: 3, tickMilliseconds: 10, nowMilliseconds: 0)
        let first = try arm(&wheel, at: 100, token: 1)
        let second = try arm(&wheel, at: 100, token: 2)
        _ = try arm(&wheel, at: 100, token: 3)
        let full = wheel.arm(atMilliseconds: 100, token: 4)
        #expect(full == nil)
        let cancelled = wheel.cancel(first)
        #expect(cancelled)
        let again = wheel.cancel(first)
        #expect(!again)
        let moved = wheel.rearm(second, atMilliseconds: 50)
        #expect(moved)
        let reused = try arm(&wheel, at: 60, token: 5)
        #expect(reused != first)
        let stale = wheel.rearm(first, atMilliseconds: 10)
        #expect(!stale)
        let tokens = fire(&wheel, at: 100)
        #expect(tokens == [2, 5, 3])
    }

    @Test func aTimerThatIsDueCanStillBeCancelledOrMoved() throws {
        var wheel = TimerWheel(capacity: 3, tickMilliseconds: 10, nowMilliseconds: 0)
        _ = wheel.arm(atMilliseconds: 10, token: 1)
        let second = try arm(&wheel, at: 20, token: 2)
        let third = try arm(&wheel, at: 30, token: 3)
        wheel.advance(toMilliseconds: 30)
        let one = wheel.popDue()?.token
        #expect(one == 1)
        let cancelled = wheel.cancel(second)
        let moved = wheel.rearm(third, atMilliseconds: 100)
        #expect(cancelled && moved)
        let none = wheel.popDue()
        #expect(none == nil)
        let tokens = fire(&wheel, at: 100)
        #expect(tokens == [3])
    }

    @Test func wakesUpAtMostOnceForATimerThatMovedAway() throws {
        var wheel = TimerWheel(capacity: 3, tickMilliseconds: 10, nowMilliseconds: 0)
        let timer = try arm(&wheel, at: 100, token: 1)
        wheel.rearm(timer, atMilliseconds: 700_000)
        let nothing = fire(&wheel, at: 100)
        #expect(nothing == [])
        let next = wheel.nextMilliseconds
        #expect(next == 700_000)
        wheel.cancel(timer)
        let none = wheel.nextMilliseconds
        #expect(none == nil)
    }

    /// Against a plain list, with arming, moving and cancelling at random; the seed is fixed, so a failure repeats.
    @Test func agreesWithAPlainList() {
        var random = SeededGenerator(state: 0x5EED)
        var wheel = TimerWheel(capacity: 500, tickMilliseconds: 10, nowMilliseconds: 0)
        var expected: [UInt64: (id: TimerID, tick: Int64)] = [:]
        var now: Int64 = 0
        for step in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let deadline = now + Int64.random(in: 0...100_000, using: &random)
                if let id = wheel.arm(atMilliseconds: deadline, token: UInt64(step)) {
                    expected[UInt64(step)] = (id, max((deadline + 9) / 10, now / 10 + 1))
                } else {
                    #expect(expected.count == 500)
                }
            case 5, 6:
                guard let token = expected.keys.min(), let entry = expected[token] else { continue }
                let deadline = now + Int64.random(in: 0...100_000, using: &random)
                wheel.rearm(entry.id, atMilliseconds: deadline)
                expected[token] = (entry.id, max((deadline + 9) / 10, now / 10 + 1))
            case 7:
                guard let token = expected.keys.max(), let entry = expected.removeValue(forKey: token) else { continue }
                wheel.cancel(entry.id)
            default:
                now += Int64.random(in: 0...2000, using: &random)
                let tokens = fire(&wheel, at: now)
                let due = expected.filter { $0.value.tick <= now / 10 }
                #expect(tokens.count == due.count)
                #expect(tokens.compactMap { due[$0]?.tick } == due.map(\.value.tick).sorted())
                for token in due.keys { expected[token] = nil }
            }
            let count = wheel.count
            if count != expected.count {
                Issue.record("step \(step): \(count) timers, expected \(expected.count)")
                return
            }
        }
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
