internal import TerminalModel

/// What stands for whom in one run: the same original gets the same pseudonym, and nothing leads back, because pseudonyms are
/// random and only this table, which is never written, knows whose they are.
///
/// All places move by one vector and all times by one distance, so that tracks, speeds and delays stay what they are.
final class Pseudonyms {
    /// Hundred-thousandths of a degree: a step that every protocol's units divide.
    private static let stepsPerDegree = 1000
    /// Ten-millionths of a degree in one step.
    private static let stepE7 = 10_000
    private static let millisecondsPerDay: Int64 = 86_400_000
    /// Numbers of so few digits run out, so that two may get the same one.
    private static let fewDigits = 3
    /// So many digits in a row may be an id, whatever the field is for.
    private static let digitsOfAnID = 6

    private var random: any RandomNumberGenerator
    private var numbers: [String: String] = [:]
    private var takenNumbers: Set<String> = []
    private var words: [String: String] = [:]
    private var codes: [String: [UInt64: UInt64]] = [:]
    private var names: [String: [String: String]] = [:]
    private let latitudeShiftE7: Int
    private let longitudeShiftE7: Int
    /// How much later everything happens; negative, whole seconds.
    let timeShiftMilliseconds: Int64

    /// - Parameter random: the secret of the run; that of the system, but for tests.
    init(random: any RandomNumberGenerator = SystemRandomNumberGenerator()) {
        var random = random
        func signed(_ range: ClosedRange<Int>) -> Int {
            Int.random(in: range, using: &random) * (Bool.random(using: &random) ? 1 : -1)
        }
        latitudeShiftE7 = signed(Self.stepsPerDegree / 2...4 * Self.stepsPerDegree) * Self.stepE7
        longitudeShiftE7 = signed(5 * Self.stepsPerDegree...60 * Self.stepsPerDegree) * Self.stepE7
        let days = Int64.random(in: 30...900, using: &random)
        let seconds = Int64.random(in: 0..<86_400, using: &random)
        timeShiftMilliseconds = -(days * Self.millisecondsPerDay + seconds * 1000)
        self.random = random
    }

    // MARK: Places and times

    /// Moves a place; 0, 0 is no place and stays.
    func moved(latitudeE7: Int, longitudeE7: Int) -> (latitudeE7: Int, longitudeE7: Int) {
        guard latitudeE7 != 0 || longitudeE7 != 0 else { return (0, 0) }
        let pole = 90 * 10_000_000
        let half = 180 * 10_000_000
        var latitude = latitudeE7 + latitudeShiftE7
        // Nobody lives so near to a pole that this matters; a place beyond it would be none.
        if abs(latitude) > pole { latitude = latitudeE7 - latitudeShiftE7 }
        var longitude = longitudeE7 + longitudeShiftE7
        if longitude > half { longitude -= 2 * half }
        if longitude < -half { longitude += 2 * half }
        return (latitude, longitude)
    }

    func moved(_ time: Timestamp) -> Timestamp {
        time.adding(milliseconds: timeShiftMilliseconds)
    }

    // MARK: Numbers and names

    /// Decimal digits that stand for others of the same count; leading zeros stay, so that an id is the same one in a longer and
    /// in a shorter field.
    func number(_ digits: String) -> String {
        let zeros = digits.prefix { $0 == "0" }
        let significant = String(digits.dropFirst(zeros.count))
        guard !significant.isEmpty else { return digits }
        if let known = numbers[significant] { return zeros + known }
        var chosen: String
        repeat {
            chosen = String(
                (0..<significant.count).map { index in
                    Character(Unicode.Scalar(UInt8.random(in: index == 0 ? 0x31...0x39 : 0x30...0x39, using: &random)))
                })
        } while chosen == significant || !takenNumbers.insert(chosen).inserted && significant.count > Self.fewDigits
        numbers[significant] = chosen
        return zeros + chosen
    }

    func terminal(_ terminal: TerminalID) -> TerminalID {
        TerminalID(number(terminal.description)) ?? terminal
    }

    /// Digits packed as nibbles.
    func nibbles(_ nibbles: UInt64) -> UInt64 {
        UInt64(truncatingIfNeeded: terminal(TerminalID(nibbles: UInt128(nibbles))).nibbles)
    }

    /// Letters and digits of the same kinds in place of those of a word; other characters become one.
    func word(_ text: String) -> String {
        guard !text.isEmpty else { return text }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return number(text) }
        if let known = words[text] { return known }
        let chosen = String(
            text.map { character -> Character in
                switch character {
                case "0"..."9": letter(in: 0x30...0x39)
                case "a"..."z": letter(in: 0x61...0x7A)
                case "A"..."Z": letter(in: 0x41...0x5A)
                case " ", "-", "_", ".", ",", ":": character
                default: character.isASCII ? "x" : "某"
                }
            })
        words[text] = chosen
        return chosen
    }

    /// The name of a model or a version as it is, unless it holds what may be an id.
    func withoutNumbers(_ text: String) -> String {
        var run = 0
        for character in text.utf8 {
            run = (0x30...0x39).contains(character) ? run + 1 : 0
            if run >= Self.digitsOfAnID { return word(text) }
        }
        return text
    }

    private func letter(in range: ClosedRange<UInt8>) -> Character {
        Character(Unicode.Scalar(UInt8.random(in: range, using: &random)))
    }

    /// A number of this many bits in place of another of the same kind, such as a cell. 0 and all ones say that there is none,
    /// and stay.
    func code(_ value: UInt64, of kind: String, bits: Int) -> UInt64 {
        let last = bits >= 64 ? UInt64.max : (1 << UInt64(bits)) - 1
        guard value != 0, value < last else { return value }
        if let known = codes[kind]?[value] { return known }
        let chosen = UInt64.random(in: 1..<last, using: &random)
        codes[kind, default: [:]][value] = chosen
        return chosen
    }

    /// An address of a radio; the one that stands for it says that it was assigned locally.
    func radioAddress(_ address: UInt64) -> UInt64 {
        guard address != 0, address < 0xFFFF_FFFF_FFFF else { return address }
        return code(address, of: "radio", bits: 48) & 0xFCFF_FFFF_FFFF | 0x0200_0000_0000
    }

    /// `kind-1`, `kind-2` and so on for what has no form to keep.
    func name(_ original: String, of kind: String) -> String {
        if let known = names[kind]?[original] { return known }
        let chosen = "\(kind)-\((names[kind]?.count ?? 0) + 1)"
        names[kind, default: [:]][original] = chosen
        return chosen
    }
}
