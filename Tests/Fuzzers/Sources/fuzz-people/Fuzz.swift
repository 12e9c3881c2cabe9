import Foundation
import FuzzHarness

@testable import GatewayApp

/// Bytes as a CSV file of people.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    let result = PeopleImport.read(Data(bytes: data, count: count))
    for fault in result.faults {
        guard fault.line >= 1 else { fatalError("a fault on line \(fault.line)") }
        consume(fault.column + fault.found + fault.allowed)
    }
    for row in result.rows { consume(row.person.id + row.person.name) }
    return 0
}
