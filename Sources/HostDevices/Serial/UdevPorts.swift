import CUdev

/// The serial ports of this machine through libudev: a list now, and events after it. Belongs to one thread.
///
/// The only place that touches libudev. It opens no device.
final class UdevPorts: SerialPortSource {
    private static let subsystem = "tty"
    /// Room for the events of a hub full of adapters, in bytes; more are made up for by listing again.
    static let receiveBufferBytes: Int32 = 1 << 20

    private let udev: OpaquePointer
    private let monitor: OpaquePointer?

    /// Nil when libudev gives nothing, which means that no memory is left.
    init?(receiveBufferBytes: Int32 = receiveBufferBytes) {
        guard let udev = udev_new() else { return nil }
        self.udev = udev
        monitor = Self.listen(udev, receiveBufferBytes)
    }

    deinit {
        if let monitor { udev_monitor_unref(monitor) }
        udev_unref(udev)
    }

    /// Events of udev, which has set permissions and tags by then; those of the kernel would come before. In a container
    /// without udev none come, and the watch lists the ports again and again.
    private static func listen(_ udev: OpaquePointer, _ receiveBufferBytes: Int32) -> OpaquePointer? {
        guard let monitor = udev_monitor_new_from_netlink(udev, "udev") else { return nil }
        // Only root may have the large buffer; without it an overrun comes sooner.
        _ = udev_monitor_set_receive_buffer_size(monitor, receiveBufferBytes)
        guard udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, nil) >= 0,
            udev_monitor_enable_receiving(monitor) >= 0
        else {
            udev_monitor_unref(monitor)
            return nil
        }
        return monitor
    }

    var descriptor: Int32? { monitor.map { udev_monitor_get_fd($0) } }

    /// All ports with hardware behind them, in the order of their places.
    func list() -> [SerialAdapter] {
        guard let enumeration = udev_enumerate_new(udev) else { return [] }
        defer { udev_enumerate_unref(enumeration) }
        guard udev_enumerate_add_match_subsystem(enumeration, Self.subsystem) >= 0,
            udev_enumerate_scan_devices(enumeration) >= 0
        else { return [] }
        var found: [SerialAdapter] = []
        var entry = udev_enumerate_get_list_entry(enumeration)
        while let this = entry {
            if let path = udev_list_entry_get_name(this), let device = udev_device_new_from_syspath(udev, path) {
                if let adapter = Self.adapter(device) { found.append(adapter) }
                udev_device_unref(device)
            }
            entry = udev_list_entry_get_next(this)
        }
        return found.sorted { $0.systemPath < $1.systemPath }
    }

    func next() -> SerialPortEvent? {
        guard let monitor else { return nil }
        while true {
            var error: Int32 = 0
            guard let device = ydt_udev_receive(monitor, &error) else {
                return error == ENOBUFS ? .overrun : nil
            }
            defer { udev_device_unref(device) }
            guard let path = Self.text(udev_device_get_syspath(device)) else { continue }
            if Self.text(udev_device_get_action(device)) == "remove" { return .removed(systemPath: path) }
            // An add or a change: what udev knows by now, with the tags of this event.
            if let adapter = Self.adapter(device) { return .seen(adapter) }
        }
    }

    // MARK: - What one device says

    /// Nil for consoles, pseudo-terminals and UARTs that the machine does not have.
    private static func adapter(_ device: OpaquePointer) -> SerialAdapter? {
        guard let path = text(udev_device_get_syspath(device)), let node = text(udev_device_get_devnode(device)),
            let parent = udev_device_get_parent(device),
            text(udev_device_get_sysattr_value(device, "type")) != "0"
        else { return nil }
        var adapter = SerialAdapter(systemPath: path, node: node)
        adapter.links = names(udev_device_get_devlinks_list_entry(device))
        adapter.tags = names(udev_device_get_current_tags_list_entry(device))
        adapter.driver = text(udev_device_get_driver(parent))
        adapter.portPath = text(udev_device_get_property_value(device, "ID_PATH"))
        if let interface = udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_interface") {
            adapter.driver = adapter.driver ?? text(udev_device_get_driver(interface))
            adapter.interfaceNumber = text(udev_device_get_sysattr_value(interface, "bInterfaceNumber"))
                .flatMap { Int($0, radix: 16) }
            adapter.portPath = adapter.portPath ?? text(udev_device_get_sysname(interface))
        }
        if let usb = udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_device") {
            adapter.vendorID = text(udev_device_get_sysattr_value(usb, "idVendor"))?.lowercased()
            adapter.productID = text(udev_device_get_sysattr_value(usb, "idProduct"))?.lowercased()
            adapter.serialNumber = text(udev_device_get_sysattr_value(usb, "serial"))
            let maker = text(udev_device_get_sysattr_value(usb, "manufacturer"))
            let product = text(udev_device_get_sysattr_value(usb, "product"))
            let words = [maker, product].compactMap { $0 }
            adapter.description = words.isEmpty ? nil : words.joined(separator: " ")
        }
        return adapter
    }

    /// A borrowed C string as text, nil for none and for an empty one.
    private static func text(_ value: UnsafePointer<CChar>?) -> String? {
        guard let value else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    private static func names(_ first: OpaquePointer?) -> [String] {
        var names: [String] = []
        var entry = first
        while let this = entry {
            if let name = text(udev_list_entry_get_name(this)) { names.append(name) }
            entry = udev_list_entry_get_next(this)
        }
        return names.sorted()
    }
}
