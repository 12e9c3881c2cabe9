/// An array that grows by pages: nothing is ever moved or copied when it grows, and at most one page is unused.
///
/// For millions of small values that live long; an ordinary array takes up to three times their room while it grows.
public struct PagedArray<Element> {
    /// Elements of one page.
    public static var pageSize: Int { 1024 }

    private var pages: ContiguousArray<ContiguousArray<Element>> = []
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    public subscript(index: Int) -> Element {
        get { pages[index >> 10][index & 1023] }
        _modify { yield &pages[index >> 10][index & 1023] }
    }

    public mutating func append(_ element: Element) {
        if count & 1023 == 0 {
            var page = ContiguousArray<Element>()
            page.reserveCapacity(Self.pageSize)
            pages.append(page)
        }
        pages[count >> 10].append(element)
        count += 1
    }
}

extension PagedArray: Sendable where Element: Sendable {}
