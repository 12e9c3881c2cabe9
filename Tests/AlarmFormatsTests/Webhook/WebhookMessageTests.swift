import AlarmFormats
import Foundation
import IncidentCore
import TerminalModel
import Testing

@Suite struct WebhookMessageTests {
    private let openedAt = Timestamp(milliseconds: 1_772_332_213_031)

    private func person() -> Person {
        var person = Person(id: "100001", name: "王桂英")
        person.sex = "female"
        person.birthDate = "1941-05-06"
        person.address = "长沙市岳麓区望月湖街道 3 栋 2 单元 501"
        person.landmark = "望月湖菜市场对面"
        person.conditions = "下肢瘫痪"
        person.medicines = "氨氯地平"
        person.bloodType = "A"
        person.allergies = "青霉素"
        person.phone = "0731-5550101"
        person.contacts = [Contact(name: "李梅", phone: "13955550102", relation: "女儿", isGuardian: true)]
        person.groups = ["living_alone"]
        person.services = [.lifeAssistance, .emergency]
        person.consentsToAutomatic120 = true
        return person
    }

    private func notice(_ change: (inout Notice) -> Void = { _ in }) throws -> Notice {
        var incident = Incident(
            id: IncidentID(rawValue: 0x7F3A_0001_C9D2_0044), service: .emergency,
            terminal: try #require(TerminalID("017700000101")), person: "100001", trust: .verified, causes: ["sos"],
            openedAt: openedAt)
        incident.keys = [1]
        incident.deviceTime = Timestamp("2026-03-01T02:30:12Z")
        incident.sequence = 7
        incident.lastEventNumber = 1
        incident.position = IncidentPosition(
            latitudeDegrees: 28.228209, longitudeDegrees: 112.938814, accuracyMetres: 12, valid: true, source: .gnss,
            fixTime: openedAt.adding(milliseconds: -4_000))
        var notice = Notice(
            kind: .opened, at: openedAt, incident: incident, person: person(), round: 1, step: 0)
        change(&notice)
        return notice
    }

    private func body(_ notice: Notice) throws -> [String: Any] {
        let message = WebhookMessage(notice, gateway: "changsha-1")
        #expect(message.body.count <= WebhookMessage.maximumBodyBytes)
        let value = try JSONSerialization.jsonObject(with: Data(message.body))
        return try #require(value as? [String: Any])
    }

    private func data(_ notice: Notice) throws -> [String: Any] {
        try #require(try body(notice)["data"] as? [String: Any])
    }

    @Test func theWholeStoryIsTold() throws {
        let text = String(decoding: WebhookMessage(try notice(), gateway: "changsha-1").body, as: UTF8.self)
        #expect(
            text == #"{"type":"incident.opened","timestamp":"2026-03-01T02:30:13.031Z","data":"#
                + #"{"incident_id":"7F3A0001C9D20044","event":1,"service":"emergency","state":"open","#
                + #""severity":"life","late":false,"durable":true,"drill":false,"gateway":"changsha-1","#
                + #""terminal":"17700000101","trust":"verified","call_back_number":"0731-5550101","#
                + #""position":{"wgs84":{"latitude":28.228209,"longitude":112.938814},"#
                + #""gcj02":{"latitude":28.224701,"longitude":112.944264},"accuracy_m":12,"source":"gnss","#
                + #""valid":true,"fix_time":"2026-03-01T02:30:09.031Z","fix_age_s":4},"#
                + #""person":{"id":"100001","name":"王桂英","sex":"female","birth_date":"1941-05-06","#
                + #""address":"长沙市岳麓区望月湖街道 3 栋 2 单元 501","landmark":"望月湖菜市场对面","#
                + #""conditions":"下肢瘫痪","medicines":"氨氯地平","blood_type":"A","allergies":"青霉素","#
                + #""phone":"0731-5550101","contacts":[{"name":"李梅","phone":"13955550102","relation":"女儿","#
                + #""guardian":true}],"groups":["living_alone"],"services":["emergency","life_assistance"],"#
                + #""consents_to_automatic_120":true},"causes":["sos"],"keys":[1],"presses":1,"round":1,"step":0,"#
                + #""received_at":"2026-03-01T02:30:13.031Z","device_time":"2026-03-01T02:30:12Z","sequence":7}}"#)
    }

    /// A receiver that telephones gets numbers in digits, and never one of an emergency service (promise P7).
    @Test(arguments: [
        (Audience.centre, nil), (.contacts, ["13955550102", "07315550103"]), (.guardians, ["13955550102"]),
    ])
    func whoIsToBeReachedIsNamed(audience: Audience, numbers: [String]?) throws {
        let notice = try notice { notice in
            notice.person?.contacts += [
                Contact(name: "Li", phone: "0731 5550103"), Contact(name: "x", phone: "1-2-0", isGuardian: true),
            ]
        }
        let message = WebhookMessage(notice, gateway: "g", audience: audience)
        let root = try #require(try JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any])
        let data = try #require(root["data"] as? [String: Any])
        let recipients = data["recipients"] as? [[String: Any]]
        #expect(recipients?.compactMap { $0["phone"] as? String } == numbers)
    }

    @Test func aCardOfTheLargestSizeStillNamesEverybody() throws {
        let long = String(repeating: "\"王", count: 2_000)
        let notice = try notice { notice in
            var person = Person(id: long, name: long)
            for path in [
                \Person.address, \.landmark, \.conditions, \.medicines, \.bloodType, \.allergies, \.phone, \.sex,
                \.birthDate,
            ] {
                person[keyPath: path] = long
            }
            person.district = long
            person.groups = Array(repeating: long, count: 32)
            person.contacts = (0..<20).map {
                Contact(name: long, phone: "0731555\(1000 + $0)", relation: long, isGuardian: true)
            }
            notice.person = person
            notice.incident.causes = Array(repeating: long, count: 50)
            notice.incident.owner = long
            notice.incident.acknowledgedBy = long
            notice.incident.disposition = long
        }
        let message = WebhookMessage(notice, gateway: long, audience: .contacts)
        #expect(message.body.count <= WebhookMessage.maximumBodyBytes)
        let root = try #require(try JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any])
        let data = try #require(root["data"] as? [String: Any])
        #expect((data["recipients"] as? [Any])?.count == 20)
    }

    @Test func retriesAreEqualToTheByteExceptForTheirTime() throws {
        let signer = try #require(WebhookSigner(secrets: [try WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]))
        let first = WebhookMessage(try notice(), gateway: "g")
        let second = WebhookMessage(try notice(), gateway: "g")
        #expect(first == second)
        #expect(first.id == "inc_7F3A0001C9D20044_1")
        let headers = first.headers(at: openedAt, signer: signer)
        let later = second.headers(at: openedAt.adding(milliseconds: 1_000), signer: signer)
        #expect(headers.map(\.name) == ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(headers[1].value == later[1].value)
        #expect(headers[2].value == "1772332213")
        #expect(later[2].value == "1772332214")
        #expect(headers[3].value != later[3].value)
        #expect(
            signer.verifies(
                id: headers[1].value, timestamp: headers[2].value, signature: headers[3].value, body: first.body,
                now: openedAt))
    }

    @Test func whatIsUnknownIsSaidToBeUnknown() throws {
        let data = try data(
            notice {
                $0.person = nil
                $0.incident.position = nil
                $0.incident.trust = .unknown
                $0.durable = false
            })
        #expect(data["person"] is NSNull)
        #expect(data["position"] is NSNull)
        #expect(data["call_back_number"] == nil)
        #expect(data["durable"] as? Bool == false)
        #expect(data["trust"] as? String == "unknown")
    }

    @Test func anIncidentOfManyStrangersTellsHowMany() throws {
        #expect(try data(notice())["gathered_terminals"] == nil)
        let shared = try data(notice { $0.incident.gathered = 41 })
        #expect(shared["gathered_terminals"] as? Int == 41)
    }

    @Test func theAgeOfAFixNeverGoesBelowZero() throws {
        let data = try data(
            notice { notice in notice.incident.position?.fixTime = notice.at.adding(milliseconds: 86_400_000) })
        let position = try #require(data["position"] as? [String: Any])
        #expect(position["fix_age_s"] as? Int == 0)
    }

    @Test func aNovelIsCutButNotWhatCounts() throws {
        let whole = String(repeating: "病\"\\𠮷", count: 5_000)
        let name = String(repeating: "王", count: 60)
        let data = try data(
            notice { notice in
                notice.person?.name = name
                notice.person?.address = whole
                notice.person?.conditions = whole
                notice.person?.medicines = whole
                notice.person?.contacts = (0..<500).map { Contact(name: whole, phone: "1395555\($0)") }
                notice.person?.groups = Array(repeating: whole, count: 100)
                notice.incident.causes = Array(repeating: whole, count: 100)
                notice.incident.keys = Array(0..<10_000)
                notice.incident.disposition = whole
            })
        #expect(data["truncated"] as? Bool == true)
        #expect(data["incident_id"] as? String == "7F3A0001C9D20044")
        #expect(data["terminal"] as? String == "17700000101")
        #expect(data["call_back_number"] as? String == "0731-5550101")
        #expect((data["position"] as? [String: Any])?["fix_age_s"] as? Int == 4)
        let card = try #require(data["person"] as? [String: Any])
        #expect(card["name"] as? String == name)
        let conditions = try #require(card["conditions"] as? String)
        #expect(conditions.hasPrefix("病\"\\𠮷") && conditions.hasSuffix("…"))
    }

    @Test func aLongButOrdinaryCardIsWhole() throws {
        let long = String(repeating: "高血压，", count: 200)
        let data = try data(notice { $0.person?.conditions = long })
        #expect((data["person"] as? [String: Any])?["conditions"] as? String == long)
        #expect(data["truncated"] == nil)
    }

    @Test func textCannotSteerTheReadersScreen() throws {
        let data = try data(
            notice { notice in
                notice.person?.name = "王\u{202E}英\u{1B}[2J\u{2067}"
                notice.incident.causes = ["a\nb\u{0}\u{9B}\u{FEFF}c", "<script>\"'\\"]
            })
        #expect((data["person"] as? [String: Any])?["name"] as? String == "王英[2J")
        #expect(data["causes"] as? [String] == ["a bc", "<script>\"'\\"])
    }

    @Test(arguments: try Corpus.lines("gcj02")) func chineseMapsGetShiftedCoordinates(line: Data) throws {
        let vector = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
        let from = try #require(vector["wgs84"] as? [Double])
        let to = try #require(vector["gcj02"] as? [Double])
        let data = try data(
            notice {
                $0.incident.position?.latitudeDegrees = from[0]
                $0.incident.position?.longitudeDegrees = from[1]
            })
        let shifted = try #require((data["position"] as? [String: Any])?["gcj02"] as? [String: Double])
        #expect(abs(try #require(shifted["latitude"]) - to[0]) <= 0.6e-6)
        #expect(abs(try #require(shifted["longitude"]) - to[1]) <= 0.6e-6)
    }

    @Test func aHeartbeatTellsHowTheGatewayIs() {
        let message = WebhookMessage(
            GatewayHeartbeat(
                gateway: "changsha 1.a", version: "0.1.0", at: openedAt, uptimeSeconds: 61, openIncidents: 2,
                unacknowledgedIncidents: 1, storeHealthy: true, counters: [("frames_received", 12)]))
        #expect(message.id == "hb_changsha1a_1772332213031")
        #expect(
            String(decoding: message.body, as: UTF8.self)
                == #"{"type":"gateway.heartbeat","timestamp":"2026-03-01T02:30:13.031Z","data":{"#
                + #""gateway":"changsha 1.a","version":"0.1.0","uptime_s":61,"open_incidents":2,"#
                + #""unacknowledged_incidents":1,"store_healthy":true,"counters":{"frames_received":12}}}"#)
    }
}
