import Testing

@testable import GatewayApp

@Suite struct InheritedSocketsTests {
    private func sockets(_ environment: [String: String]) -> InheritedSockets {
        InheritedSockets(environment: environment, processID: 77)
    }

    @Test func descriptorsFollowTheThird() {
        let found = sockets(["LISTEN_PID": "77", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "listener:status:listener"])
        #expect(found.descriptors == [3, 5])
        #expect(found.unused == ["status"])
    }

    @Test func withoutNamesAllAreForTerminals() {
        #expect(sockets(["LISTEN_PID": "77", "LISTEN_FDS": "2"]).descriptors == [3, 4])
        let unit = ["LISTEN_PID": "77", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "yidiantongd.socket"]
        #expect(sockets(unit).descriptors == [3])
    }

    @Test(arguments: [
        [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "78", "LISTEN_FDS": "1"], ["LISTEN_PID": "77"],
        ["LISTEN_PID": "77", "LISTEN_FDS": "0"], ["LISTEN_PID": "77", "LISTEN_FDS": "-1"],
        ["LISTEN_PID": "77", "LISTEN_FDS": "many"], ["LISTEN_PID": "77", "LISTEN_FDS": "99999999"],
    ]) func whatIsNotForThisProcessIsLeftAlone(environment: [String: String]) {
        #expect(sockets(environment) == InheritedSockets())
    }
}
