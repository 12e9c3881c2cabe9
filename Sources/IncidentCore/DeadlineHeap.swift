/// What may be due for an incident.
enum IncidentTimer: CaseIterable {
    /// The next step of the ladder.
    case ladder
    /// Asking the terminal for positions again.
    case chase
    /// Reminding of what was handed over, or raising attention since it is overdue.
    case supervision
}

/// Deadlines of open incidents, soonest first.
///
/// A binary heap without removal: an entry whose incident has moved on is dropped when it comes to the top, so setting
/// and dropping cost O(log n) and the soonest is at hand.
struct DeadlineHeap {
    struct Entry {
        var milliseconds: Int64
        var id: IncidentID
        var timer: IncidentTimer
    }

    private(set) var entries: [Entry] = []

    var first: Entry? { entries.first }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].milliseconds < entries[parent].milliseconds else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        sink(from: 0)
    }

    mutating func rebuild(_ kept: [Entry]) {
        entries = kept
        for index in stride(from: entries.count / 2 - 1, through: 0, by: -1) { sink(from: index) }
    }

    private mutating func sink(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].milliseconds < entries[smallest].milliseconds {
                smallest = child
            }
            guard smallest != parent else { return }
            entries.swapAt(smallest, parent)
            parent = smallest
        }
    }
}
