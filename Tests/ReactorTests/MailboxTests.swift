import Glibc
import Reactor
import Synchronization
import Testing

@Suite struct MailboxTests {
    @Test func refusesAboveTheBoundAndCounts() throws {
        let box = try Mailbox<Int>(name: "box", capacity: 3)
        #expect((0..<5).map { box.post($0) } == [true, true, true, false, false])
        #expect(box.posted == 3)
        #expect(box.refused == 2)
        #expect(box.count == 3)
        var taken: [Int] = []
        #expect(box.drain(maximum: 2) { taken.append($0) } == 2)
        #expect(box.wait(milliseconds: 0), "one message is left")
        #expect(box.post(9))
        box.drain(maximum: 10) { taken.append($0) }
        #expect(taken == [0, 1, 2, 9])
        #expect(!box.wait(milliseconds: 0))
    }

    @Test func losesNothingFromManyThreadsAndKeepsEachOnesOrder() throws {
        let threads = 8
        let each = 20_000
        let box = try Mailbox<(poster: Int, number: Int)>(name: "box", capacity: 1024)
        let refusals = Atomic<Int>(0)
        let givenUp = Atomic<Bool>(false)
        try withPosters(
            threads,
            post: { poster in
                for number in 0..<each {
                    while !box.post((poster, number)), !givenUp.load(ordering: .relaxed) {
                        refusals.add(1, ordering: .relaxed)
                        sched_yield()
                    }
                }
            },
            meanwhile: {
                defer { givenUp.store(true, ordering: .relaxed) }
                var expected = [Int](repeating: 0, count: threads)
                var taken = 0
                while taken < threads * each {
                    try #require(box.wait(milliseconds: 10_000), "lost after \(taken)")
                    var inOrder = true
                    taken += box.drain(maximum: 256) { message in
                        inOrder = inOrder && message.number == expected[message.poster]
                        expected[message.poster] = message.number + 1
                    }
                    try #require(inOrder)
                }
                #expect(expected == [Int](repeating: each, count: threads))
            })
        #expect(box.posted == UInt64(threads * each))
        #expect(box.refused == UInt64(refusals.load(ordering: .relaxed)))
        #expect(box.count == 0)
    }

    @Test func letsGoOfWhatWasNeverTaken() throws {
        final class Token: Sendable {}
        weak var kept: Token?
        do {
            let box = try Mailbox<Token>(name: "box", capacity: 4)
            let token = Token()
            kept = token
            #expect(box.post(token))
        }
        #expect(kept == nil)
    }

    @Test func reachesALoop() throws {
        let box = try Mailbox<Int>(name: "box", capacity: 10_000)
        let loop = try TestLoop { loop, recorder in
            try loop.attach(box) { number, _ in _ = recorder.events.post(.mail(number)) }
        }
        for number in 0..<5000 { #expect(box.post(number)) }
        for number in 0..<5000 {
            #expect(loop.next("mail") { if case .mail(let found) = $0 { found } else { nil } } == number)
        }
    }
}

/// Runs `post` on threads of its own and `meanwhile` on this one; returns when all have ended.
func withPosters(_ count: Int, post: @escaping @Sendable (Int) -> Void, meanwhile: () throws -> Void) throws {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let threads = (0..<count).map { index in
        var identifier = pthread_t()
        let argument = Unmanaged.passRetained(Body { post(index) }).toOpaque()
        pthread_create(
            &identifier, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument)
        return identifier
    }
    defer { for thread in threads { pthread_join(thread, nil) } }
    try meanwhile()
}
