import ControlAPI

extension Routes {
    private static let fenceParameter = Route.Parameter(name: "fence", schema: .identifier, note: "the fence's id")

    static let fenceList = Route(
        method: .get, template: "/v1/fences", operation: "listFences", summary: "All fences as GeoJSON",
        responses: [
            Route.Response(
                status: 200, note: "The fences.", content: [("application/geo+json", Shapes.fenceCollection)])
        ]
    ) { _, operations in
        try .json(FenceCollection(features: await operations.fences()), mediaType: "application/geo+json")
    }

    static let fenceGet = Route(
        method: .get, template: "/v1/fences/{fence}", operation: "getFence", summary: "One fence as GeoJSON",
        pathParameters: [fenceParameter],
        responses: [
            Route.Response(status: 200, note: "The fence.", content: [("application/geo+json", Shapes.fence)]),
            .problem(404, "There is no such fence."),
        ]
    ) { input, operations in
        let id = input.path("fence")
        guard let fence = try await operations.fence(id) else { throw Problem.notFound("fence \"\(id)\"") }
        return try .json(fence, mediaType: "application/geo+json")
    }

    static let fencePut = Route(
        method: .put, template: "/v1/fences/{fence}", operation: "putFence",
        summary: "Stores a fence, a new one or in place of the old one", pathParameters: [fenceParameter],
        queryParameters: [operatorParameter],
        body: Route.Body(
            mediaTypes: ["application/geo+json", "application/json"], schema: Shapes.fence,
            maximumBytes: 4 * 1024 * 1024),
        responses: [
            Route.Response(
                status: 200, note: "The fence as it is stored.", content: [("application/geo+json", Shapes.fence)]),
            .problem(409, "The shape contradicts itself: no area, lines that cross, a point without a radius."),
        ]
    ) { input, operations in
        var fence = try input.decode(FenceFeature.self)
        fence.id = input.path("fence")
        fence.properties.id = nil
        if let fault = await operations.fault(of: fence) {
            throw Problem.conflict("The fence cannot be watched.", found: fault)
        }
        try await operations.store(fences: [fence], by: actor(input))
        return try .json(fence, mediaType: "application/geo+json")
    }

    static let fenceDelete = Route(
        method: .delete, template: "/v1/fences/{fence}", operation: "deleteFence", summary: "Removes a fence",
        pathParameters: [fenceParameter], queryParameters: [operatorParameter],
        responses: [
            Route.Response(status: 204, note: "It is gone.", content: []), .problem(404, "There is no such fence."),
        ]
    ) { input, operations in
        let id = input.path("fence")
        guard try await operations.deleteFence(id, by: actor(input)) else { throw Problem.notFound("fence \"\(id)\"") }
        return .nothing
    }

    static let importFences = Route(
        method: .post, template: "/v1/import/fences", operation: "importFences",
        summary: "Stores fences from a GeoJSON feature or feature collection", queryParameters: importParameters,
        body: Route.Body(
            mediaTypes: ["application/geo+json", "application/json"], schema: Shapes.fenceImport,
            maximumBytes: 256 * 1024 * 1024),
        responses: importResponses
    ) { input, operations in
        let result = try FenceImport.read(input.body)
        return try await store(result.faults, count: result.fences.count, input) {
            try await operations.store(fences: result.fences, by: actor(input))
        }
    }
}
