import FuzzHarness
import GatewayApp

/// Bytes as a configuration file; files that it names are not opened.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0,
        let text = String(validating: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    else { return 0 }
    do throws(ConfigurationError) {
        let configuration = try GatewayConfiguration.parse(text, file: "fuzz.toml")
        consume(configuration.gateway.name)
    } catch {
        guard !error.issues.isEmpty else { fatalError("refused without a reason") }
        for issue in error.issues {
            if let line = issue.line, line < 1 { fatalError("an issue on line \(line)") }
            consume(issue.description)
        }
    }
    return 0
}
