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
