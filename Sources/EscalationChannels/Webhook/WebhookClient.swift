import AlarmFormats
import AsyncHTTPClient
import GatewayTelemetry
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TerminalModel

/// Posts one message to one target within its limits: no redirects, no proxy, verified TLS, checked addresses.
struct WebhookClient: Sendable {
    /// What came back, or why nothing did.
    enum Answer: Sendable {
        case response(status: Int, body: String, retryAfter: String?)
        case failure(ErrorCode, String)
    }

    /// The peer's address is not one that the target may have; raised before any byte of the message is sent.
    private struct AddressForbidden: Error {
        var address: String
    }

    /// Enough of an answer to quote.
    private static let maximumAnswerBytes = 4_096
    /// Connections to one target at once: an SOS does not wait behind a slow answer.
    private static let maximumConnections = 8

    private let target: WebhookTarget
    private let client: HTTPClient

    init(_ target: WebhookTarget, group: (any EventLoopGroup)?) throws(ChannelConfigurationError) {
        self.target = target
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(target), redirectConfiguration: .disallow,
            timeout: .init(
                connect: .milliseconds(Int64(target.connectTimeoutMilliseconds)),
                read: .milliseconds(Int64(target.totalTimeoutMilliseconds))),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.maximumConnections
        // Otherwise a refused connection is tried again until the deadline and its reason is lost; the outbox retries.
        configuration.connectionPool.retryConnectionEstablishment = false
        // The one place that sees the address which was really connected to, whatever the name service says.
        configuration.http1_1ConnectionDebugInitializer = { channel in
            guard let remote = channel.remoteAddress, let address = IPAddress(remote),
                target.allows(address, isPlain: target.isPlain)
            else {
                let text = channel.remoteAddress?.ipAddress ?? "unknown address"
                channel.close(promise: nil)
                return channel.eventLoop.makeFailedFuture(AddressForbidden(address: text))
            }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        self.client =
            if let group {
                HTTPClient(eventLoopGroup: group, configuration: configuration)
            } else {
                HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
            }
    }

    /// Closes the connections; the client cannot be used after it.
    func shutdown() async {
        // A second shutdown is the only error, and it changes nothing.
        try? await client.shutdown()
    }

    func post(_ body: [UInt8], headers: [(name: String, value: String)]) async -> Answer {
        let deadline = NIODeadline.now() + .milliseconds(Int64(target.totalTimeoutMilliseconds))
        var request = HTTPClientRequest(url: target.url)
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.headers.add(name: "user-agent", value: "yidiantong")
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, deadline: deadline)
            let text = await Self.text(of: response.body, until: deadline)
            return .response(
                status: Int(response.status.code), body: text, retryAfter: response.headers.first(name: "retry-after"))
        } catch {
            return failure(error)
        }
    }

    /// The first bytes of the answer, as many as come in time: the status is the receipt, the text only evidence.
    private static func text(of body: HTTPClientResponse.Body, until deadline: NIODeadline) async -> String {
        let bytes = await withTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                do {
                    for try await part in body {
                        bytes += part.readableBytesView.prefix(maximumAnswerBytes - bytes.count)
                        if bytes.count >= maximumAnswerBytes { break }
                    }
                } catch {
                    // Cut off or timed out: what is there is quoted.
                }
                return bytes
            }
            group.addTask {
                let rest = deadline - .now()
                try? await Task.sleep(for: .nanoseconds(max(0, rest.nanoseconds)))
                return nil
            }
            var bytes: [UInt8] = []
            for await result in group {
                if let result {
                    bytes = result
                    group.cancelAll()
                    break
                }
                group.cancelAll()
            }
            return bytes
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func failure(_ error: any Error) -> Answer {
        switch error {
        case let error as AddressForbidden:
            return .failure(.channelAddressForbidden, "\(error.address) is not listed for this target")
        case let error as HTTPClientError where error == .connectTimeout:
            return .failure(.channelTimeout, "no connection within \(target.connectTimeoutMilliseconds) ms")
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            return .failure(.channelTimeout, "no answer within \(target.totalTimeoutMilliseconds) ms")
        case let error as HTTPClientError where error == .tlsHandshakeTimeout:
            return .failure(.channelTimeout, "no TLS session within \(target.connectTimeoutMilliseconds) ms")
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return .failure(.channelUnreachable, "the connection was closed before the answer")
        case let error as HTTPClientError:
            return .failure(.channelUnreachable, error.shortDescription)
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            return .failure(.channelTLSFailed, "\(error)")
        case let error as NIOConnectionError:
            let reasons = error.connectionErrors.map { "\($0.error)" }
            return .failure(.channelUnreachable, (reasons.first ?? "\(error)"))
        default:
            return .failure(.channelUnreachable, "\(error)")
        }
    }

    private static func tls(_ target: WebhookTarget) throws(ChannelConfigurationError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let file = target.certificateAuthorityFile {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw ChannelConfigurationError(
                    target: target.name, key: "ca_file", message: "\(file) holds no certificates in PEM form: \(error)")
            }
        }
        return configuration
    }
}
