/// Gives each terminal id a small number, so that what is kept of a terminal stands in flat arrays.
///
/// A table with open addressing: an id costs 16 bytes and its place in the table 5 to 11, a look-up one multiplication
/// and usually one comparison. Numbers of ids that left are given out again. The order of places is different in every
/// process, so that nobody can choose ids that fall on one place.
public struct TerminalNumbers: Sendable {
    /// 0 is a free place; else the number plus one.
    private var places: [UInt32]
    private var ids = PagedArray<TerminalID>()
    private var free: [UInt32] = []
    private let seeds: (UInt64, UInt64)
    /// Ids that have a number now.
    public private(set) var count = 0

    public init() {
        places = Array(repeating: 0, count: 16)
        seeds = (.random(in: .min ... .max), .random(in: .min ... .max) | 1)
    }

    /// Numbers given out so far, also those that wait to be given out again: the size of arrays beside it.
    public var bound: Int { ids.count }

    /// The id of a number in use.
    public func id(_ number: UInt32) -> TerminalID { ids[Int(number)] }

    public subscript(id: TerminalID) -> UInt32? {
        let found = places[place(of: id)]
        return found == 0 ? nil : found - 1
    }

    /// The number of an id, a new one when it has none.
    public mutating func insert(_ id: TerminalID) -> UInt32 {
        let place = place(of: id)
        guard places[place] == 0 else { return places[place] - 1 }
        let number: UInt32
        if let reused = free.popLast() {
            ids[Int(reused)] = id
            number = reused
        } else {
            number = UInt32(ids.count)
            ids.append(id)
        }
        places[place] = number + 1
        count += 1
        if count * 4 > places.count * 3 { grow() }
        return number
    }

    /// Takes the number back; it means nothing from here on.
    public mutating func remove(_ id: TerminalID) {
        var gap = place(of: id)
        guard places[gap] != 0 else { return }
        free.append(places[gap] - 1)
        count -= 1
        places[gap] = 0
        // What was pushed aside by this id moves up, so that no look-up ends at the gap.
        let mask = places.count - 1
        var next = (gap + 1) & mask
        while places[next] != 0 {
            let home = hash(ids[Int(places[next] - 1)]) & mask
            if (next - home) & mask >= (next - gap) & mask {
                places[gap] = places[next]
                places[next] = 0
                gap = next
            }
            next = (next + 1) & mask
        }
    }

    /// The place that holds the id, or the free one where it belongs.
    private func place(of id: TerminalID) -> Int {
        let mask = places.count - 1
        var place = hash(id) & mask
        while places[place] != 0, ids[Int(places[place] - 1)] != id { place = (place + 1) & mask }
        return place
    }

    private func hash(_ id: TerminalID) -> Int {
        let low = UInt64(truncatingIfNeeded: id.nibbles) ^ seeds.0
        let high = UInt64(truncatingIfNeeded: id.nibbles >> 64) ^ seeds.1
        let product = low.multipliedFullWidth(by: high)
        return Int(truncatingIfNeeded: (product.high ^ product.low) >> 1)
    }

    private mutating func grow() {
        let old = places
        places = Array(repeating: 0, count: old.count * 2)
        let mask = places.count - 1
        for entry in old where entry != 0 {
            var place = hash(ids[Int(entry - 1)]) & mask
            while places[place] != 0 { place = (place + 1) & mask }
            places[place] = entry
        }
    }
}
