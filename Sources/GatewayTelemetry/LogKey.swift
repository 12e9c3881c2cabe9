public import Logging

/// Every key that log metadata may carry, so that one search finds one thing everywhere. Source: STYLE section 8.
public enum LogKey: String, Sendable, CaseIterable {
    case terminalID = "terminal.id"
    case terminalTrust = "terminal.trust"
    case terminalModel = "terminal.model"
    case frameProtocol = "frame.protocol"
    case frameMessage = "frame.message"
    case frameOffset = "frame.offset"
    case frameField = "frame.field"
    case frameHex = "frame.hex"
    case connectionBearer = "connection.bearer"
    case connectionPeer = "connection.peer"
    case connectionReason = "connection.reason"
    case deviceIdentity = "device.identity"
    case deviceState = "device.state"
    case deviceReason = "device.reason"
    case incidentID = "incident.id"
    case incidentService = "incident.service"
    case incidentState = "incident.state"
    case incidentEvent = "incident.event"
    case ladderRound = "ladder.round"
    case ladderStep = "ladder.step"
    case fenceID = "fence.id"
    case commandID = "command.id"
    case commandName = "command.name"
    case commandOutcome = "command.outcome"
    case channelName = "channel.name"
    case channelAttempt = "channel.attempt"
    case channelOutcome = "channel.outcome"
    case channelEvidence = "channel.evidence"
    case operatorID = "operator.id"
    case operatorUser = "operator.user"
    case storeFile = "store.file"
    case storeRows = "store.rows"
    case storeFreeBytes = "store.free_bytes"
    case queueName = "queue.name"
    case configFile = "config.file"
    case configKey = "config.key"
    case configLine = "config.line"
    case listenerAddress = "listener.address"
    case httpRoute = "http.route"
    case httpStatus = "http.status"
    case errorCode = "error.code"
    case errorDetail = "error.detail"
    /// How many equal lines were left out since the last one. Source: `LogLimiter`.
    case suppressedCount = "log.suppressed"
    case durationMilliseconds = "duration.ms"
    case count = "count"
    case version = "version"
}

extension Dictionary where Key == String, Value == Logger.MetadataValue {
    /// Log metadata from listed keys: `logger.info("Terminal registered", metadata: .keyed([.terminalID: "\(id)"]))`.
    public static func keyed(_ pairs: [LogKey: Logger.MetadataValue]) -> Self {
        var metadata = Logger.Metadata(minimumCapacity: pairs.count)
        for (key, value) in pairs { metadata[key.rawValue] = value }
        return metadata
    }
}

extension Logger {
    /// The value under a listed key, kept with every later line of this logger.
    public subscript(key: LogKey) -> Logger.MetadataValue? {
        get { self[metadataKey: key.rawValue] }
        set { self[metadataKey: key.rawValue] = newValue }
    }
}
