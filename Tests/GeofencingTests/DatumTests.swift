import Foundation
import Geofencing
import Testing

/// Source of the vectors: `Tests/Corpus/Escalation/gcj02.jsonl`.
@Suite struct DatumTests {
    struct Vector: Codable, Sendable {
        var name: String
        var source: String
        var wgs84: [Double]
        var gcj02: [Double]
    }

    static let vectors: [Vector] = {
        let corpus = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Corpus/Escalation/gcj02.jsonl")
        guard let text = try? String(contentsOf: corpus, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            try? JSONDecoder().decode(Vector.self, from: Data(line.utf8))
        }
    }()

    @Test func corpusIsThere() { #expect(Self.vectors.count == 5) }

    @Test(arguments: vectors)
    func publishedShift(vector: Vector) {
        let place = Coordinate(latitudeDegrees: vector.wgs84[0], longitudeDegrees: vector.wgs84[1])
        let shifted = Datum.gcj02.fromWGS84(place)
        // Our own vector is rounded to six decimals.
        let tolerance = vector.source == "public" ? 1e-9 : 6e-7
        #expect(abs(shifted.latitudeDegrees - vector.gcj02[0]) < tolerance)
        #expect(abs(shifted.longitudeDegrees - vector.gcj02[1]) < tolerance)
    }

    @Test(arguments: Datum.allCases)
    func thereAndBack(datum: Datum) {
        var worst = 0.0
        for latitude in stride(from: 18.0, through: 53, by: 1.37) {
            for longitude in stride(from: 74.0, through: 135, by: 2.11) {
                let place = Coordinate(latitudeDegrees: latitude, longitudeDegrees: longitude)
                let back = datum.toWGS84(datum.fromWGS84(place))
                worst = max(
                    worst, abs(back.latitudeDegrees - latitude), abs(back.longitudeDegrees - longitude))
            }
        }
        #expect(worst < 1e-8, "a millimetre is 1e-8 degrees, found \(worst)")
    }

    @Test func strangeNumbersDoNotTrap() {
        for value in [Double.nan, .infinity, -.infinity, 1e300, -1e300, 0] {
            for datum in Datum.allCases {
                _ = datum.toWGS84(Coordinate(latitudeDegrees: value, longitudeDegrees: 110))
                _ = datum.fromWGS84(Coordinate(latitudeDegrees: 30, longitudeDegrees: value))
            }
        }
    }
}
