public import IncidentCore
import IncidentStore
import TerminalModel

/// Announcing test presses.
extension AlarmPipeline {
    /// Announces a person's test press, in place of one that was announced before, or takes it back (nil). It is on when it is on
    /// the disk, and over at once.
    ///
    /// - Throws: `PipelineError`: `not_found` when there is no such person, `conflict` when no press could be a test now.
    public func setTestWindow(_ window: TestWindow?, of person: String, by actor: Operator) async throws {
        guard !actor.id.isEmpty else { throw PipelineError(.invalid, "a test press needs an operator") }
        guard try store.person(person) != nil else { throw PipelineError(.notFound, "there is no person \(person)") }
        let terminals = try store.terminals(of: person)
        if window != nil, terminals.isEmpty {
            throw PipelineError(.conflict, "person \(person) has no terminal that could be pressed")
        }
        try await perform { decider, now, done in
            if window != nil { try decider.admitTest(of: person, terminals, now: now) }
            var entry = CommitEntry()
            entry.writes = [.testWindow(window, person: person, at: now.wall)]
            // The person's id is all of the detail, so that erasing the person finds it.
            entry.audit("test_press", person, by: actor, at: now.wall)
            if window == nil { decider.engine.setTestWindow(nil, of: person, now: now) }
            let post = decider.post
            entry.onCommit = {
                post(.request { decider, now in decider.engine.setTestWindow(window, of: person, now: now) })
            }
            done.attach(to: &entry, (), isInForce: false)
            decider.output.entries.append(entry)
        }
        // Whoever is told that it is on may press at once: it must be in force by then.
        _ = try await testWindow(of: person)
    }

    /// The test press of a person that is announced now, and whether it was pressed.
    public func testWindow(of person: String) async throws -> (window: TestWindow, isUsed: Bool)? {
        let now = clock.now().wall
        return try await ask { $0.engine.testWindow(of: person, at: now) }
    }
}

extension Decider {
    /// A press while an emergency or a test of the person is open belongs to that, and would be no test.
    fileprivate func admitTest(of person: String, _ terminals: [TerminalID], now: Moment) throws {
        if let open = engine.reasonAgainstTest(of: terminals) {
            throw PipelineError(
                .conflict,
                "incident \(open) of person \(person) is open, and a press would belong to it; close it first")
        }
        guard engine.announcedTests(at: now.wall) < TestWindow.maximumAnnounced else {
            throw PipelineError(.conflict, "\(TestWindow.maximumAnnounced) test presses are announced already")
        }
    }
}
