import TerminalProtocols
import Testing

struct JT808ReassemblyTests {
    private let phone = JT808Phone(nibbles: 0x101, isLong: false)

    private func header(
        _ index: UInt16, of total: UInt16, first: UInt16 = 100, id: UInt16 = 0x0801, phone: JT808Phone? = nil
    ) -> JT808Header {
        JT808Header(
            messageID: id, attributes: 0x2000, phone: phone ?? self.phone, flowID: first &+ (index &- 1),
            package: .init(total: total, index: index))
    }

    @Test func packagesInAnyOrderAcrossTheWrapOfTheCounter() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] as [[UInt16]] {
            var reassembly = JT808Reassembly()
            var last = JT808Reassembly.Outcome.incomplete
            for index in order {
                #expect(last == .incomplete)
                last = reassembly.insert([UInt8(index)], header: header(index, of: 3, first: 65_534), now: 0)
            }
            #expect(last == .complete(body: [1, 2, 3]))
            #expect(reassembly.isEmpty)
        }
    }

    @Test func theFirstCopyOfAPackageIsKept() {
        var reassembly = JT808Reassembly()
        #expect(reassembly.insert([1], header: header(1, of: 2), now: 0) == .incomplete)
        #expect(reassembly.insert([9], header: header(1, of: 2), now: 0) == .duplicate)
        #expect(reassembly.insert([2], header: header(2, of: 2), now: 0) == .complete(body: [1, 2]))
    }

    @Test func impossiblePackagesAreRefused() {
        var reassembly = JT808Reassembly()
        var plain = header(1, of: 1)
        plain.package = nil
        #expect(reassembly.insert([], header: plain, now: 0) == .refused(.notAPackage))
        #expect(reassembly.insert([], header: header(0, of: 2), now: 0) == .refused(.badIndex))
        #expect(reassembly.insert([], header: header(3, of: 2), now: 0) == .refused(.badIndex))
        #expect(reassembly.insert([], header: header(1, of: 0), now: 0) == .refused(.badIndex))
        #expect(reassembly.insert([], header: header(1, of: 257), now: 0) == .refused(.tooManyPackages))
        #expect(reassembly.insert([1], header: header(1, of: 2), now: 0) == .incomplete)
        #expect(reassembly.insert([2], header: header(2, of: 3), now: 0) == .refused(.otherTotal))
    }

    @Test func memoryIsBounded() {
        var reassembly = JT808Reassembly()
        let half = [UInt8](repeating: 0, count: JT808Reassembly.maximumMessageBytes / 2 + 1)
        #expect(reassembly.insert(half, header: header(1, of: 3), now: 0) == .incomplete)
        #expect(reassembly.insert(half, header: header(2, of: 3), now: 0) == .refused(.tooManyBytes))
        #expect(reassembly.isEmpty)

        for message in 0..<UInt16(JT808Reassembly.maximumOpenMessages + 1) {
            _ = reassembly.insert([1], header: header(1, of: 2, first: message * 10), now: Int64(message))
        }
        // The first one had to go, so its second package opens it afresh; the newest is still whole.
        #expect(reassembly.insert([2], header: header(2, of: 2, first: 40), now: 9) == .complete(body: [1, 2]))
        #expect(reassembly.insert([2], header: header(2, of: 2, first: 0), now: 9) == .incomplete)
    }

    @Test func terminalsOnOneConnectionDoNotMix() {
        var reassembly = JT808Reassembly()
        let other = JT808Phone(nibbles: 0x102, isLong: false)
        #expect(reassembly.insert([1], header: header(1, of: 2), now: 0) == .incomplete)
        #expect(reassembly.insert([8], header: header(1, of: 2, phone: other), now: 0) == .incomplete)
        #expect(reassembly.insert([9], header: header(2, of: 2, phone: other), now: 0) == .complete(body: [8, 9]))
    }

    @Test func missingPackagesAreAskedForTwiceThenGivenUp() {
        var reassembly = JT808Reassembly()
        #expect(reassembly.nextDeadline == nil)
        _ = reassembly.insert([1], header: header(1, of: 4), now: 1000)
        _ = reassembly.insert([3], header: header(3, of: 4), now: 1000)
        #expect(reassembly.nextDeadline == 6000)
        #expect(reassembly.due(now: 5999) == [])
        let request = JT808Reassembly.Action.requestResend(
            messageID: 0x0801, phone: phone, JT808ResendRequest(firstFlowID: 100, indexes: [2, 4]))
        #expect(reassembly.due(now: 6000) == [request])
        #expect(reassembly.due(now: 6001) == [])
        #expect(reassembly.nextDeadline == 11_000)
        #expect(reassembly.due(now: 11_000) == [request])
        #expect(reassembly.nextDeadline == 31_000)
        #expect(reassembly.due(now: 30_999) == [])
        #expect(reassembly.due(now: 31_000) == [.gaveUp(messageID: 0x0801, firstFlowID: 100, missing: 2)])
        #expect(reassembly.isEmpty)
    }
}
