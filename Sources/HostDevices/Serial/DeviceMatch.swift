/// Which adapters are ours: every part that is given must be as given.
public struct DeviceMatch: Sendable, Hashable {
    /// Four lower-case hexadecimal digits.
    public var vendorID: String?
    public var productID: String?
    public var serialNumber: String?
    public var interfaceNumber: Int?
    public var driver: String?
    /// udev's `ID_PATH`, or the kernel's name of the socket.
    public var portPath: String?
    public var tag: String?

    public init(
        vendorID: String? = nil, productID: String? = nil, serialNumber: String? = nil, interfaceNumber: Int? = nil,
        driver: String? = nil, portPath: String? = nil, tag: String? = nil
    ) {
        self.vendorID = vendorID
        self.productID = productID
        self.serialNumber = serialNumber
        self.interfaceNumber = interfaceNumber
        self.driver = driver
        self.portPath = portPath
        self.tag = tag
    }

    /// What is wrong with a match that would also take strangers' devices; nil when it is narrow enough.
    ///
    /// A serial number, a socket or a tag names adapters that somebody has chosen. Vendor and product do so only where the
    /// pair belongs to one product, and not to an adapter chip that is inside of anything.
    public var tooWide: String? {
        if serialNumber != nil || portPath != nil || tag != nil { return nil }
        guard let vendorID, let productID else {
            return "neither a serial number, a port path, a tag, nor vendor and product together"
        }
        guard let chip = AdapterChip.name(vendorID: vendorID, productID: productID) else { return nil }
        return "vendor and product of the bare adapter chip \(chip), which is in strangers' devices too"
    }

    /// The parts that an adapter does not have as they are asked for, in words; empty when it is one of ours.
    public func differences(from adapter: SerialAdapter) -> [String] {
        var differences: [String] = []
        func compare(_ name: String, _ wanted: String?, _ found: String?) {
            guard let wanted, wanted != found else { return }
            differences.append("\(name) \(wanted), found \(found ?? "none")")
        }
        compare("vendor", vendorID, adapter.vendorID)
        compare("product", productID, adapter.productID)
        compare("serial number", serialNumber, adapter.serialNumber)
        compare("interface", interfaceNumber.map(String.init), adapter.interfaceNumber.map(String.init))
        compare("driver", driver, adapter.driver)
        compare("port path", portPath, adapter.portPath)
        if let tag, !adapter.tags.contains(tag) {
            let found = adapter.tags.isEmpty ? "none" : adapter.tags.joined(separator: ", ")
            differences.append("tag \(tag), found \(found)")
        }
        return differences
    }
}

/// Adapter chips that are sold inside of anything, with the ids that their makers ship them with.
///
/// Source: the device tables of Linux's `drivers/usb/serial` (ftdi_sio.c, cp210x.c, ch341.c, pl2303.c, mct_u232.c, ti_usb_3410_5052.c)
/// and `drivers/usb/class/cdc-acm.c`, Linux 6.1; only the makers' own ids.
enum AdapterChip {
    static func name(vendorID: String, productID: String) -> String? {
        chips[vendorID]?[productID]
    }

    private static let chips: [String: [String: String]] = [
        "0403": [
            "6001": "FTDI FT232", "6006": "FTDI FT8U232", "6010": "FTDI FT2232", "6011": "FTDI FT4232",
            "6014": "FTDI FT232H", "6015": "FTDI FT-X",
        ],
        "0483": ["5740": "STM32 virtual port"],
        "04d8": ["000a": "Microchip CDC", "00df": "Microchip MCP2200"],
        "067b": [
            "2303": "Prolific PL2303", "2304": "Prolific PL2303", "23a3": "Prolific PL2303GC",
            "23b3": "Prolific PL2303GB", "23c3": "Prolific PL2303GT", "23d3": "Prolific PL2303GL",
            "23e3": "Prolific PL2303GE", "23f3": "Prolific PL2303GS",
        ],
        "0711": ["0210": "MCT U232", "0230": "MCT U232"],
        "0451": ["3410": "TI 3410", "5052": "TI 5052"],
        "10c4": [
            "ea60": "Silicon Labs CP210x", "ea61": "Silicon Labs CP210x", "ea63": "Silicon Labs CP210x",
            "ea70": "Silicon Labs CP2105", "ea71": "Silicon Labs CP2108",
        ],
        "1a86": [
            "5523": "WCH CH341", "7522": "WCH CH340K", "7523": "WCH CH340", "55d2": "WCH CH9102",
            "55d3": "WCH CH343", "55d4": "WCH CH9102F", "55d5": "WCH CH344",
        ],
        "4348": ["5523": "WCH CH341"],
    ]
}
