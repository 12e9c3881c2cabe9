import AlarmPipeline
import ControlAPI
import Foundation
import Geofencing
import IncidentCore
import IncidentStore
import TerminalModel

extension PipelineOperations {
    func people(after: String?, limit: Int) async throws -> PersonPage {
        try await answering {
            let found = try pipeline.store.people(after: after ?? "", limit: limit + 1)
            let page = found.prefix(limit).map(PersonCard.init)
            return PersonPage(people: page, next: found.count > limit ? page.last?.id : nil)
        }
    }

    func person(_ id: String) async throws -> PersonCard? {
        try await answering { try pipeline.store.person(id).map(PersonCard.init) }
    }

    func store(people: [Person], assignments: [TerminalAssignment], by actor: Operator) async throws {
        let trusted = trustedModels()
        let assignments = assignments.map { assignment in
            var assignment = assignment
            if trusted.contains(assignment.model) { assignment.trustedByID = true }
            return assignment
        }
        try await answering {
            try await pipeline.importRecords(people: people, assignments: assignments, by: actor)
        }
    }

    func deletePerson(_ id: String, by actor: Operator) async throws -> Bool {
        try await answering {
            guard try pipeline.store.person(id) != nil else { return false }
            try await pipeline.erase(person: id, by: actor)
            return true
        }
    }

    func fences() async throws -> [FenceFeature] {
        try await answering { try stored().map(FenceFeature.init) }
    }

    func fence(_ id: String) async throws -> FenceFeature? {
        try await answering { try stored().first { $0.id == id }.map(FenceFeature.init) }
    }

    private func stored() throws -> [Fence] {
        let decoder = JSONDecoder()
        return try pipeline.store.fences().map { try decoder.decode(Fence.self, from: Data($0.utf8)) }
    }

    func fault(of fence: FenceFeature) async -> String? {
        do {
            _ = try Fence(fence)
            return nil
        } catch {
            return "\(error.field): \(error.problem)"
        }
    }

    func store(fences: [FenceFeature], by actor: Operator) async throws {
        let fences = try fences.map { try Fence($0) }
        try await answering {
            try await pipeline.importRecords(people: [], assignments: [], fences: fences, by: actor)
        }
    }

    func deleteFence(_ id: String, by actor: Operator) async throws -> Bool {
        do {
            try await answering { try await pipeline.removeFence(id, by: actor) }
            return true
        } catch let problem as Problem where problem.status == 404 {
            return false
        }
    }
}

extension Fence {
    /// Throws when the feature's shape makes no sense.
    init(_ feature: FenceFeature) throws(FenceFault) {
        let id = feature.id ?? ""
        let properties = feature.properties
        func needed(_ value: Double?, _ member: String) throws(FenceFault) -> Double {
            guard let value else {
                throw FenceFault(field: "properties.\(member)", problem: "this shape needs it, found nothing")
            }
            return value
        }
        let shape: Shape
        switch feature.geometry {
        case .point(let place):
            shape = .circle(
                centre: Coordinate(place), radiusMetres: try needed(properties.radiusMetres, "radius_m"))
        case .lineString(let path):
            shape = .corridor(
                path: path.map(Coordinate.init),
                halfWidthMetres: try needed(properties.halfWidthMetres, "half_width_m"))
        case .polygon(let rings): shape = .polygons([rings.map { $0.map(Coordinate.init) }])
        case .multiPolygon(let polygons):
            shape = .polygons(polygons.map { rings in rings.map { $0.map(Coordinate.init) } })
        }
        guard properties.persons.isEmpty || properties.groups.isEmpty else {
            throw FenceFault(field: "properties", problem: "persons or groups are allowed, found both")
        }
        let scope: Scope =
            properties.persons.isEmpty
            ? properties.groups.isEmpty ? .everybody : .groups(properties.groups) : .persons(properties.persons)
        guard let rule = Rule(rawValue: properties.rule), let datum = Datum(rawValue: properties.datum) else {
            throw FenceFault(field: "properties", problem: "an unknown rule or datum")
        }
        do {
            self = try Fence(
                id: id, name: properties.name, shape: shape, rule: rule, datum: datum, scope: scope,
                hysteresisMetres: properties.hysteresisMetres, confirmations: properties.confirmations,
                confirmationWindow: max(properties.confirmations, properties.confirmationsOf),
                dwellSeconds: properties.dwellSeconds, isEnabled: properties.enabled)
        } catch {
            throw FenceFault(field: error.field, problem: error.problem)
        }
    }
}

/// Why a feature is no fence that can be watched.
struct FenceFault: Error {
    var field: String
    var problem: String
}

extension Coordinate {
    /// GeoJSON: longitude first.
    init(_ place: [Double]) {
        self.init(latitudeDegrees: place.count > 1 ? place[1] : .nan, longitudeDegrees: place.first ?? .nan)
    }

    var place: [Double] { [longitudeDegrees, latitudeDegrees] }
}

extension FenceFeature {
    init(_ fence: Fence) {
        var properties = FenceProperties(name: fence.name, rule: fence.rule.rawValue, datum: fence.datum.rawValue)
        let geometry: FenceGeometry
        switch fence.shape {
        case .circle(let centre, let radius):
            geometry = .point(centre.place)
            properties.radiusMetres = radius
        case .corridor(let path, let halfWidth):
            geometry = .lineString(path.map(\.place))
            properties.halfWidthMetres = halfWidth
        case .polygons(let polygons) where polygons.count == 1:
            geometry = .polygon(polygons[0].map { $0.map(\.place) })
        case .polygons(let polygons):
            geometry = .multiPolygon(polygons.map { rings in rings.map { $0.map(\.place) } })
        case .rectangle(let southWest, let northEast):
            let west = southWest.longitudeDegrees
            let east = northEast.longitudeDegrees
            let south = southWest.latitudeDegrees
            let north = northEast.latitudeDegrees
            geometry = .polygon([[[west, south], [east, south], [east, north], [west, north], [west, south]]])
        }
        switch fence.scope {
        case .everybody: break
        case .persons(let persons): properties.persons = persons
        case .groups(let groups): properties.groups = groups
        }
        properties.hysteresisMetres = fence.hysteresisMetres
        properties.confirmations = fence.confirmations
        properties.confirmationsOf = fence.confirmationWindow
        properties.dwellSeconds = fence.dwellSeconds
        properties.enabled = fence.isEnabled
        self.init(id: fence.id, geometry: geometry, properties: properties)
    }
}
