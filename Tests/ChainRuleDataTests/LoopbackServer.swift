import Foundation
import Synchronization

/// A web server on this machine for one test: answers each request with what a function of its path says.
final class LoopbackServer: Sendable {
    enum Answer: Sendable {
        case content(Data)
        case status(Int)
        /// Promises the whole content and closes after a part of it.
        case cut(Data, at: Int)
        /// Takes the request and says nothing.
        case silence
    }

    /// "http://127.0.0.1:49152"
    let address: String
    private let listener: Int32
    private let paths = Mutex<[String]>([])
    private let silent = Mutex<[Int32]>([])

    /// What was asked for, in order.
    var requests: [String] { paths.withLock { $0 } }

    init(_ answer: @escaping @Sendable (String) -> Answer) throws {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        listener = socket(AF_INET, stream, 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listening = withUnsafeMutablePointer(to: &name) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard listening else { throw CocoaError(.featureUnsupported) }
        address = "http://127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
        Thread.detachNewThread { [self] in serve(answer) }
    }

    /// Ends the server; what it left open is closed.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for connection in silent.withLock({ $0 }) { close(connection) }
    }

    private func serve(_ answer: (String) -> Answer) {
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 { return }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let length = max(read(connection, &buffer, buffer.count), 0)
            let words = String(decoding: buffer.prefix(length), as: UTF8.self).split(separator: " ")
            let path = words.count > 1 ? String(words[1]) : ""
            paths.withLock { $0.append(path) }
            switch answer(path) {
            case .content(let data): send(head(200, data.count) + data, connection)
            case .status(let code): send(head(code, 0), connection)
            case .cut(let data, let end): send(head(200, data.count) + data.prefix(end), connection)
            case .silence:
                silent.withLock { $0.append(connection) }
                continue
            }
            close(connection)
        }
    }

    private func head(_ code: Int, _ length: Int) -> Data {
        Data("HTTP/1.1 \(code) X\r\nContent-Length: \(length)\r\nConnection: close\r\n\r\n".utf8)
    }

    private func send(_ data: Data, _ connection: Int32) {
        var rest = [UInt8](data)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            if written <= 0 { return }
            rest = rest.dropFirst(written)
        }
    }
}
