import ControlAPI

extension Routes {
    static let backup = Route(
        method: .post, template: "/v1/backup", operation: "makeBackup",
        summary: "Makes a consistent copy of the databases while the gateway works", body: .json(Shapes.backup),
        responses: [.json(201, "The copy is complete and on the disk.", Shapes.backupReport)]
    ) { input, operations in
        let request = try input.decode(BackupRequest.self)
        return try .json(await operations.backup(by: actor(request.operator, input)), status: 201)
    }

    static let drill = Route(
        method: .post, template: "/v1/drill", operation: "setDrill",
        summary:
            "Begins a drill, in which what people press goes the whole way but to no emergency service, or ends it",
        body: .json(Shapes.drillRequest),
        responses: [
            .json(200, "The drill that is on now.", Shapes.drillReport),
            .problem(404, "Nobody is in that group: every press would be real."),
        ]
    ) { input, operations in
        let request = try input.decode(DrillRequest.self)
        return try .json(
            await operations.drill(
                minutes: request.minutes == 0 ? nil : request.minutes, group: request.group,
                by: actor(request.operator, input)))
    }

    static let sirenTest = Route(
        method: .post, template: "/v1/siren/test", operation: "testSiren",
        summary: "Plays the tone of the self-test on every output of the siren and says whether it could be heard",
        body: .json(Shapes.sirenTestRequest),
        responses: [
            .json(200, "How it ended; with failures when an output could not be heard.", Shapes.sirenTestReport),
            .problem(409, "The siren sounds already."),
        ]
    ) { input, operations in
        let request = try input.decode(SirenTestRequest.self)
        return try .json(await operations.testSiren(by: actor(request.operator, input)))
    }

    static let commission = Route(
        method: .post, template: "/v1/commission", operation: "commissionSite",
        summary: "The explicit, logged act after which emergency services may be alarmed by this gateway",
        body: .json(Shapes.commission),
        responses: [.json(200, "The state afterwards.", Shapes.commissionReport)]
    ) { input, operations in
        let request = try input.decode(CommissionRequest.self)
        return try .json(
            await operations.commission(
                request.commissioned ?? true, reason: request.reason, by: actor(request.operator, input)))
    }
}
