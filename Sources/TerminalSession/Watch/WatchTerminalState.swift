import TerminalModel
import TerminalProtocols

/// What a session remembers of one watch that speaks on its connection.
struct WatchTerminalState {
    var identity: TerminalIdentity
    var profile: WatchProfile
    var commands = CommandQueue<WatchExpectedAnswer>()
    /// A voice message that comes in pieces.
    var voice: WatchVoiceAssembly?
    var tracking: Tracking?
    /// Maker and form of the id as the watch writes them; every frame for it repeats them.
    private var maker: UInt16
    private var idDigits: UInt8
    /// Our own counter, for watches that write an index; those without one get none.
    private var index: UInt16?

    /// A period of fast reports; the watch itself goes on for `WatchMessage.trackingMilliseconds` only.
    struct Tracking {
        let until: Int64
        var askAgainAt: Int64
    }

    init(_ header: WatchHeader, environment: SessionEnvironment, now: Int64) {
        identity = TerminalIdentity(header.id.terminal, now: now)
        profile = WatchProfile(identity.lookUp(in: environment, now: now))
        maker = header.maker
        idDigits = header.id.digitCount
        index = header.index == nil ? nil : 0
    }

    var terminal: TerminalID { identity.terminal }

    /// At the start of every frame: the site may have listed, assigned or removed the watch meanwhile.
    mutating func heard(_ header: WatchHeader, in environment: SessionEnvironment, now: Int64) {
        if let facts = identity.lookUpIfChanged(in: environment, now: now) { profile = WatchProfile(facts) }
        maker = header.maker
        idDigits = header.id.digitCount
        if header.index == nil { index = nil } else if index == nil { index = 0 }
    }

    /// The header of a frame that the platform starts, with the next number of our own.
    mutating func nextHeader() -> WatchHeader {
        if let last = index { index = last == .max ? 1 : last + 1 }
        return WatchHeader(maker: maker, id: WatchID(terminal, digitCount: Int(idDigits)), index: index)
    }
}

extension WatchProfile {
    fileprivate init(_ facts: TerminalFacts) {
        self.init(facts.model, utcOffsetMinutes: facts.utcOffsetMinutes)
    }
}

/// How a watch's answer to a command is recognised: it repeats the keyword, in whatever case.
struct WatchExpectedAnswer {
    /// In upper case.
    let keyword: String
}

/// What is said once a message is on the disk.
struct WatchAnswer {
    /// One frame; empty where a watch expects no answer.
    let frame: [UInt8]
}

/// Puts a voice message together from its pieces (section 9). A reference, since hardly any watch is sending one.
final class WatchVoiceAssembly {
    /// 15 s of sound have less than 32 KiB.
    static let maximumPieces = 64
    static let maximumBytes = 65_536
    /// A message whose next piece does not come is forgotten.
    static let pieceMilliseconds: Int64 = 60_000

    private let name: String
    private let count: Int
    private var pieces: [Int: [UInt8]] = [:]
    private var byteCount = 0
    private(set) var deadline = Int64.max

    /// Nil for a piece that belongs to nothing that can be put together.
    init?(_ chunk: WatchVoiceChunk) {
        guard (1...Self.maximumPieces).contains(chunk.count) else { return nil }
        name = chunk.name
        count = chunk.count
    }

    /// True for a piece of this message.
    func takes(_ chunk: WatchVoiceChunk) -> Bool {
        chunk.name == name && chunk.count == count
    }

    /// Takes a piece in; the first copy of each is kept.
    ///
    /// - Returns: the whole sound when it was the last one missing.
    func insert(_ chunk: WatchVoiceChunk, now: Int64) -> [UInt8]? {
        deadline = now + Self.pieceMilliseconds
        guard (1...count).contains(chunk.index), byteCount + chunk.audio.count <= Self.maximumBytes else { return nil }
        if pieces[chunk.index] == nil {
            pieces[chunk.index] = chunk.audio
            byteCount += chunk.audio.count
        }
        return pieces.count == count ? (1...count).flatMap { pieces[$0] ?? [] } : nil
    }
}
