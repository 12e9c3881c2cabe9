/// Lists of fences by a key, all in one array, so that a hundred thousand short lists cost no object each.
struct FenceLists<Key: Hashable & Sendable>: Sendable {
    private struct Link {
        var fence: Int32
        var next: Int32
    }

    private static var none: Int32 { -1 }

    private var heads: [Key: Int32] = [:]
    private var links: [Link] = []
    private var free: Int32 = -1

    var isEmpty: Bool { heads.isEmpty }

    mutating func insert(_ fence: Int, _ key: Key) {
        let link = Link(fence: Int32(fence), next: heads[key] ?? Self.none)
        if free == Self.none {
            heads[key] = Int32(links.count)
            links.append(link)
        } else {
            heads[key] = free
            free = links[Int(free)].next
            links[Int(heads[key] ?? 0)] = link
        }
    }

    mutating func remove(_ fence: Int, _ key: Key) {
        var before = Self.none
        var link = heads[key] ?? Self.none
        while link != Self.none {
            let next = links[Int(link)].next
            guard links[Int(link)].fence == fence else {
                before = link
                link = next
                continue
            }
            if before != Self.none {
                links[Int(before)].next = next
            } else {
                heads[key] = next == Self.none ? nil : next
            }
            links[Int(link)].next = free
            free = link
            return
        }
    }

    /// The first place in the list of a key; go on with `next`.
    func first(_ key: Key) -> Int32? { isEmpty ? nil : heads[key] }

    func next(_ link: Int32) -> Int32? {
        let next = links[Int(link)].next
        return next == Self.none ? nil : next
    }

    func fence(_ link: Int32) -> Int { Int(links[Int(link)].fence) }

    func contains(_ fence: Int, _ key: Key) -> Bool {
        var link = first(key)
        while let at = link {
            if self.fence(at) == fence { return true }
            link = next(at)
        }
        return false
    }
}
