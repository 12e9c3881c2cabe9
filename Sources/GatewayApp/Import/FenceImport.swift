import ControlAPI
import Foundation
import Geofencing

/// Reads fences from a GeoJSON feature or feature collection; a wrong feature costs only itself.
struct FenceImport {
    private(set) var fences: [FenceFeature] = []
    private(set) var faults: [ImportReport.Row] = []

    /// - Throws: `JSONSyntaxFault` when the whole is no JSON.
    static func read(_ data: Data) throws(JSONSyntaxFault) -> FenceImport {
        var result = FenceImport()
        let document = try JSONTree(parsing: data)
        let features: [JSONTree]
        if case .array(let elements)? = document["features"] { features = elements } else { features = [document] }
        var seen: [String: Int] = [:]
        for (index, feature) in features.enumerated() {
            result.readFeature(feature, number: index + 1, &seen)
        }
        return result
    }

    private mutating func readFeature(_ feature: JSONTree, number: Int, _ seen: inout [String: Int]) {
        do {
            try Shapes.fence.validate(Self.normalised(feature))
        } catch {
            fault(number, error.pointer, found: error.found, allowed: error.allowed)
            return
        }
        guard let data = try? ControlJSON.encode(Self.normalised(feature)),
            var fence = try? ControlJSON.decode(FenceFeature.self, from: data)
        else {
            fault(number, "", found: "a feature that cannot be read", allowed: "a GeoJSON feature")
            return
        }
        guard let id = fence.id ?? fence.properties.id else {
            fault(number, "/id", found: "nothing", allowed: Schema.identifier.allowed)
            return
        }
        fence.id = id
        fence.properties.id = nil
        if let first = seen[id] {
            fault(number, "/id", found: "\"\(id)\" again, first in feature \(first)", allowed: "each id once")
            return
        }
        do throws(FenceFault) {
            _ = try Fence(fence)
        } catch {
            fault(
                number, "/geometry", found: "\(error.field): \(error.problem)", allowed: "a shape that can be watched")
            return
        }
        seen[id] = number
        fences.append(fence)
    }

    /// Numbers as ids, and members that drawing programs add, do no harm.
    private static func normalised(_ feature: JSONTree) -> JSONTree {
        guard case .object(var members) = feature else { return feature }
        members["bbox"] = nil
        if case .integer(let id)? = members["id"] { members["id"] = .string(String(id)) }
        if case .object(var properties)? = members["properties"] {
            if case .integer(let id)? = properties["id"] { properties["id"] = .string(String(id)) }
            members["properties"] = .object(properties)
        }
        return .object(members)
    }

    private mutating func fault(_ number: Int, _ place: String, found: String, allowed: String) {
        faults.append(ImportReport.Row(line: number, column: place, found: found, allowed: allowed))
    }
}
