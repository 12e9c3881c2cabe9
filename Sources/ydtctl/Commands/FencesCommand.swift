import ArgumentParser
import ControlAPI

struct FencesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fences", abstract: "Lists fences, or removes one.",
        subcommands: [List.self, Remove.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists fences; --json prints GeoJSON.")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            try await options.show(FenceCollection.self, "/v1/fences") { collection in
                var table = Table("ID", "NAME", "SHAPE", "RULE", "DATUM", "FOR")
                for fence in collection.features {
                    let properties = fence.properties
                    let scope = properties.persons + properties.groups
                    table.add(
                        fence.id, properties.name, Self.shape(fence), properties.rule, properties.datum,
                        scope.isEmpty ? "everybody" : scope.joined(separator: ","))
                }
                Output.line(table.isEmpty ? "No fences." : table.text)
            }
        }

        private static func shape(_ fence: FenceFeature) -> String {
            switch fence.geometry {
            case .point: "circle of \(Int(fence.properties.radiusMetres ?? 0)) m"
            case .lineString: "corridor"
            case .polygon: "polygon"
            case .multiPolygon: "polygons"
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a fence.")

        @Argument(help: "The id of the fence.")
        var fence: String

        @OptionGroup var actor: OperatorOption
        @OptionGroup var options: SharedOptions

        func run() async throws {
            try await options.perform { client in
                _ = try await client.request(
                    "DELETE", "/v1/fences/\(ControlClient.segment(fence))", query: [("operator", actor.id)])
                Output.line(options.json ? "{}" : "\(fence) is removed.")
            }
        }
    }
}
