import AlarmFormats
import EscalationChannels
import Foundation

extension DC09KeyTable {
    /// Reads the key file that the configuration names; an empty table when it names none.
    ///
    /// - Parameter path: of the configuration, for the place in it that a fault names.
    /// - Throws: `GatewayStartError` when the file cannot be read, everybody may read it, or a line is wrong.
    init(_ configuration: GatewayConfiguration, path: String?) throws {
        guard let file = configuration.panels.keyFile else {
            self.init()
            return
        }
        switch SecretFile.read(file, maximumBytes: Self.maximumFileBytes) {
        case .failure(let reason): throw GatewayStartError("dc09.key_file", "\(file): \(reason.text)", path: path)
        case .success(let bytes):
            do {
                try self.init(String(decoding: bytes, as: UTF8.self))
            } catch {
                throw GatewayStartError("dc09.key_file", "\(file): \(error)", path: path)
            }
        }
    }
}
