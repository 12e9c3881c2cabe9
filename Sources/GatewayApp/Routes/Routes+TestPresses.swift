import ControlAPI
import IncidentCore

extension Routes {
    static let testPressGet = Route(
        method: .get, template: "/v1/people/{person}/test-press", operation: "getTestPress",
        summary: "The last test press of a person, and the one that is announced", pathParameters: [personParameter],
        responses: [
            .json(200, "The person's tests.", Shapes.testPress), .problem(404, "There is no such person."),
        ]
    ) { input, operations in
        let id = input.path("person")
        guard let view = try await operations.testPress(of: id) else { throw Problem.notFound("person \"\(id)\"") }
        return try .json(view)
    }

    static let testPressPost = Route(
        method: .post, template: "/v1/people/{person}/test-press", operation: "announceTestPress",
        summary:
            "Announces a test: the first press of the person's terminals goes the whole way but to no emergency service",
        pathParameters: [personParameter], body: .json(Shapes.testPressRequest),
        responses: [
            .json(200, "The person's tests.", Shapes.testPress), .problem(404, "There is no such person."),
            .problem(409, "The person has no terminal, or an open emergency or test to which a press would belong."),
        ]
    ) { input, operations in
        let request = try input.decode(TestPressRequest.self)
        let minutes = request.minutes ?? TestWindow.usualMinutes
        return try .json(
            await operations.testPress(
                of: input.path("person"), minutes: minutes == 0 ? nil : minutes, by: actor(request.operator, input)))
    }

    static let testPressList = Route(
        method: .get, template: "/v1/test-presses", operation: "listTestPresses",
        summary: "People who have a terminal by their last test press: never tested, then the longest ago first",
        queryParameters: [
            .init(name: "after", schema: .line(1...100), note: "the `next` of the page before"),
            .init(name: "due", schema: .boolean, note: "only those who are to be tested now, or only the others"),
            .init(name: "group", schema: .identifier, note: "only people of this group"), limit,
        ],
        responses: [.json(200, "A page of people.", Shapes.testPressPage)]
    ) { input, operations in
        var query = TestPressQuery()
        query.due = input.query["due"].map { $0 == "true" }
        query.group = input.query["group"]
        query.after = input.query["after"]
        query.limit = input.integer("limit", default: 100)
        return try .json(await operations.testPresses(query))
    }
}

extension Shapes {
    private static let testWindow = Schema.object([
        .required("started_by", .string), .required("started_at", .time), .required("until", .time),
        .required("pressed", .boolean, "the test was pressed: a new press that does not belong to it is real"),
    ])

    static let testPress = Schema.named(
        "TestPress",
        .object([
            .required("person", .string), .required("person_name", .string),
            .required("due", .boolean, "it is time for a test, or there never was one"),
            .optional(
                "last",
                .object([
                    .required("terminal", .string), .required("at", .time), .required("acknowledged_by", .string),
                    .required("seconds_to_acknowledgement", count), .required("accepted", words),
                ]), "the last test that a hub accepted and a human answered"),
            .optional("window", testWindow, "the one that is announced now; not in lists"),
        ]))

    static let testPressPage = page("people", testPress)

    static let testPressRequest = Schema.object([
        .required("operator", operatorID),
        .optional(
            "minutes", .integer(0...TestWindow.maximumMinutes),
            "\(TestWindow.usualMinutes) when absent; 0 takes back what is announced"),
    ])

    static let testPressFigures = Schema.object([
        .required("days", count, "a test is due after so many"), .required("due", count, "people who are due now"),
        .required("never", count, "of those, never tested"),
    ])
}
