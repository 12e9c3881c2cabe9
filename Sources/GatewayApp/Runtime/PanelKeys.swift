import AlarmFormats

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
        do {
            try self.init(contentsOf: file)
        } catch {
            throw GatewayStartError("dc09.key_file", "\(error)", path: path)
        }
    }
}
