import IncidentStore

/// The store's track point, whose name is also that of a type of the status socket.
typealias StoredPoint = TrackPoint
