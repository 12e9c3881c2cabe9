import ControlAPI
import Foundation
import IncidentCore
import TerminalModel
import Testing

@testable import GatewayApp

@Suite struct CSVReaderTests {
    @Test func recordsKeepTheLineWhereTheyBegin() throws {
        let text = "a,b\r\n\"1\n2\",\"x\"\"y\"\r\n\r\n,\r\n3"
        #expect(
            try CSVReader.read(text) == [
                CSVRecord(line: 1, fields: ["a", "b"]), CSVRecord(line: 2, fields: ["1\n2", "x\"y"]),
                CSVRecord(line: 5, fields: ["", ""]), CSVRecord(line: 6, fields: ["3"]),
            ])
    }

    @Test func otherSeparatorsAreSeenInTheFirstLine() throws {
        #expect(try CSVReader.read("a;b\n1;2,3").last?.fields == ["1", "2,3"])
        #expect(try CSVReader.read("a\tb\n1\t2").last?.fields == ["1", "2"])
        #expect(try CSVReader.read("a,b;c\n1,2;3").last?.fields == ["1", "2;3"])
    }

    @Test(arguments: [("a\n\"b", 2), ("a\nb\"c", 2), ("a\n\n\"b\"c", 3)])
    func brokenQuotesAreNamedWithTheirLine(text: String, line: Int) {
        let fault = #expect(throws: CSVReader.Fault.self) { try CSVReader.read(text) }
        #expect(fault?.line == line)
    }

    @Test func everyPrefixEnds() {
        let text = "a,\"b\r\n\"\"\",c\r\"d\",\n"
        for length in 0...text.utf8.count {
            _ = try? CSVReader.read(String(decoding: text.utf8.prefix(length), as: UTF8.self))
        }
    }
}

@Suite struct PeopleImportTests {
    private let header = PeopleImport.columns.joined(separator: ",")

    private func read(_ text: String) -> PeopleImport { PeopleImport.read(Data(text.utf8)) }

    @Test func everyColumnArrives() throws {
        let row =
            #"p-1,刘奶奶,女,1938-02-11,"五一大道1号, 3单元",芙蓉区,药店对面,高血压;瘫痪,硝苯地平,A+,青霉素,0731-5551234,李梅|13900000000|女儿|guardian; 王叔|0731 5550000,living_alone;disabled,emergency;生活救助,是,017700000101;22,PT-3,420"#
        let result = read("\u{FEFF}\(header)\r\n\(row)\r\n")
        #expect(result.faults == [])
        let person = try #require(result.rows.first?.person)
        #expect(person.sex == "female")
        #expect(person.address == "五一大道1号, 3单元")
        #expect(person.district == "芙蓉区")
        #expect(person.conditions == "高血压;瘫痪")
        #expect(
            person.contacts == [
                Contact(name: "李梅", phone: "13900000000", relation: "女儿", isGuardian: true),
                Contact(name: "王叔", phone: "0731 5550000"),
            ])
        #expect(person.groups == ["living_alone", "disabled"])
        #expect(person.services == [.emergency, .lifeAssistance])
        #expect(person.consentsToAutomatic120)
        #expect(result.rows[0].assignments.map(\.terminal.description) == ["17700000101", "22"])
        #expect(result.rows[0].assignments.map(\.utcOffsetMinutes) == [420, 420])
        #expect(result.rows[0].assignments[0].model == "PT-3")
    }

    @Test func spreadsheetsInGBKAreRead() {
        let text = Data("id,name\np1,".utf8) + Data([0xC1, 0xF5, 0xC4, 0xCC, 0xC4, 0xCC]) + Data("\n".utf8)
        #expect(PeopleImport.read(text).rows.map(\.person.name) == ["刘奶奶"])
    }

    @Test(arguments: [[0xC1, 0xF5, 0xFF, 0x0A], [0xC1, 0xF5, 0xC4]] as [[UInt8]])
    func aFileInNeitherEncodingIsRefusedWhole(_ broken: [UInt8]) {
        let result = PeopleImport.read(Data("id,name\np1,a\np2,".utf8) + Data(broken))
        #expect(result.rows.isEmpty, "the rows before the broken byte must not pass for the whole file")
        #expect(result.faults.first?.found.contains("neither UTF-8 nor GBK") == true)
    }

    @Test(arguments: [
        ("id,name\n,a", 2, "id"), ("id,name\np1,", 2, "name"), ("id,name\np 1,a", 2, "id"),
        ("id,name\np1,a\np1,b", 3, "id"), ("id,name,sex\np1,a,x", 2, "sex"),
        ("id,name,birth_date\np1,a,11.02.1938", 2, "birth_date"), ("id,name,phone\np1,a,call me", 2, "phone"),
        ("id,name,phone\np1,a,0731-120", 2, "phone"), ("id,name,phone\np1,a,(9)0731 120", 2, "phone"),
        ("id,name,contacts\np1,a,李梅|1 2 0", 2, "contacts"),
        ("id,name,contacts\np1,a,李梅", 2, "contacts"), ("id,name,contacts\np1,a,李梅|x", 2, "contacts"),
        ("id,name,services\np1,a,救助", 2, "services"), ("id,name,consent_120\np1,a,maybe", 2, "consent_120"),
        ("id,name,terminals\np1,a,xyz", 2, "terminals"), ("id,name,terminals\np1,a,01;1", 2, "terminals"),
        ("id,name,terminals\np1,a,1\np2,b,01", 3, "terminals"),
        ("id,name,terminals,utc_offset_minutes\np1,a,1,9999", 2, "utc_offset_minutes"),
        ("id,name\np1,a,b", 2, ""), ("id,nane\np1,a", 1, "nane"), ("name\na", 1, "id"), ("", 1, ""),
        ("id,name\n\"p1,a", 2, ""),
    ])
    func faultIsNamedWithLineAndColumn(text: String, line: Int, column: String) throws {
        let fault = try #require(read(text).faults.first)
        #expect(fault.line == line)
        #expect(fault.column == column)
        #expect(!fault.found.isEmpty && !fault.allowed.isEmpty)
    }

    @Test func aWrongRowCostsOnlyItself() {
        let result = read("id,name\np1,a\np2,\np3,c\n")
        #expect(result.rows.map(\.person.id) == ["p1", "p3"])
        #expect(result.faults.map(\.line) == [3])
    }

    @Test func cardsSurviveTheWayThroughTheSocket() throws {
        let row = read("id,name,sex,services,contacts\np1,a,男,emergency,b|0731 5550000|c|guardian").rows[0]
        #expect(Person(PersonCard(row.person)) == row.person)
    }
}

@Suite struct FenceImportTests {
    private func feature(_ id: String, _ geometry: String, _ more: String = "") -> String {
        #"{"type":"Feature","id":"\#(id)","geometry":\#(geometry),"properties":{"name":"n","rule":"both"\#(more)}}"#
    }

    private let square = #"{"type":"Polygon","coordinates":[[[112.9,28.2],[112.91,28.2],[112.91,28.21],[112.9,28.2]]]}"#

    @Test func collectionsAndSingleFeaturesAreRead() throws {
        let point = #"{"type":"Point","coordinates":[112.9,28.2]}"#
        let text =
            #"{"type":"FeatureCollection","features":[\#(feature("a", square)),\#(feature("b", point)),\#(feature("a", square)),7,\#(feature("c", point, #","radius_m":50"#))]}"#
        let result = try FenceImport.read(Data(text.utf8))
        #expect(result.fences.map(\.id) == ["a", "c"])
        #expect(result.faults.map(\.line) == [2, 3, 4])
        let single = try FenceImport.read(Data(feature("x", square).utf8))
        #expect(single.fences.map(\.id) == ["x"])
    }

    @Test func theIdMayStandInTheProperties() throws {
        let text = #"{"type":"Feature","geometry":\#(square),"properties":{"id":7,"name":"n","rule":"both"}}"#
        let result = try FenceImport.read(Data(text.utf8))
        #expect(result.fences.map(\.id) == ["7"])
        #expect(result.fences.first?.properties.id == nil)
    }
}
