extension GatewayConfiguration {
    /// The sections that differ and that a running gateway cannot take up.
    func sectionsThatNeedARestart(comparedWith old: GatewayConfiguration) -> [String] {
        var sections: [String] = []
        if gateway != old.gateway { sections.append("gateway") }
        if positioning != old.positioning { sections.append("gpsd") }
        if reactor.threads != old.reactor.threads { sections.append("reactor.threads") }
        if store != old.store { sections.append("store") }
        return sections
    }
}
