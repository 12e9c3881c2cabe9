import TerminalModel
import Testing

@Suite struct TerminalNumbersTests {
    /// Ids as terminals have them: many that differ in few digits, in both halves of the word.
    private static func id(_ index: Int) -> TerminalID {
        TerminalID(nibbles: index % 3 == 0 ? UInt128(index) << 64 : UInt128(0x1770_0000_0000 + index))
    }

    @Test func agreesWithADictionaryThroughManyChanges() {
        var random = SystemRandomNumberGenerator()
        var numbers = TerminalNumbers()
        var expected: [TerminalID: UInt32] = [:]
        var disagreements = 0
        for _ in 0..<50_000 {
            let id = Self.id(Int.random(in: 0..<3000, using: &random))
            if Bool.random(using: &random) {
                let number = numbers.insert(id)
                if expected[id] ?? number != number { disagreements += 1 }
                expected[id] = number
            } else {
                numbers.remove(id)
                expected[id] = nil
            }
        }
        #expect(numbers.count == expected.count)
        #expect(Set(expected.values).count == expected.count)
        for index in 0..<3000 where numbers[Self.id(index)] != expected[Self.id(index)] { disagreements += 1 }
        for (id, number) in expected where numbers.id(number) != id { disagreements += 1 }
        #expect(disagreements == 0)
    }

    @Test func numbersStayDense() {
        var numbers = TerminalNumbers()
        for round in 0..<20 {
            for index in 0..<1000 { _ = numbers.insert(Self.id(round * 1000 + index)) }
            for index in 0..<1000 { numbers.remove(Self.id(round * 1000 + index)) }
        }
        #expect(numbers.count == 0)
        #expect(numbers.bound == 1000)
    }
}

@Suite struct PagedArrayTests {
    @Test func keepsWhatIsPutIn() {
        var array = PagedArray<Int>()
        for index in 0..<5000 { array.append(index) }
        array[1023] += 1
        array[1024] += 1
        let other = array
        array[4999] = -1
        #expect((0..<5000).map { other[$0] } == (0..<5000).map { $0 == 1023 || $0 == 1024 ? $0 + 1 : $0 })
        #expect(array[4999] == -1)
    }
}

@Suite struct TerminalDirectoryTests {
    @Test func keepsAndForgets() {
        let directory = TerminalDirectory()
        let one = TerminalID(nibbles: 1)
        let two = TerminalID(nibbles: 2)
        let known = KnownTerminal(
            model: "a rather long name of a model", utcOffsetMinutes: -210,
            authCodeDigests: [Array(repeating: 7, count: 32), [1, 2]], trustedByID: true, isListed: false)
        directory[one] = known
        directory[two] = KnownTerminal()
        #expect(directory[one] == known)
        directory[one] = nil
        #expect(directory[one] == nil)
        #expect(directory[two] == KnownTerminal())
        #expect(directory.count == 1)
        directory.replaceAll { set in set(one, known) }
        #expect(directory[two] == nil)
        #expect(directory[one] == known)
    }
}
