extension GatewayConfiguration {
    /// The sections that differ and that a running gateway cannot take up.
    func sectionsThatNeedARestart(comparedWith old: GatewayConfiguration) -> [String] {
        var sections: [String] = []
        if gateway != old.gateway { sections.append("gateway") }
        if Self.withoutCapture(serialLines) != Self.withoutCapture(old.serialLines) { sections.append("serial") }
        if reactor.threads != old.reactor.threads { sections.append("reactor.threads") }
        if store != old.store { sections.append("store") }
        return sections
    }

    /// What is recorded changes while a line is open.
    private static func withoutCapture(_ lines: [SerialLine]) -> [SerialLine] {
        lines.map { line in
            var line = line
            line.isCaptured = false
            return line
        }
    }
}
