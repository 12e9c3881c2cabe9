import ControlAPI
import Foundation
import IncidentCore
import TerminalModel

/// Reads people and their terminals from CSV, row by row; a wrong row costs only itself.
struct PeopleImport {
    struct Row: Equatable {
        var line: Int
        var person: Person
        var assignments: [TerminalAssignment]
    }

    private(set) var rows: [Row] = []
    private(set) var faults: [ImportReport.Row] = []

    /// The columns; `id` and `name` are needed, the others may be absent.
    ///
    /// Lists (`contacts`, `groups`, `services`, `terminals`) are separated by `;`, the parts of a contact by `|`:
    /// `NAME|PHONE|RELATION|guardian`, the last two may be absent.
    static let columns = [
        "id", "name", "sex", "birth_date", "address", "district", "landmark", "conditions", "medicines", "blood_type",
        "allergies", "phone", "contacts", "groups", "services", "consent_120", "terminals", "model",
        "utc_offset_minutes",
    ]

    static func read(_ data: Data) -> PeopleImport {
        var result = PeopleImport()
        guard let text = TextDecoding.decode(data) else {
            result.fault(1, "", found: "bytes that are neither UTF-8 nor GBK", allowed: "a text in UTF-8 or GBK")
            return result
        }
        let records: [CSVRecord]
        do {
            records = try CSVReader.read(text)
        } catch {
            result.fault(error.line, "", found: error.found, allowed: error.allowed)
            return result
        }
        guard let header = records.first else {
            result.fault(1, "", found: "an empty file", allowed: "a header row with \(columns.joined(separator: ","))")
            return result
        }
        let names = header.fields.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        guard result.checkHeader(names, line: header.line) else { return result }
        var owners: [TerminalID: Int] = [:]
        var ids: [String: Int] = [:]
        for record in records.dropFirst() { result.readRecord(record, names, &ids, &owners) }
        return result
    }

    private mutating func checkHeader(_ names: [String], line: Int) -> Bool {
        let allowed = Self.columns.joined(separator: ",")
        for name in names where !Self.columns.contains(name) {
            fault(line, name, found: "the unknown column \"\(name)\"", allowed: allowed)
        }
        for name in ["id", "name"] where !names.contains(name) {
            fault(line, name, found: "no column \"\(name)\"", allowed: allowed)
        }
        for name in Set(names) where names.count(where: { $0 == name }) > 1 {
            fault(line, name, found: "the column twice", allowed: "each column once")
        }
        return faults.isEmpty
    }

    private mutating func readRecord(
        _ record: CSVRecord, _ names: [String], _ ids: inout [String: Int], _ owners: inout [TerminalID: Int]
    ) {
        guard record.fields.count == names.count else {
            fault(
                record.line, "", found: "\(record.fields.count) fields",
                allowed: "\(names.count) fields, as many as the header has")
            return
        }
        let trimmed = record.fields.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        var reader = RowReader(line: record.line, values: Dictionary(zip(names, trimmed)) { first, _ in first })
        let person = reader.person()
        let assignments = reader.assignments(person: person.id)
        if let line = ids[person.id] {
            reader.fault("id", found: "\"\(person.id)\" again, first on line \(line)", allowed: "each id once")
        }
        for assignment in assignments {
            guard let line = owners[assignment.terminal] else { continue }
            reader.fault(
                "terminals", found: "\(assignment.terminal) again, first on line \(line)", allowed: "each terminal once"
            )
        }
        guard reader.faults.isEmpty else {
            faults += reader.faults
            return
        }
        ids[person.id] = record.line
        for assignment in assignments { owners[assignment.terminal] = record.line }
        rows.append(Row(line: record.line, person: person, assignments: assignments))
    }

    private mutating func fault(_ line: Int, _ column: String, found: String, allowed: String) {
        faults.append(ImportReport.Row(line: line, column: column, found: found, allowed: allowed))
    }
}

/// Reads the fields of one row and notes every fault with its column.
private struct RowReader {
    let line: Int
    let values: [String: String]
    private(set) var faults: [ImportReport.Row] = []

    init(line: Int, values: [String: String]) {
        self.line = line
        self.values = values
    }

    mutating func fault(_ column: String, found: String, allowed: String) {
        faults.append(ImportReport.Row(line: line, column: column, found: found, allowed: allowed))
    }

    mutating func person() -> Person {
        var person = Person(id: text("id", .identifier), name: text("name"))
        person.sex = word("sex", ["female": "female", "male": "male", "女": "female", "男": "male"])
        person.birthDate = text("birth_date")
        person.address = text("address")
        let district = text("district")
        person.district = district.isEmpty ? nil : district
        person.landmark = text("landmark")
        person.conditions = text("conditions")
        person.medicines = text("medicines")
        person.bloodType = text("blood_type")
        person.allergies = text("allergies")
        person.phone = text("phone")
        person.contacts = list("contacts").compactMap { contact($0) }
        person.groups = list("groups")
        check(.array(person.groups.map(JSONTree.string)), "groups")
        person.services = list("services").compactMap { service($0) }
        let yes = ["1", "yes", "true", "是", "同意"]
        let no = ["", "0", "no", "false", "否", "不同意"]
        let consent = (values["consent_120"] ?? "").lowercased()
        person.consentsToAutomatic120 = yes.contains(consent)
        if !yes.contains(consent), !no.contains(consent) {
            fault("consent_120", found: "\"\(consent)\"", allowed: (yes + no.dropFirst()).joined(separator: ", "))
        }
        return person
    }

    mutating func assignments(person: String) -> [TerminalAssignment] {
        var offset = 480
        let offsetText = values["utc_offset_minutes"] ?? ""
        if !offsetText.isEmpty {
            if let number = Int(offsetText), (-720...840).contains(number) {
                offset = number
            } else {
                fault("utc_offset_minutes", found: "\"\(offsetText)\"", allowed: "minutes from -720 to 840")
            }
        }
        let model = values["model"] ?? ""
        if model.unicodeScalars.count > 64 {
            fault("model", found: "\(model.unicodeScalars.count) characters", allowed: "at most 64 characters")
        }
        var seen: Set<TerminalID> = []
        return list("terminals").compactMap { text in
            guard let id = TerminalID(text) else {
                fault("terminals", found: "\"\(text)\"", allowed: "ids of 1 to 32 hexadecimal digits, separated by ';'")
                return nil
            }
            guard seen.insert(id).inserted else {
                fault("terminals", found: "\(id) twice", allowed: "each terminal once")
                return nil
            }
            return TerminalAssignment(terminal: id, person: person, model: model, utcOffsetMinutes: offset)
        }
    }

    /// A field checked as the same member of a request would be.
    private mutating func text(_ column: String, _ schema: Schema? = nil) -> String {
        let value = values[column] ?? ""
        check(.string(value), column, schema)
        return value
    }

    private mutating func check(_ value: JSONTree, _ column: String, _ schema: Schema? = nil) {
        guard let schema = schema ?? Shapes.personFields.first(where: { $0.name == column })?.schema else { return }
        do {
            try schema.validate(value)
        } catch {
            fault(column, found: error.found, allowed: error.allowed)
        }
    }

    private mutating func word(_ column: String, _ words: [String: String]) -> String {
        let value = (values[column] ?? "").lowercased()
        if value.isEmpty { return "" }
        guard let word = words[value] else {
            fault(column, found: "\"\(value)\"", allowed: words.keys.sorted().joined(separator: ", "))
            return ""
        }
        return word
    }

    private func list(_ column: String) -> [String] {
        (values[column] ?? "").split { $0 == ";" || $0 == "；" }
            .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
    }

    private mutating func contact(_ text: String) -> Contact? {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "|" || $0 == "｜" }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let isGuardian = parts.count == 4 && ["guardian", "监护人"].contains(parts[3].lowercased())
        guard (2...4).contains(parts.count), parts.count < 4 || parts[3].isEmpty || isGuardian else {
            fault("contacts", found: "\"\(text)\"", allowed: "NAME|PHONE|RELATION|guardian, separated by ';'")
            return nil
        }
        let relation = parts.count > 2 ? parts[2] : ""
        check(
            .array([
                .object(["name": .string(parts[0]), "phone": .string(parts[1]), "relation": .string(relation)])
            ]), "contacts")
        return Contact(name: parts[0], phone: parts[1], relation: relation, isGuardian: isGuardian)
    }

    private static let chineseServices: [String: Service] = [
        "紧急救助": .emergency, "生活救助": .lifeAssistance, "贴心关怀": .careContact, "安全报警": .securityAlarm,
        "围栏监控": .fenceWatch, "老人定位": .elderLocation, "儿童定位": .childLocation,
    ]

    private mutating func service(_ text: String) -> Service? {
        if let service = Service(rawValue: text.lowercased()) ?? Self.chineseServices[text] { return service }
        let names = Service.allCases.map(\.rawValue) + Self.chineseServices.keys.sorted()
        fault("services", found: "\"\(text)\"", allowed: names.joined(separator: ", "))
        return nil
    }
}
