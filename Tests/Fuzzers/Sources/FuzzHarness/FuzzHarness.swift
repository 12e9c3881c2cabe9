public import TerminalProtocols

/// What the first byte of an input chooses; the rest are the bytes that are fed.
///
///     depth 2 | variant 4 | way 2
///
/// Printing, explaining and writing again take ten times as long as decoding, so that they are done with one input of five:
/// that whose bytes add up to a multiple of five. A changed input is mostly another one.
public struct FuzzChoice: Sendable {
    /// How the bytes reach the decoder.
    public enum Way: UInt8, Sendable {
        /// A stream in pieces.
        case stream
        /// One frame.
        case frame
        /// What stands inside a right envelope, which random bytes would almost never have.
        case content
        /// A stream behind what the protocol needs to have heard before.
        case laterStream
    }

    /// What is done with what was decoded.
    public enum Depth: UInt8, Sendable {
        case decode
        case print
        case explain
        case writeAgain
    }

    public let way: Way
    public let depth: Depth
    /// 0...15, for what a protocol has several of.
    public let variant: UInt8

    public init(_ input: UnsafeBufferPointer<UInt8>) {
        way = Way(rawValue: input[0] & 3) ?? .frame
        variant = input[0] >> 2 & 15
        let isDeep = input.reduce(0) { $0 &+ UInt32($1) } % 5 == 0
        depth = isDeep ? Depth(rawValue: input[0] >> 6) ?? .decode : .decode
    }

    /// 1, 2, 4 ... bytes at once, the last variants everything.
    public var pieceBytes: Int { variant < 10 ? 1 << Int(variant) : .max }
}

/// A decoder as a fuzzer drives it.
public protocol FuzzTarget {
    associatedtype Decoder: OfflineDecoder
    static func makeDecoder() -> Decoder
    /// Heard before a `laterStream`.
    static var greeting: [UInt8] { get }
    /// A frame with these bytes inside; nil when they are too few.
    static func frame(around content: ArraySlice<UInt8>, variant: UInt8) -> [UInt8]?
    /// A frame that says what was understood of this one; nil when that was nothing.
    static func rewritten(_ frame: [UInt8]) -> [UInt8]?
}

extension FuzzTarget {
    public static var greeting: [UInt8] { [] }

    /// One execution. A trap, an address error, a hang and a broken promise are findings.
    public static func run(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        guard let data, count > 1 else { return 0 }
        let choice = FuzzChoice(UnsafeBufferPointer(start: data, count: count))
        let bytes = Array(UnsafeBufferPointer(start: data + 1, count: count - 1))
        var decoder = makeDecoder()
        var shown = bytes
        switch choice.way {
        case .stream: feed(bytes, choice, &decoder)
        case .frame: show(decoder.decode(frame: bytes), choice)
        case .content:
            guard let frame = frame(around: bytes[...], variant: choice.variant) else { return 0 }
            shown = frame
            show(decoder.decode(frame: frame), choice)
        case .laterStream:
            show(decoder.feed(stream: greeting), choice)
            feed(bytes, choice, &decoder)
        }
        switch choice.depth {
        case .decode, .print: break
        case .explain: explain(shown, decoder)
        case .writeAgain: writeAgain(shown)
        }
        return 0
    }

    private static func feed(_ bytes: [UInt8], _ choice: FuzzChoice, _ decoder: inout Decoder) {
        var rest = bytes[...]
        while !rest.isEmpty {
            show(decoder.feed(stream: Array(rest.prefix(choice.pieceBytes))), choice)
            rest = rest.dropFirst(choice.pieceBytes)
        }
        // Each call takes something out.
        var last = bytes.count + greeting.count + 1
        while let frame = decoder.finish() {
            guard last > 0 else { fatalError("finish never ends") }
            last -= 1
            show([frame], choice)
        }
    }

    private static func show(_ frames: [DecodedFrame], _ choice: FuzzChoice) {
        for frame in frames {
            switch frame.result {
            case .failed(let error):
                precondition(error.offset >= 0)
                if choice.depth == .print { consume(error.line(hex: "").text) }
            case .events(let events, let fields):
                precondition(!events.isEmpty)
                guard choice.depth == .print else { continue }
                for event in events { consume(event.json.text) }
                consume(fields.text)
            }
        }
    }

    /// What was understood can be written, and what was written is understood. It need not be the same bytes: text that is none
    /// is replaced, and may be cut to the width of its field inside a letter.
    private static func writeAgain(_ bytes: [UInt8]) {
        guard let written = rewritten(bytes), rewritten(written) == nil else { return }
        fatalError("not read: \(written), written for \(bytes)")
    }

    private static func explain(_ bytes: [UInt8], _ decoder: Decoder) {
        for row in decoder.explain(bytes) {
            precondition(row.offset >= 0)
            consume(row.field)
            consume(row.value)
            consume(row.meaning)
        }
    }
}

/// Reads a text to its end.
@inline(never)
public func consume(_ text: String) {
    var text = text
    text.makeContiguousUTF8()
    precondition(text.utf8.count >= 0)
}
