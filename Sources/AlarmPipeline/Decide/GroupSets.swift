import IncidentCore

/// The different sets of groups that people belong to, so that a terminal keeps a number instead of a list, and a position
/// against the fences of groups reads no card.
struct GroupSets {
    /// A number is worth nothing once all sets were forgotten.
    struct Number {
        fileprivate var set: UInt32 = 0
        fileprivate var generation: UInt32 = 0
    }

    /// Beyond so many different sets all are forgotten and numbered anew.
    static let maximumSets = 65_536

    private var sets: [[String]] = []
    private var numbers: [[String]: UInt32] = [:]
    private var generation: UInt32 = 1

    /// nil when the number is worth nothing any more.
    func groups(_ number: Number) -> [String]? {
        number.generation == generation ? sets[Int(number.set)] : nil
    }

    mutating func number(of groups: [String]) -> Number {
        if let known = numbers[groups] { return Number(set: known, generation: generation) }
        if sets.count >= Self.maximumSets {
            sets.removeAll()
            numbers.removeAll()
            generation &+= 1
        }
        let set = UInt32(sets.count)
        sets.append(groups)
        numbers[groups] = set
        return Number(set: set, generation: generation)
    }
}
