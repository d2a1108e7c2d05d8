import Foundation
import Testing

@testable import ChainRuleData

struct SHA256Tests {
    /// The examples of FIPS 180-4.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func examples(_ text: String, _ digest: String) {
        #expect(SHA256.hexDigest(of: Data(text.utf8)) == digest)
    }

    /// The digests of 0, 1, ... 200 times the letter a, joined and digested once more; expected value from Python's hashlib.
    @Test func everyLengthAroundTheBlocks() {
        let digests = (0...200).map { SHA256.hexDigest(of: Data(repeating: UInt8(ascii: "a"), count: $0)) }
        #expect(
            SHA256.hexDigest(of: Data(digests.joined().utf8))
                == "eb555248bd20c7831e511d4461b42c9b084e3a64b44d57b00051172f8afe03ff")
    }
}
