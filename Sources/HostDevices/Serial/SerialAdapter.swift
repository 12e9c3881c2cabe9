/// A serial port that the kernel has: what udev and sysfs say of it.
public struct SerialAdapter: Sendable, Hashable {
    /// The kernel's place of it, such as `/sys/devices/…/ttyUSB0/tty/ttyUSB0`. Names it while it is plugged in.
    public var systemPath: String
    /// The device file, such as `/dev/ttyUSB0`. The kernel may give another number at the next plug.
    public var node: String
    /// Links to the device file that udev rules made.
    public var links: [String]
    /// Four lower-case hexadecimal digits, nil for a port that is not on USB.
    public var vendorID: String?
    public var productID: String?
    /// Of the adapter; cheap ones have none, or all the same.
    public var serialNumber: String?
    /// Of an adapter with several ports, 0...255.
    public var interfaceNumber: Int?
    /// The kernel's driver, such as `ftdi_sio`.
    public var driver: String?
    /// The socket it is plugged into: udev's `ID_PATH`, or without udev the kernel's name of the place, `1-1.2:1.0`.
    public var portPath: String?
    /// What rules of udev have marked it with.
    public var tags: [String]
    /// Maker and product as the adapter states them, for people.
    public var description: String?

    public init(
        systemPath: String, node: String, links: [String] = [], vendorID: String? = nil, productID: String? = nil,
        serialNumber: String? = nil, interfaceNumber: Int? = nil, driver: String? = nil, portPath: String? = nil,
        tags: [String] = [], description: String? = nil
    ) {
        self.systemPath = systemPath
        self.node = node
        self.links = links
        self.vendorID = vendorID
        self.productID = productID
        self.serialNumber = serialNumber
        self.interfaceNumber = interfaceNumber
        self.driver = driver
        self.portPath = portPath
        self.tags = tags
        self.description = description
    }

    /// The same for the same adapter over all plugs and names: ids and serial number, and the interface of one with several.
    /// An adapter without a serial number is known by the socket it is in.
    public var identity: String {
        guard let vendorID, let productID else { return portPath ?? node }
        let interface = interfaceNumber.map { "#\($0)" } ?? ""
        if let serialNumber { return "\(vendorID):\(productID):\(serialNumber)\(interface)" }
        return identityAtPort
    }

    /// The identity by socket, which also tells adapters apart that share one serial number.
    public var identityAtPort: String {
        guard let vendorID, let productID else { return portPath ?? node }
        let number = serialNumber.map { ":\($0)" } ?? ""
        return "\(vendorID):\(productID)\(number)@\(portPath ?? node)"
    }
}
