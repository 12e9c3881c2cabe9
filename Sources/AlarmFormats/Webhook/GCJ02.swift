import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

enum Datum {
    static func gcj02(fromWGS84Latitude latitude: Double, longitude: Double) -> (latitude: Double, longitude: Double) {
        guard (72.004...137.8347).contains(longitude), (0.8293...55.8271).contains(latitude) else {
            return (latitude, longitude)
        }
        let a = 6378245.0
        let ee = 0.00669342162296594323
        let x = longitude - 105
        let y = latitude - 35
        let common = (20 * sin(6 * x * .pi) + 20 * sin(2 * x * .pi)) * 2 / 3
        var north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * abs(x).squareRoot() + common
        north += (20 * sin(y * .pi) + 40 * sin(y / 3 * .pi)) * 2 / 3
        north += (160 * sin(y / 12 * .pi) + 320 * sin(y * .pi / 30)) * 2 / 3
        var east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * abs(x).squareRoot() + common
        east += (20 * sin(x * .pi) + 40 * sin(x / 3 * .pi)) * 2 / 3
        east += (150 * sin(x / 12 * .pi) + 300 * sin(x / 30 * .pi)) * 2 / 3
        let radians = latitude / 180 * .pi
        let magic = 1 - ee * sin(radians) * sin(radians)
        north = north * 180 / (a * (1 - ee) / (magic * magic.squareRoot()) * .pi)
        east = east * 180 / (a / magic.squareRoot() * cos(radians) * .pi)
        return (latitude + north, longitude + east)
    }
}
