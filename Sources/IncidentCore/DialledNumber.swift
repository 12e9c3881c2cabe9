/// What a written telephone number would dial, however it is written.
///
/// A number is emergency when any reading of it reaches an emergency service: behind country and area codes, an
/// outside-line digit, the prefix of a cheaper carrier, or with more digits after it, which exchanges ignore. Source:
/// promise P7.
public enum DialledNumber: Sendable, Equatable {
    /// ASCII digits, with a leading `+` when it was written: what may be dialled.
    case ordinary(String)
    /// Reaches the emergency service of that code; `digits` is nil when the writing itself is not dialable.
    case emergency(code: String, digits: String?)
    /// Must not be dialled by anybody.
    case notDialable(reason: String)

    public init(_ written: String) {
        let reading = Reading(written)
        if let code = reading.runs.lazy.compactMap(Self.emergencyCode).first
            ?? Self.emergencyCode(in: reading.allDigits, international: reading.hasPlus)
        {
            self = .emergency(code: code, digits: reading.problem == nil ? reading.dialable : nil)
        } else if let problem = reading.problem {
            self = .notDialable(reason: problem)
        } else if !(Self.minimumDigits...Self.maximumDigits).contains(reading.allDigits.count) {
            self = .notDialable(
                reason:
                    "a number has \(Self.minimumDigits) to \(Self.maximumDigits) digits, found \(reading.allDigits.count)"
            )
        } else {
            self = .ordinary(reading.dialable)
        }
    }

    public static let minimumDigits = 3
    /// 15 of an international number and the longest prefixes in front of it.
    public static let maximumDigits = 24

    /// International numbers are longer than this.
    static let longestShortNumber = 8

    /// Police, GSM emergency, fire, ambulance, traffic police: refused also when more digits follow.
    static let codes = ["110", "112", "119", "120", "122"]
    /// What a mobile phone's firmware connects to an emergency centre when it stands alone (3GPP TS 22.101).
    static let exactCodes = ["911", "999", "000", "118", "08"]
    /// Prefixes that choose a carrier and are followed by the whole number.
    static let carrierPrefixes = [
        "17900", "17901", "17908", "17909", "17910", "17911", "17931", "17950", "17951", "17960", "17969", "17970",
        "17971", "17990", "17991", "17996", "12593", "12520", "12583", "125831", "125832", "125833", "10193", "11808",
    ]
    /// The same, but also the beginnings of mobile numbers: taken as prefixes only in front of a bare emergency number.
    static let shortCarrierPrefixes = ["190", "193", "196", "197"]
}

// MARK: - Reading what was written

extension DialledNumber {
    /// The digits of a writing, and what in it cannot be dialled.
    struct Reading {
        var allDigits = ""
        /// Digits between things that cannot be dialled.
        var runs: [String] = []
        var hasPlus = false
        var problem: String?

        var dialable: String { (hasPlus ? "+" : "") + allDigits }

        init(_ written: String) {
            var run = ""
            for scalar in written.unicodeScalars {
                if let digit = Self.digit(scalar) {
                    run.append(digit)
                    allDigits.append(digit)
                } else if scalar == "+" || scalar == "\u{FF0B}" || scalar == "\u{FE62}" {
                    if allDigits.isEmpty, !hasPlus {
                        hasPlus = true
                    } else {
                        problem = problem ?? "\"+\" stands only in front"
                        runs.append(run)
                        run = ""
                    }
                } else if !Self.isSeparator(scalar) {
                    problem = problem ?? "U+\(String(scalar.value, radix: 16, uppercase: true)) cannot be dialled"
                    runs.append(run)
                    run = ""
                }
            }
            runs.append(run)
            runs.removeAll(where: \.isEmpty)
            if problem == nil { runs = [] }
            if allDigits.isEmpty { problem = problem ?? "there is no digit" }
        }

        /// `0`-`9` for a decimal digit of any script, also raised, lowered or circled.
        private static func digit(_ scalar: Unicode.Scalar) -> Character? {
            switch scalar.properties.numericType {
            case .decimal, .digit:
                guard let value = scalar.properties.numericValue, (0...9).contains(value) else { return nil }
                return Character(String(Int(value)))
            default: return scalar == "\u{24EA}" || scalar == "\u{3007}" ? "0" : nil
            }
        }

        /// What people write between digits: spaces, dashes, dots, brackets, strokes, invisible marks.
        private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case ".", "/", "\t", "\u{FF0E}", "\u{FF0F}", "\u{B7}", "\u{2022}", "\u{30FB}", "\u{3002}", "\u{2212}",
                "\u{30FC}", "_":
                return true
            default: break
            }
            switch scalar.properties.generalCategory {
            case .spaceSeparator, .dashPunctuation, .openPunctuation, .closePunctuation, .format,
                .nonspacingMark:
                return true
            default: return false
            }
        }
    }
}

// MARK: - Finding an emergency code

extension DialledNumber {
    private static func emergencyCode(_ digits: String) -> String? {
        emergencyCode(in: digits, international: false)
    }

    /// The emergency service that the digits reach in any reading.
    private static func emergencyCode(in digits: String, international: Bool) -> String? {
        if international {
            if digits.hasPrefix("86") {
                return national(digits.dropFirst(2), hasCountryCode: true)
            }
            return abroad(digits[...])
        }
        return national(digits[...], hasCountryCode: false)
    }

    /// A number with the sign of another country: too short for one it is read as dialled at home.
    private static func abroad(_ digits: Substring) -> String? {
        let isShort = digits.count <= longestShortNumber || digits.first == "0"
        return isShort ? national(digits, hasCountryCode: false) : exact(digits)
    }

    /// A code at the start of the digits or alone.
    private static func leading(_ digits: Substring) -> String? {
        codes.first(where: digits.hasPrefix) ?? exactCodes.first { digits == $0 }
    }

    private static func exact(_ digits: Substring) -> String? {
        codes.first { digits == $0 } ?? exactCodes.first { digits == $0 }
    }

    /// Digits as dialled in China, with nothing in front but what people put there.
    private static func national(_ digits: Substring, hasCountryCode: Bool, depth: Int = 0) -> String? {
        // Each reading takes digits away; a dozen prefixes in a row is more than anybody dials.
        guard depth < 12, digits.count >= 2 else { return nil }
        if let code = leading(digits) { return code }
        func deeper(_ count: Int, hasCountryCode: Bool = false) -> String? {
            national(digits.dropFirst(count), hasCountryCode: hasCountryCode, depth: depth + 1)
        }
        if digits.hasPrefix("00") {
            if digits.hasPrefix("0086") { return deeper(4, hasCountryCode: true) }
            // To another country, or outside lines in front of something.
            return abroad(digits.drop { $0 == "0" })
        }
        for prefix in carrierPrefixes where digits.hasPrefix(prefix) {
            if let code = deeper(prefix.count) { return code }
        }
        for prefix in shortCarrierPrefixes where digits.hasPrefix(prefix) && digits.count != 11 {
            if let code = deeper(prefix.count) { return code }
        }
        if digits.first == "0" {
            let area = areaLength(digits.dropFirst())
            if area > 0, let code = leading(digits.dropFirst(1 + area)) { return code }
            return area > 0 && digits.count > 7 ? nil : deeper(1)
        }
        // An outside line: one digit in front of a bare code, or a 9 in front of an area code or another carrier's prefix. No
        // local number begins with 90, and none is as long as one behind such a prefix.
        if digits.count == 4, let code = exact(digits.dropFirst()) { return code }
        let inner = digits.dropFirst()
        if digits.first == "9", inner.first == "0" || carrierPrefixes.contains(where: inner.hasPrefix),
            let code = deeper(1)
        {
            return code
        }
        if digits.hasPrefix("86"), !hasCountryCode {
            let rest = digits.dropFirst(2)
            // Seven or eight digits are a local number first of all; only a bare code behind makes them suspect.
            let isLocal = digits.count == 7 || digits.count == 8
            if let code = isLocal ? bare(rest) : national(rest, hasCountryCode: true, depth: depth + 1) { return code }
        }
        return hasCountryCode ? behindArea(digits) : digits.count <= 6 ? bare(digits) : nil
    }

    /// An area code without its zero and a code with whatever follows; a mobile number is left alone.
    private static func behindArea(_ digits: Substring) -> String? {
        let isMobile = digits.count == 11 && digits.first == "1" && !digits.hasPrefix("10")
        let area = areaLength(digits)
        return isMobile || area == 0 ? nil : leading(digits.dropFirst(area))
    }

    /// A code alone, or behind an area code without its zero.
    private static func bare(_ digits: Substring) -> String? {
        let area = areaLength(digits)
        return exact(digits) ?? (area > 0 ? exact(digits.dropFirst(area)) : nil)
    }

    /// How many digits the area code at the start has without its zero: `10`, `2x`, `3xx` to `9xx`; 0 for none.
    private static func areaLength(_ digits: Substring) -> Int {
        switch digits.first {
        case "1": digits.hasPrefix("10") ? 2 : 0
        case "2": digits.count >= 2 ? 2 : 0
        case "3", "4", "5", "6", "7", "8", "9": digits.count >= 3 ? 3 : 0
        default: 0
        }
    }
}
