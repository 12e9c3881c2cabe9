import ArgumentParser
import ControlAPI
import Foundation

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Reads people and their terminals from CSV, or fences from GeoJSON.",
        discussion: """
            Wrong rows are named by line and left out, the others are stored; with --all-or-nothing one wrong row keeps
            everything out. Exit code 1 when a row was wrong.

            Columns of people: id, name (needed), sex, birth_date, address, district, landmark, conditions, medicines,
            blood_type, allergies, phone, contacts (NAME|PHONE|RELATION|guardian; …), groups, services, consent_120, terminals, model,
            utc_offset_minutes. Lists are separated by ';'. UTF-8 or GBK.
            """,
        subcommands: [People.self, Fences.self])

    struct Source: ParsableArguments {
        @Argument(help: "The file; - for standard input.")
        var file: String

        @Flag(help: "Store nothing when one row is wrong.")
        var allOrNothing = false

        @OptionGroup var actor: OperatorOption
        @OptionGroup var options: SharedOptions

        func send(to path: String, as type: String) async throws {
            let data: Data
            do {
                data =
                    file == "-"
                    ? try FileHandle.standardInput.readToEnd() ?? Data()
                    : try Data(contentsOf: URL(fileURLWithPath: file))
            } catch {
                throw ValidationError("\(file) cannot be read: \(error.localizedDescription)")
            }
            var query = [("operator", actor.id)]
            if allOrNothing { query.append(("all_or_nothing", "true")) }
            try await options.perform { client in
                let answer = try await client.request("POST", path, query: query, contentType: type, body: data)
                let report = try ControlJSON.decode(ImportReport.self, from: answer)
                try options.print(report) { report in
                    for fault in report.faults { Output.complain("\(file): \(fault.text)") }
                    Output.line("stored \(report.stored), left out \(report.rejected)")
                }
                if report.rejected > 0 { throw ExitCode(1) }
            }
        }
    }

    struct People: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reads people and their terminals from CSV.")

        @OptionGroup var source: Source

        func run() async throws {
            try await source.send(to: "/v1/import/people", as: "text/csv")
        }
    }

    struct Fences: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reads fences from GeoJSON.")

        @OptionGroup var source: Source

        func run() async throws {
            try await source.send(to: "/v1/import/fences", as: "application/geo+json")
        }
    }
}
