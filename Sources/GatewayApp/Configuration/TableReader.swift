/// Gathers the issues of one document, with the lines on which they stand.
final class IssueCollector {
    let file: String
    private let index: TOMLLineIndex
    private(set) var issues: [ConfigurationIssue] = []

    init(file: String, index: TOMLLineIndex) {
        self.file = file
        self.index = index
    }

    func report(_ keyPath: String, found: String, allowed: String) {
        issues.append(
            ConfigurationIssue(
                file: file, line: index.line(of: keyPath), keyPath: keyPath, found: found, allowed: allowed))
    }
}

/// Reads the keys of one table with their types and limits; every fault is reported and a harmless value returned, so
/// that one run finds all of them. The caller ends with `finish()`, which refuses keys that nobody asked for.
struct TableReader {
    let path: String
    let collector: IssueCollector
    private let members: [String: ConfigurationValue]
    private var asked: [String] = []

    init(path: String, members: [String: ConfigurationValue], collector: IssueCollector) {
        self.path = path
        self.members = members
        self.collector = collector
    }

    /// The keys that are there, for tables whose keys are data.
    var keys: [String] { members.keys.sorted() }

    func keyPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func report(_ key: String, found: String, allowed: String) {
        collector.report(keyPath(key), found: found, allowed: allowed)
    }

    /// Reports the table itself, for what no single key of it can say.
    func reportWhole(found: String, allowed: String) {
        collector.report(path, found: found, allowed: allowed)
    }

    /// A string that `accept` turns into a value; nil when it is absent or was reported.
    mutating func parsed<Value>(
        _ key: String, allowed: String, required: Bool = false, _ accept: (String) -> Value?
    ) -> Value? {
        asked.append(key)
        switch members[key] {
        case nil:
            if required { report(key, found: "nothing", allowed: allowed) }
            return nil
        case .string(let text):
            if let value = accept(text) { return value }
            report(key, found: "\"\(text)\"", allowed: allowed)
            return nil
        case .some(let other):
            report(key, found: other.shown, allowed: "a string: \(allowed)")
            return nil
        }
    }

    mutating func string(_ key: String, default value: String, allowed: String = "1 to 256 characters") -> String {
        parsed(key, allowed: allowed) { (1...256).contains($0.count) ? $0 : nil } ?? value
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(_ key: String, default value: Value) -> Value
    where Value.RawValue == String {
        let names = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        return parsed(key, allowed: names) { Value(rawValue: $0) } ?? value
    }

    mutating func integer(_ key: String, default value: Int, in range: ClosedRange<Int>, unit: String = "") -> Int {
        asked.append(key)
        let allowed = "an integer from \(range.lowerBound) to \(range.upperBound)\(unit.isEmpty ? "" : " \(unit)")"
        switch members[key] {
        case nil: return value
        case .integer(let found) where range.contains(found): return found
        case .some(let other):
            report(key, found: other.shown, allowed: allowed)
            return value
        }
    }

    /// An integer that `accept` turns into a value; nil when it is absent or was reported.
    mutating func integer<Value>(_ key: String, allowed: String, _ accept: (Int) -> Value?) -> Value? {
        asked.append(key)
        guard let found = members[key] else { return nil }
        if case .integer(let number) = found, let value = accept(number) { return value }
        report(key, found: found.shown, allowed: allowed)
        return nil
    }

    /// An integer or an array of them, without those that were reported; an empty array is reported too.
    mutating func integers(_ key: String, allowed: String, _ accept: (Int) -> Bool) -> [Int] {
        asked.append(key)
        func read(_ value: ConfigurationValue, _ key: String) -> Int? {
            if case .integer(let number) = value, accept(number) { return number }
            report(key, found: value.shown, allowed: allowed)
            return nil
        }
        switch members[key] {
        case nil: return []
        case .array(let elements):
            if elements.isEmpty { report(key, found: "an empty array", allowed: allowed) }
            return elements.enumerated().compactMap { read($1, "\(key)[\($0)]") }
        case .some(let value): return read(value, key).map { [$0] } ?? []
        }
    }

    mutating func boolean(_ key: String, default value: Bool) -> Bool {
        asked.append(key)
        switch members[key] {
        case nil: return value
        case .boolean(let found): return found
        case .some(let other):
            report(key, found: other.shown, allowed: "true or false")
            return value
        }
    }

    /// An array of strings; `path` of each element is its own, so that the line of the wrong one is named.
    mutating func strings(
        _ key: String, allowed: String, required: Bool = false, _ accept: (String) -> Bool
    ) -> [String] {
        asked.append(key)
        switch members[key] {
        case nil:
            if required { report(key, found: "nothing", allowed: "an array of strings: \(allowed)") }
            return []
        case .array(let elements):
            if required, elements.isEmpty { report(key, found: "an empty array", allowed: allowed) }
            return elements.enumerated().compactMap { index, element in
                if case .string(let text) = element, accept(text) { return text }
                report("\(key)[\(index)]", found: element.shown, allowed: allowed)
                return nil
            }
        case .some(let other):
            report(key, found: other.shown, allowed: "an array of strings: \(allowed)")
            return []
        }
    }

    /// A string or an array of strings, each turned into a value by `accept`; an empty array is reported too.
    mutating func words<Value>(_ key: String, allowed: String, _ accept: (String) -> Value?) -> [Value] {
        if case .string? = members[key] { return parsed(key, allowed: allowed, accept).map { [$0] } ?? [] }
        var values: [Value] = []
        let isThere = members[key] != nil
        _ = strings(key, allowed: allowed, required: isThere) { word in
            guard let value = accept(word) else { return false }
            values.append(value)
            return true
        }
        return values
    }

    /// True when the key stands in the table, whatever its value.
    func has(_ key: String) -> Bool { members[key] != nil }

    /// The sub-table `[key]`; an absent one reads as empty.
    mutating func table(_ key: String) -> TableReader {
        asked.append(key)
        switch members[key] {
        case nil: return TableReader(path: keyPath(key), members: [:], collector: collector)
        case .table(let inner): return TableReader(path: keyPath(key), members: inner, collector: collector)
        case .some(let other):
            report(key, found: other.shown, allowed: "a table, written [\(keyPath(key))]")
            return TableReader(path: keyPath(key), members: [:], collector: collector)
        }
    }

    /// The tables `[[key]]`, or an array of inline tables.
    mutating func tables(_ key: String, required: Bool = false) -> [TableReader] {
        asked.append(key)
        switch members[key] {
        case nil:
            if required { report(key, found: "nothing", allowed: "one or more tables") }
            return []
        case .array(let elements):
            if required, elements.isEmpty { report(key, found: "an empty array", allowed: "one or more tables") }
            return elements.enumerated().compactMap { index, element in
                guard case .table(let inner) = element else {
                    report("\(key)[\(index)]", found: element.shown, allowed: "a table")
                    return nil
                }
                return TableReader(path: keyPath("\(key)[\(index)]"), members: inner, collector: collector)
            }
        case .some(let other):
            report(key, found: other.shown, allowed: "one or more tables, each written [[\(keyPath(key))]]")
            return []
        }
    }

    /// Reports every key that no reader asked for, with the nearest name that exists.
    func finish() {
        for key in members.keys.sorted() where !asked.contains(key) {
            let names = asked.joined(separator: ", ")
            let hint = Self.nearest(to: key, among: asked).map { "did you mean \"\($0)\"? " } ?? ""
            report(key, found: "the unknown key \"\(key)\"", allowed: "\(hint)Known here: \(names)")
        }
    }

    private static func nearest(to key: String, among names: [String]) -> String? {
        let ranked = names.map { (name: $0, distance: editDistance(key, $0)) }.min { $0.distance < $1.distance }
        guard let ranked, ranked.distance <= max(2, key.count / 3) else { return nil }
        return ranked.name
    }

    private static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let substitution = diagonal + (character == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
