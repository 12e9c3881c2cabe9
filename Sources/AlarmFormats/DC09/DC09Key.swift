import Crypto
import CryptoExtras
import Foundation
public import TerminalProtocols
import WireBytes

/// An AES key of 128, 192 or 256 bits, shared between a panel and its receivers.
///
/// The frames themselves are in `TerminalProtocols`, where nothing knows cryptography; both directions open and seal them with what
/// `cipher` makes. Source: the project's document of escalation interfaces, section 1.3.
public struct DC09Key: Sendable {
    private static let byteCounts = [16, 24, 32]

    private let key: SymmetricKey

    /// Why a text is no key; it never shows the text.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// Reads `hex:` and 32, 48 or 64 hexadecimal digits, or `text:` and 16, 24 or 32 characters of ASCII. The form is said, since a
    /// text may look like digits.
    public init(_ text: some StringProtocol) throws(Problem) {
        let bytes: [UInt8]
        if text.hasPrefix("hex:") {
            guard let digits = Hex.bytes(text.dropFirst(4)) else {
                throw Problem(description: "behind hex: stand characters that are no hexadecimal digits")
            }
            bytes = digits
        } else if text.hasPrefix("text:") {
            bytes = Array(text.dropFirst(5).utf8)
        } else {
            throw Problem(description: "a key begins with hex: or text:")
        }
        guard Self.byteCounts.contains(bytes.count) else {
            throw Problem(description: "a key has 16, 24 or 32 bytes, and this one \(bytes.count)")
        }
        key = SymmetricKey(data: bytes)
    }

    /// CBC under an IV of zeros; random padding at the front of each frame stands for it.
    public var cipher: DC09Cipher {
        let key = key
        return DC09Cipher(
            encrypt: { clear in
                (try? AES._CBC.encrypt(clear, using: key, iv: Self.zeros, noPadding: true)).map(Array.init) ?? []
            },
            decrypt: { sealed in
                (try? AES._CBC.decrypt(sealed, using: key, iv: Self.zeros, noPadding: true)).map(Array.init) ?? []
            })
    }

    private static var zeros: AES._CBC.IV {
        get throws { try AES._CBC.IV(ivBytes: [UInt8](repeating: 0, count: DC09.blockByteCount)) }
    }
}
