import ArgumentParser
import ControlAPI

struct PeopleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "people", abstract: "Lists people, shows a card, or forgets a person.",
        subcommands: [List.self, Erase.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists people, or shows one card.")

        @OptionGroup var options: SharedOptions

        @Argument(help: "The id of one person.")
        var person: String?

        @Option(help: "At most so many.")
        var limit = 100

        func run() async throws {
            if let person {
                let path = "/v1/people/\(ControlClient.segment(person))"
                try await options.show(PersonCard.self, path, PeopleCommand.show)
                return
            }
            try await options.show(PersonPage.self, "/v1/people", query: [("limit", String(limit))]) { page in
                var table = Table("ID", "NAME", "PHONE", "GROUPS", "ADDRESS")
                for one in page.people {
                    table.add(one.id, one.name, one.phone, one.groups.joined(separator: ","), one.address)
                }
                Output.line(table.isEmpty ? "No people." : table.text)
                if page.next != nil { Output.line("There are more: raise --limit.") }
            }
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forgets a person: the card, the name in incidents, and where the person was.")

        @Argument(help: "The id of the person.")
        var person: String

        @Flag(help: "Do it; without this nothing happens.")
        var yes = false

        @OptionGroup var actor: OperatorOption
        @OptionGroup var options: SharedOptions

        func run() async throws {
            guard yes else {
                throw ValidationError("This cannot be undone. Add --yes to erase \(person).")
            }
            try await options.perform { client in
                _ = try await client.request(
                    "DELETE", "/v1/people/\(ControlClient.segment(person))", query: [("operator", actor.id)])
                Output.line(options.json ? "{}" : "\(person) is forgotten.")
            }
        }
    }

    static func show(_ person: PersonCard) {
        func line(_ name: String, _ value: String) {
            if !value.isEmpty { Output.line("\(name): \(value)") }
        }
        Output.line("\(person.name) (\(person.id))")
        line("  sex, born", [person.sex, person.birthDate].filter { !$0.isEmpty }.joined(separator: ", "))
        line("  address", person.address)
        line("  district", person.district)
        line("  landmark", person.landmark)
        line("  phone", person.phone)
        line("  conditions", person.conditions)
        line("  medicines", person.medicines)
        line("  blood type", person.bloodType)
        line("  allergies", person.allergies)
        for contact in person.contacts {
            let role = contact.guardian ? ", guardian" : ""
            line("  contact", "\(contact.name) \(contact.phone) \(contact.relation)\(role)")
        }
        line("  groups", person.groups.joined(separator: ", "))
        line("  services", person.services.joined(separator: ", "))
        line("  120 without a human in between", person.consent120 ? "agreed" : "not agreed")
    }
}
