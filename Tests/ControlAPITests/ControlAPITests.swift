import ControlAPI
import Foundation
import TerminalModel
import Testing

@Suite struct ControlJSONTests {
    @Test(arguments: [
        ("2026-03-14T02:10:12Z", "2026-03-14T02:10:12Z"),
        ("2026-03-14t02:10:12.5z", "2026-03-14T02:10:12.500Z"),
        ("2026-03-14T10:10:12+08:00", "2026-03-14T02:10:12Z"),
        ("2026-03-14T02:10:12-23:59", "2026-03-15T02:09:12Z"),
        ("2026-03-14T02:10:12.123456+23:59", "2026-03-13T02:11:12.123Z"),
    ])
    func timesOfEveryOffsetAreRead(text: String, expected: String) {
        #expect(Timestamp(rfc3339: text)?.description == expected)
    }

    @Test(arguments: [
        "", "2026-03-14", "2026-03-14T02:10:12", "2026-13-14T02:10:12Z", "2026-03-14T02:10:12+24:00", "x",
    ])
    func otherTextsAreNoTimes(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func treeKeepsEveryKindOfValue() throws {
        let text = #"{"a":[1,-2.5,true,false,null,"é/"],"b":{}}"#
        let tree = try ControlJSON.decode(JSONTree.self, from: Data(text.utf8))
        #expect(
            tree["a"] == .array([.integer(1), .number(-2.5), .boolean(true), .boolean(false), .null, .string("é/")]))
        #expect(String(decoding: try ControlJSON.encode(tree), as: UTF8.self) == text)
    }

    @Test(arguments: [
        #"{"a":[1,-2.5,true,false,null,"é/\n"],"b":{}}"#, "[]", " 0 ", "-0.5e+3", #""\u4F60\uD83D\uDE00""#, "1e2",
        "[[],[{}]]",
    ])
    func ownReaderAgreesWithFoundation(text: String) throws {
        let data = Data(text.utf8)
        let tree = try JSONTree(parsing: data)
        #expect(
            try ControlJSON.decode(JSONTree.self, from: ControlJSON.encode(tree))
                == ControlJSON.decode(JSONTree.self, from: data))
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("{\n\"operator\": a}", 2, 13), ("[1,]", 1, 4), ("[01]", 1, 2), ("[1.]", 1, 4),
        ("{\"a\":1,\"a\":2}", 1, 8),
        ("\"a\n\"", 1, 3), ("\"\\uD83D\"", 1, 2), ("[1] x", 1, 5), ("1e999", 1, 1), ("nul", 1, 1), ("\"\\x\"", 1, 2),
        ("[-]", 1, 2),
        ("NaN", 1, 1), ("'a'", 1, 1), ("\"abc", 1, 1),
    ])
    func faultsOfJSONNameTheirPlace(text: String, line: Int, column: Int) {
        let fault = #expect(throws: JSONSyntaxFault.self) { try JSONTree(parsing: Data(text.utf8)) }
        #expect(fault?.line == line)
        #expect(fault?.column == column)
    }

    @Test func deepNestingIsRefusedAndEveryPrefixEnds() {
        #expect(throws: JSONSyntaxFault.self) {
            try JSONTree(parsing: Data(String(repeating: "[", count: 100_000).utf8))
        }
        let text = #"{"a":[1.5e3,"\u00e9\n",{"b":null}],"c":true}"#
        for length in 0..<text.utf8.count { _ = try? JSONTree(parsing: Data(text.utf8.prefix(length))) }
        #expect(throws: JSONSyntaxFault.self) { try JSONTree(parsing: Data([0x22, 0xFF, 0x22])) }
    }

    @Test func problemReadsAsOneSentence() {
        let problem = Problem(
            status: 400, title: "t", code: "c", detail: "Wrong.", pointer: "/a", found: "1", allowed: "2")
        #expect(problem.description == "Wrong. At: /a. Found: 1. Allowed: 2.")
    }

    @Test func segmentsAreEscaped() {
        #expect(ControlClient.segment("a/b?c d") == "a%2Fb%3Fc%20d")
    }
}

@Suite struct ControlEventParserTests {
    /// The stream may be cut anywhere, also inside a character.
    @Test func eventsAreTheSameHoweverTheStreamIsCut() {
        let stream = Array(
            ": alive\n\nevent: incident\r\ndata: {\"姓\":1}\r\n\r\nevent:frame\ndata:a\ndata: b\n\nid: 1\n\n".utf8)
        let expected = [ControlEvent(name: "incident", data: "{\"姓\":1}"), ControlEvent(name: "frame", data: "a\nb")]
        for cut in 0...stream.count {
            var parser = ControlEventParser()
            #expect(parser.append(stream[..<cut]) + parser.append(stream[cut...]) == expected)
        }
    }
}
