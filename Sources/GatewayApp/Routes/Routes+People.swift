import ControlAPI
import IncidentCore
import TerminalModel

extension Routes {
    static let personParameter = Route.Parameter(name: "person", schema: .identifier, note: "the person's id")

    static let peopleList = Route(
        method: .get, template: "/v1/people", operation: "listPeople",
        summary: "The cards of people in the order of their ids",
        queryParameters: [.init(name: "after", schema: .identifier, note: "the `next` of the page before"), limit],
        responses: [.json(200, "A page of cards.", Shapes.personPage)]
    ) { input, operations in
        try .json(
            await operations.people(after: input.query["after"], limit: input.integer("limit", default: 100)))
    }

    static let personGet = Route(
        method: .get, template: "/v1/people/{person}", operation: "getPerson", summary: "One card",
        pathParameters: [personParameter],
        responses: [.json(200, "The card.", Shapes.person), .problem(404, "There is no such person.")]
    ) { input, operations in
        let id = input.path("person")
        guard let card = try await operations.person(id) else { throw Problem.notFound("person \"\(id)\"") }
        return try .json(card)
    }

    static let personPut = Route(
        method: .put, template: "/v1/people/{person}", operation: "putPerson",
        summary: "Stores a card, a new one or in place of the old one", pathParameters: [personParameter],
        queryParameters: [operatorParameter], body: .json(Shapes.personRequest),
        responses: [
            .json(200, "The card as it is stored.", Shapes.person),
            .problem(403, "A number on it is that of an emergency service."),
        ]
    ) { input, operations in
        var card = try input.decode(PersonCard.self)
        card.id = input.path("person")
        try await operations.store(people: [Person(card)], assignments: [], by: actor(input))
        return try .json(card)
    }

    static let personDelete = Route(
        method: .delete, template: "/v1/people/{person}", operation: "deletePerson",
        summary: "Removes a card; the person's terminals become unassigned", pathParameters: [personParameter],
        queryParameters: [operatorParameter],
        responses: [
            Route.Response(status: 204, note: "It is gone.", content: []),
            .problem(404, "There is no such person."), .problem(409, "The person has an open incident."),
        ]
    ) { input, operations in
        let id = input.path("person")
        guard try await operations.deletePerson(id, by: actor(input)) else {
            throw Problem.notFound("person \"\(id)\"")
        }
        return .nothing
    }

    static let importParameters: [Route.Parameter] = [
        .init(name: "all_or_nothing", schema: .boolean, note: "store nothing when one row is wrong"),
        operatorParameter,
    ]

    static let importResponses: [Route.Response] = [
        .json(200, "What was stored, and what is wrong with each row that was not.", Shapes.importReport),
        .problem(409, "With all_or_nothing: rows are wrong and nothing was stored."),
    ]

    static let importPeople = Route(
        method: .post, template: "/v1/import/people", operation: "importPeople",
        summary: "Stores people and their terminals from CSV (RFC 4180, UTF-8 or GBK, with a header row)",
        queryParameters: importParameters,
        body: Route.Body(mediaTypes: ["text/csv"], schema: .string, maximumBytes: 256 * 1024 * 1024),
        responses: importResponses
    ) { input, operations in
        let result = PeopleImport.read(input.body)
        return try await store(result.faults, count: result.rows.count, input) {
            try await operations.store(
                people: result.rows.map(\.person), assignments: result.rows.flatMap(\.assignments),
                by: actor(input))
        }
    }

    /// Stores what is right and reports what is not, or refuses all of it.
    static func store(
        _ faults: [ImportReport.Row], count: Int, _ input: RouteInput, _ store: () async throws -> Void
    ) async throws -> Answer {
        if input.flag("all_or_nothing"), !faults.isEmpty {
            var problem = Problem.conflict("Rows are wrong, so that nothing was stored.")
            problem.faults = faults
            throw problem
        }
        if count > 0 { try await store() }
        let rejected = Set(faults.map(\.line)).count
        return try .json(ImportReport(stored: count, rejected: rejected, faults: faults))
    }
}

extension Person {
    init(_ card: PersonCard) {
        self.init(id: card.id, name: card.name)
        sex = card.sex
        birthDate = card.birthDate
        address = card.address
        district = card.district.isEmpty ? nil : card.district
        landmark = card.landmark
        conditions = card.conditions
        medicines = card.medicines
        bloodType = card.bloodType
        allergies = card.allergies
        phone = card.phone
        contacts = card.contacts.map {
            Contact(name: $0.name, phone: $0.phone, relation: $0.relation, isGuardian: $0.guardian)
        }
        groups = card.groups
        services = card.services.compactMap(Service.init(rawValue:))
        consentsToAutomatic120 = card.consent120
    }
}

extension PersonCard {
    init(_ person: Person) {
        self.init(id: person.id, name: person.name)
        sex = person.sex
        birthDate = person.birthDate
        address = person.address
        district = person.district ?? ""
        landmark = person.landmark
        conditions = person.conditions
        medicines = person.medicines
        bloodType = person.bloodType
        allergies = person.allergies
        phone = person.phone
        contacts = person.contacts.map { ContactCard($0) }
        groups = person.groups
        services = person.services.map(\.rawValue)
        consent120 = person.consentsToAutomatic120
    }
}

extension ContactCard {
    init(_ contact: Contact) {
        self.init(
            name: contact.name, phone: contact.phone, relation: contact.relation, guardian: contact.isGuardian)
    }
}
