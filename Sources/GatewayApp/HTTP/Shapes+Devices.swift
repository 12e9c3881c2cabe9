import HostDevices

extension Shapes {
    static let devices = Schema.named(
        "Devices",
        .object([
            .required("devices", .array(device, count: 0...Int.max)),
            .required("missing", words, "[[serial]] for which nothing is plugged in"),
            .optional("position", gatewayPosition, "absent without [gpsd]"),
        ]))

    static let device = Schema.named(
        "Device",
        .object([
            .required("identity", .string, "the same over all plugs and names"),
            .required("state", .choice(DeviceState.allCases.map(\.rawValue))),
            .required("reason", .string, "why it stands so"), .required("since", .time),
            .optional("rule", .string, "the [[serial]] that took it"), .optional("node", .string),
            .required("links", words), .optional("vendor", .string), .optional("product", .string),
            .optional("serial", .string), .optional("interface", count), .optional("driver", .string),
            .optional("port", .string, "the socket it is in"), .required("tags", words),
            .optional("description", .string), .required("counts", .map(count), "how often each state was entered"),
            .optional("last_frame_at", .time),
            .optional("first_frame_milliseconds", count, "from the last plug to the first good frame"),
        ]))

    static let gatewayPosition = Schema.named(
        "GatewayPosition",
        .object([
            .required("state", .choice(GatewayFixState.allCases.map(\.rawValue))), .required("reason", .string),
            .required("since", .time), .optional("position", position),
            .optional("receiver", .string), .required("receivers", words),
            .required("clock", .choice(ClockState.allCases.map(\.rawValue))),
            .optional("clock_offset_milliseconds", .integer(Int.min...Int.max), "system clock less satellite time"),
        ]))
}
