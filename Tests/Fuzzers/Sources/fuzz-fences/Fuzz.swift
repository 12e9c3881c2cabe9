import ControlAPI
import Foundation
import FuzzHarness

@testable import GatewayApp

/// Bytes as a GeoJSON file of fences.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    do throws(JSONSyntaxFault) {
        let result = try FenceImport.read(Data(bytes: data, count: count))
        for fault in result.faults { consume(fault.column + fault.found + fault.allowed) }
        for fence in result.fences { consume(fence.id ?? "") }
    } catch {
        guard error.line >= 1, error.column >= 1 else { fatalError("a fault at \(error.line), \(error.column)") }
        consume(error.description)
    }
    return 0
}
