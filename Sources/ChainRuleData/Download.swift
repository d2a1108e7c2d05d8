import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Fetching a file from the web whole, and knowing it for what it should be.
enum Download {
    /// How long a file may take, in seconds.
    private static let limit = 300.0

    /// The file at `address`, which must have this SHA-256. Throws a phrase for an error sentence.
    ///
    /// - Parameter patience: how long a server may stay silent, in seconds: two mirrors that swallow packets cost less than ten.
    static func fetch(_ address: String, digest: String, patience: Double = 4) throws -> Data {
        guard let url = URL(string: address), url.scheme != nil else {
            throw DataError("'\(address)' is no web address")
        }
        let data = try fetch(url, patience)
        guard SHA256.hexDigest(of: data) == digest else {
            throw DataError("\(url.lastPathComponent) arrived with the wrong checksum")
        }
        return data
    }

    private static func fetch(_ url: URL, _ patience: Double) throws -> Data {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = patience
        configuration.timeoutIntervalForResource = limit
        let session = URLSession(configuration: configuration)
        defer { session.invalidateAndCancel() }
        let reply = Mutex<Result<Data, any Error>>(.failure(DataError("not done after \(Int(limit)) seconds")))
        let arrived = DispatchSemaphore(value: 0)
        let task = session.dataTask(with: url) { data, response, error in
            reply.withLock { $0 = result(data, response, error, patience) }
            arrived.signal()
        }
        task.resume()
        if arrived.wait(timeout: .now() + limit) == .timedOut { task.cancel() }
        return try reply.withLock { $0 }.get()
    }

    private static func result(
        _ data: Data?, _ response: URLResponse?, _ error: (any Error)?, _ patience: Double
    ) -> Result<Data, any Error> {
        if let error { return .failure(DataError(phrase(error, patience))) }
        if let http = response as? HTTPURLResponse, http.statusCode != 200 {
            return .failure(DataError("the server answered \(http.statusCode)"))
        }
        return .success(data ?? Data())
    }

    private static func phrase(_ error: any Error, _ patience: Double) -> String {
        switch (error as? URLError)?.code {
        case .timedOut: "no answer within \(Int(patience)) seconds"
        case .cannotFindHost, .dnsLookupFailed: "no such server, or no network"
        case .cannotConnectToHost, .notConnectedToInternet: "no connection"
        default: error.localizedDescription
        }
    }
}
