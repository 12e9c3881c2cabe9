extension GatewayConfiguration {
    /// The sections that differ and that a running gateway cannot take up.
    func sectionsThatNeedARestart(comparedWith old: GatewayConfiguration) -> [String] {
        var sections: [String] = []
        if gateway != old.gateway { sections.append("gateway") }
        if listeners != old.listeners { sections.append("listener") }
        if serialLines != old.serialLines { sections.append("serial") }
        if reactor != old.reactor { sections.append("reactor") }
        if store != old.store { sections.append("store") }
        return sections
    }
}
