import Foundation
import Synchronization
import TerminalModel

/// The arguments of a command as one JSON object in the `commands` table; absent members do not belong to the command.
struct CommandArguments: Codable {
    var text: String?
    var urgent: Bool?
    var number: String?
    var listen: Bool?
    var seconds: Int?
    var durationSeconds: Int?
    var sequence: Int?
    var purpose: NumberPurpose?
    var numbers: [String]?
    var isOn: Bool?

    init(_ command: TerminalCommand) {
        switch command {
        case .locate, .find, .restart, .powerOff: break
        case .message(let text, let urgent): (self.text, self.urgent) = (text, urgent)
        case .callBack(let number, let listen): (self.number, self.listen) = (number, listen)
        case .reportInterval(let seconds): self.seconds = seconds
        case .track(let interval, let duration): (self.seconds, self.durationSeconds) = (interval, duration)
        case .confirmAlarm(let sequence): self.sequence = sequence
        case .setNumbers(let purpose, let numbers): (self.purpose, self.numbers) = (purpose, numbers)
        case .fallDetection(let isOn): self.isOn = isOn
        }
    }

    /// - Throws: `unreadable` for a name or arguments that this version does not know.
    func command(named name: String) throws(StoreError) -> TerminalCommand {
        switch name {
        case "locate": return .locate
        case "message":
            if let text { return .message(text: text, urgent: urgent ?? false) }
        case "call-back":
            if let number { return .callBack(number: number, listen: listen ?? false) }
        case "report-interval":
            if let seconds { return .reportInterval(seconds: seconds) }
        case "track":
            if let seconds, let durationSeconds {
                return .track(intervalSeconds: seconds, durationSeconds: durationSeconds)
            }
        case "confirm-alarm":
            if let sequence { return .confirmAlarm(sequence: sequence) }
        case "find": return .find
        case "set-numbers":
            if let purpose, let numbers { return .setNumbers(purpose, numbers) }
        case "fall-detection":
            if let isOn { return .fallDetection(isOn: isOn) }
        case "restart": return .restart
        case "power-off": return .powerOff
        default: break
        }
        throw StoreError(.unreadable, "a stored command is named \"\(name)\" and its arguments do not fit")
    }
}

extension CommandOutcome {
    /// Puts an outcome together again from its two columns.
    init(name: String, reason: String?) {
        switch name {
        case "sent": self = .sent
        case "confirmed": self = .confirmed
        case "failed": self = .failed(reason: reason ?? "")
        case "expired": self = .expired
        default: self = .queued
        }
    }

    var reason: String? {
        if case .failed(let reason) = self { reason } else { nil }
    }
}

/// JSON in columns.
enum ColumnJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// Many values, on all cores, in the order of their texts.
    static func values<Value: Decodable & Sendable>(
        _ type: Value.Type, _ texts: [String]
    ) -> [Result<Value, any Error>] {
        let groupSize = 256
        let groups = (texts.count + groupSize - 1) / groupSize
        let decoded = Mutex([[Result<Value, any Error>]](repeating: [], count: groups))
        DispatchQueue.concurrentPerform(iterations: groups) { group in
            let decoder = JSONDecoder()
            let part = texts[group * groupSize..<min((group + 1) * groupSize, texts.count)].map { text in
                Result { try decoder.decode(type, from: Data(text.utf8)) }
            }
            decoded.withLock { $0[group] = part }
        }
        return decoded.withLock { Array($0.joined()) }
    }
}
