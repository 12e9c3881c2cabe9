internal import CPcap
internal import TerminalModel

/// Reads the packets of a pcap or pcapng file through libpcap, the only place that touches it.
final class PcapFile {
    struct Packet {
        let time: Timestamp
        /// What was kept of the packet, from its link-layer header on.
        let bytes: [UInt8]
        /// How long it was on the wire.
        let wireBytes: Int
    }

    /// How the link layer of the file is laid out.
    enum Link {
        case ethernet
        /// Linux cooked, version 1 and 2: what capturing on all interfaces gives.
        case cooked, cooked2
        /// IP without anything in front.
        case raw
        /// BSD loopback: a family of 4 bytes in front.
        case loopback
    }

    let path: String
    let link: Link
    private let handle: OpaquePointer

    /// - Throws: `ReplayFailure` with libpcap's words, or for a link layer that is not known.
    init(path: String) throws(ReplayFailure) {
        var error = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard
            let handle = pcap_open_offline_with_tstamp_precision(
                path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &error)
        else {
            throw ReplayFailure(.usage, "\(path): not a pcap or pcapng file that can be read: \(Self.text(error))")
        }
        let type = pcap_datalink(handle)
        guard let link = Self.link(type) else {
            let name = pcap_datalink_val_to_name(type).map { String(cString: $0) } ?? "\(type)"
            pcap_close(handle)
            throw ReplayFailure(
                .usage,
                "\(path): found link layer \(name), expected Ethernet, Linux cooked (SLL, SLL2), raw IP or loopback")
        }
        self.path = path
        self.link = link
        self.handle = handle
    }

    deinit {
        pcap_close(handle)
    }

    /// The next packet, nil at the end of the file.
    ///
    /// - Throws: `ReplayFailure` where the file is damaged or cut off.
    func next() throws(ReplayFailure) -> Packet? {
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var data: UnsafePointer<UInt8>?
        switch pcap_next_ex(handle, &header, &data) {
        case 1:
            guard let header, let data else { return nil }
            // With this precision the microseconds are nanoseconds.
            let time = header.pointee.ts
            return Packet(
                time: Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_usec) / 1_000_000),
                bytes: Array(UnsafeBufferPointer(start: data, count: Int(header.pointee.caplen))),
                wireBytes: Int(header.pointee.len))
        case PCAP_ERROR_BREAK: return nil
        default: throw ReplayFailure(.usage, "\(path): the file is damaged: \(String(cString: pcap_geterr(handle)))")
        }
    }

    private static func link(_ type: Int32) -> Link? {
        switch type {
        case DLT_EN10MB: .ethernet
        case DLT_LINUX_SLL: .cooked
        case DLT_LINUX_SLL2: .cooked2
        case DLT_RAW, DLT_IPV4, DLT_IPV6: .raw
        case DLT_NULL, DLT_LOOP: .loopback
        default: nil
        }
    }

    private static func text(_ error: [CChar]) -> String {
        String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
