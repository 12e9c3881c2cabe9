/// Entries by due time, the earliest first; equal times in the order they were added.
struct TimerHeap<Payload> {
    private struct Entry {
        var due: Int64
        var serial: UInt64
        var payload: Payload

        func isBefore(_ other: Entry) -> Bool {
            (due, serial) < (other.due, other.serial)
        }
    }

    private var entries: [Entry] = []
    private var nextSerial: UInt64 = 0

    var count: Int { entries.count }
    var earliestDue: Int64? { entries.first?.due }
    var first: Payload? { entries.first?.payload }

    mutating func add(_ payload: Payload, due: Int64) {
        entries.append(Entry(due: due, serial: nextSerial, payload: payload))
        nextSerial += 1
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index].isBefore(entries[parent]) else { break }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    /// Takes the earliest entry when it is due.
    mutating func take(dueBy now: Int64) -> Payload? {
        guard let first = entries.first, first.due <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            sink()
        }
        return first.payload
    }

    private mutating func sink() {
        var index = 0
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count {
                if entries[child].isBefore(entries[smallest]) { smallest = child }
            }
            guard smallest != index else { return }
            entries.swapAt(index, smallest)
            index = smallest
        }
    }
}
