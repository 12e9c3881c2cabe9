import ArgumentParser
import ControlAPI

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Lists serial ports and why each is used or not, and where the gateway itself is.")

    @OptionGroup var options: SharedOptions

    @Flag(help: "With serial number, socket, driver and tags: what a [[serial]] match can name.")
    var long = false

    func run() async throws {
        try await options.show(DeviceList.self, "/v1/devices") { list in
            Output.line(list.devices.isEmpty ? "No serial ports." : long ? facts(list) : states(list))
            for rule in list.missing { Output.line("! nothing is plugged in for [[serial]] \"\(rule)\"") }
            if let position = list.position { show(position) }
        }
    }

    private func states(_ list: DeviceList) -> String {
        var table = Table("DEVICE", "NODE", "STATE", "SINCE", "RULE", "LAST FRAME", "REASON")
        for one in list.devices {
            table.add(
                one.identity, one.node, one.state, Output.time(one.since), one.rule, Output.time(one.lastFrameAt),
                one.reason)
        }
        return table.text
    }

    private func facts(_ list: DeviceList) -> String {
        var table = Table("NODE", "STATE", "VENDOR", "PRODUCT", "SERIAL", "IF", "DRIVER", "PORT", "TAGS", "DESCRIPTION")
        for one in list.devices {
            table.add(
                one.node ?? one.identity, one.state, one.vendor, one.product, one.serial,
                one.interface.map { String($0) }, one.driver, one.port, one.tags.joined(separator: ","),
                one.description)
        }
        return table.text
    }

    private func show(_ gateway: GatewayPositionView) {
        var line = "gateway: \(gateway.state) since \(Output.time(gateway.since)), \(gateway.reason)"
        if let place = gateway.position {
            line += ", \(place.latitude), \(place.longitude)"
            if let accuracy = place.accuracyMetres { line += " (± \(accuracy) m)" }
        }
        Output.line(line)
        let offset = gateway.clockOffsetMilliseconds.map { ", \($0) ms beside satellite time" } ?? ""
        Output.line("clock: \(gateway.clock)\(offset)")
    }
}
