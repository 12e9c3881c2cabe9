import TerminalModel
import Testing

@testable import GatewayApp

@Suite struct ShownCertificateTests {
    private static let expires = Timestamp(seconds: 1_800_000_000)

    /// Seconds before the end, and whether that is told.
    private static let cases: [(Int64, Bool)] = [
        (2_678_400, false), (2_592_000, false), (2_591_999, true), (0, true), (-86_400, true),
    ]

    @Test(arguments: cases) func anOperatorKnowsThirtyDaysBefore(secondsBefore: Int64, isFault: Bool) {
        let certificate = ShownCertificate(
            address: ListenAddress(host: "::", port: 6809), file: "/etc/gateway.pem", expires: Self.expires)
        let fault = certificate.fault(at: Self.expires.adding(milliseconds: -secondsBefore * 1000))
        #expect((fault != nil) == isFault)
        if let fault {
            #expect(fault == "[::]:6809: the certificate in /etc/gateway.pem ends on 2027-01-15T08:00:00Z.")
        }
    }
}
