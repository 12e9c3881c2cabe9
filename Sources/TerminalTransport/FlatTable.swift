/// From 128-bit keys to handles in two flat arrays: no object and no string per entry, 24 bytes a cell, at most three quarters
/// of the cells in use.
struct FlatTable {
    /// 0 marks a free cell, so no handle may be 0.
    private var handles: [UInt64]
    private var keys: [UInt128]
    private(set) var count = 0
    /// Terminals choose their keys; without a number they cannot know, some could make all searches long.
    private let seed: UInt64

    private static let smallestCapacity = 16

    init(seed: UInt64 = .random(in: .min ... .max)) {
        self.seed = seed
        handles = [UInt64](repeating: 0, count: Self.smallestCapacity)
        keys = [UInt128](repeating: 0, count: Self.smallestCapacity)
    }

    subscript(key: UInt128) -> UInt64? {
        get {
            let cell = find(key)
            return handles[cell] == 0 ? nil : handles[cell]
        }
        set {
            let cell = find(key)
            if let newValue {
                insert(key, newValue, at: cell)
            } else if handles[cell] != 0 {
                remove(at: cell)
            }
        }
    }

    private mutating func insert(_ key: UInt128, _ handle: UInt64, at cell: Int) {
        let isNew = handles[cell] == 0
        handles[cell] = handle
        keys[cell] = key
        guard isNew else { return }
        count += 1
        if count * 4 > handles.count * 3 { grow() }
    }

    /// The key's cell, or the free one where it would stand.
    private func find(_ key: UInt128) -> Int {
        let mask = handles.count - 1
        var cell = home(key)
        while handles[cell] != 0, keys[cell] != key { cell = (cell + 1) & mask }
        return cell
    }

    private func home(_ key: UInt128) -> Int {
        var hash = UInt64(truncatingIfNeeded: key) ^ seed
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash ^= UInt64(truncatingIfNeeded: key >> 64)
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: (hash ^ hash >> 31) >> 1) & (handles.count - 1)
    }

    /// Closes the gap: whoever stands behind it because of it moves up, so that searches never meet a hole.
    private mutating func remove(at cell: Int) {
        let mask = handles.count - 1
        var gap = cell
        var next = (cell + 1) & mask
        while handles[next] != 0 {
            let distance = (next - home(keys[next])) & mask
            if distance >= (next - gap) & mask {
                handles[gap] = handles[next]
                keys[gap] = keys[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        handles[gap] = 0
        count -= 1
    }

    private mutating func grow() {
        let old = (handles: handles, keys: keys)
        handles = [UInt64](repeating: 0, count: old.handles.count * 2)
        keys = [UInt128](repeating: 0, count: old.handles.count * 2)
        for cell in old.handles.indices where old.handles[cell] != 0 {
            let place = find(old.keys[cell])
            handles[place] = old.handles[cell]
            keys[place] = old.keys[cell]
        }
    }
}
