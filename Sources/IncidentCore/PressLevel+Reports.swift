import TerminalModel

extension PressLevel {
    /// An incident rarely has more presses; the oldest are forgotten first.
    static let maximumSpans = 8
    /// Datagrams overtake each other within this time.
    static let overtakenMilliseconds: Int64 = 10_000

    /// The press that goes on while the bit is held.
    var present: PressSpan? { spans.last }

    /// True when a report of that device time was made during a known press.
    func covers(_ device: Timestamp) -> Bool {
        spans.indices.contains { spans[$0].covers(device, isHeld: isHeld($0)) }
    }

    /// True when it was made so shortly before or after the reports known of a press that it is part of it.
    func nearlyCovers(_ device: Timestamp) -> Bool {
        spans.indices.contains { spans[$0].nearlyCovers(device, isHeld: isHeld($0)) }
    }

    /// True when the bit was seen set and cleared at one and the same device time: a clock that stands still, as of a
    /// terminal that states the time of its last fix, orders nothing, so what arrives later is later (promise P8).
    func endedWhileTheClockStood(at device: Timestamp) -> Bool {
        !held && (lastClear == device || spans.contains { $0.lastSet == device && $0.clearedAt == device })
    }

    /// True when a live report arrives so closely behind the one that ended the press that they have overtaken each other.
    func hasJustEnded(at received: Timestamp) -> Bool {
        guard let endedOnArrival else { return false }
        return (0...Self.overtakenMilliseconds).contains(received.milliseconds &- endedOnArrival.milliseconds)
    }

    /// True when the press was over before this live report with the bit: the report without it was no late copy.
    func hasEnded(before sighting: Sighting) -> Bool {
        !sighting.isStored && doubt?.isFollowed(by: sighting) == true
    }

    /// A press begins; one that is `over` is entered among the past ones.
    mutating func begin(_ sighting: Sighting, over: Timestamp?) {
        if spans.count >= Self.maximumSpans { spans.removeFirst() }
        let span = PressSpan(at: sighting.device, isPast: over != nil)
        if let over {
            spans.insert(span, at: 0)
            lastClear = max(over, lastClear ?? over)
        } else {
            spans.append(span)
            storedOnly = sighting.isStored
            held = true
            doubt = nil
        }
    }

    /// One more report of a known press.
    mutating func extend(by sighting: Sighting) {
        if !sighting.isStored { doubt = nil }
        guard let device = sighting.device, !spans.isEmpty else { return }
        let index =
            spans.indices.first { spans[$0].covers(device, isHeld: isHeld($0)) }
            ?? spans.indices.first { spans[$0].nearlyCovers(device, isHeld: isHeld($0)) }
            ?? (held ? spans.count - 1 : nil)
        guard let index else { return }
        spans[index].first = min(device, spans[index].first ?? device)
        spans[index].lastSet = max(device, spans[index].lastSet ?? device)
    }

    /// A report without the bit; it ends the present press unless it is older than the last report with it. A live one that
    /// claims to be older ends it when the next one proves the clock set back (promise P8).
    mutating func clear(by sighting: Sighting) {
        if held, sighting.isNewer(than: present?.lastSet) || hasEnded(before: sighting) {
            held = false
            doubt = nil
            endedOnArrival = sighting.isStored ? nil : sighting.received
        } else if held, !sighting.isStored, doubt?.isInStep(with: sighting) != true {
            doubt = SeenFrame(sighting)
        }
        guard let device = sighting.device else { return }
        if !held { lastClear = max(device, lastClear ?? device) }
        for index in spans.indices where !isHeld(index) {
            guard let lastSet = spans[index].lastSet, device >= lastSet else { continue }
            let latest = lastSet.adding(milliseconds: PressSpan.slackMilliseconds)
            if spans[index].isPast, device > latest { continue }
            spans[index].clearedAt = min(device, spans[index].clearedAt ?? device)
        }
    }

    private func isHeld(_ index: Int) -> Bool {
        held && index == spans.count - 1
    }
}

extension PressSpan {
    /// Two reports of one press are hardly further apart than this.
    static let slackMilliseconds: Int64 = 60_000

    func covers(_ device: Timestamp, isHeld: Bool) -> Bool {
        guard let first, let lastSet, device >= first else { return false }
        if device <= lastSet { return true }
        guard let clearedAt, !isHeld else { return false }
        return device < clearedAt
    }

    func nearlyCovers(_ device: Timestamp, isHeld: Bool) -> Bool {
        guard let first, let lastSet else { return false }
        if device < first { return device >= first.adding(milliseconds: -Self.slackMilliseconds) }
        return !isHeld && clearedAt == nil && device <= lastSet.adding(milliseconds: Self.slackMilliseconds)
    }
}
