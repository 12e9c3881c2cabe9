import TerminalModel
import Testing

struct NamelessTests {
    @Test func anAddressCanBeReadInTheIdentity() {
        #expect(TerminalID.nameless(at: .ipv4(0x0A01_02FF, port: 65_535)).description == "ffff010001002255f65535")
        #expect(TerminalID.nameless(at: .ipv4(0, port: 0)).description == "ffff000000000000f00000")
    }

    @Test func noTwoPlacesShareOne() {
        let places: [PeerAddress] = [
            .ipv4(0x7F00_0001, port: 1), .ipv4(0x7F00_0001, port: 2), .ipv4(0x7F00_0002, port: 1),
            .ipv6(high: 1, low: 2, scope: 0, port: 3), .ipv6(high: 1, low: 3, scope: 0, port: 3),
            .ipv6(high: 1, low: 2, scope: 0, port: 4), .path("/dev/ttyUSB0"), .path("/dev/ttyUSB1"),
        ]
        let ids = places.map { TerminalID.nameless(at: $0) }
        #expect(Set(ids).count == places.count)
        #expect(ids.allSatisfy { $0.isNameless && $0.description.count == 22 })
        #expect(ids.allSatisfy { TerminalID($0.description) == $0 })
    }

    /// Neither the longest phone nor the shortest id is taken for one.
    @Test(arguments: ["0", "17700000101", "99999999999999999999", "ffffffffffffffffffff", "ffff127000000001f0471"])
    func identitiesOfProtocolsAreNone(text: String) throws {
        #expect(try !#require(TerminalID(text)).isNameless)
    }
}
