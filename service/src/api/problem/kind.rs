//! The kinds of problem.

/// Declares the kinds of problem: a stable code, the status, and a title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:literal $code:literal $title:literal;)*) => {
        /// What went wrong, as far as a program has to tell one from another.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// What the type ends in, for logs and traces.
            pub fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// Status, type and title.
            pub(super) fn parts(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$kind => ($status, concat!("urn:farmlokal:problem:", $code), $title),)* }
            }
        }
    };
}

kinds! {
    /// A query parameter, header or path segment is wrong.
    InvalidParameter = 400 "invalid-parameter" "A parameter is wrong";
    /// The request's body is wrong.
    InvalidBody = 400 "invalid-body" "The request body is wrong";
    /// The cursor cannot be followed.
    InvalidCursor = 400 "invalid-cursor" "The cursor cannot be followed";
    /// The request is not HTTP as we speak it.
    MalformedRequest = 400 "malformed-request" "The request cannot be read";
    /// Nothing proves that an event was sent by who it says, and now.
    Unverified = 401 "unverified" "The event is not believed";
    /// The operation needs an access token, and there is none.
    TokenMissing = 401 "token-missing" "An access token is needed";
    /// The access token is not good.
    InvalidToken = 401 "invalid-token" "The access token is not good";
    /// The client is not who it says it is.
    InvalidClient = 401 "invalid-client" "The client is not known";
    /// The access token is good, but not for this.
    InsufficientScope = 403 "insufficient-scope" "The access token does not allow this";
    /// A page of another origin asks, and may not.
    OriginNotAllowed = 403 "origin-not-allowed" "Pages of this origin may not use the API";
    /// There is no such product.
    NotFound = 404 "not-found" "There is no such product";
    /// Nobody is configured under this name.
    NoSuchSource = 404 "no-such-source" "There is no such source of events";
    /// There is no such event.
    NoSuchEvent = 404 "no-such-event" "There is no such event";
    /// There is no such supplier.
    NoSuchSupplier = 404 "no-such-supplier" "There is no such supplier";
    /// The supplier has no such sync.
    NoSuchSync = 404 "no-such-sync" "There is no such sync";
    /// There is no such subscription.
    NoSuchSubscription = 404 "no-such-subscription" "There is no such subscription";
    /// There is nothing at this path.
    NoSuchPath = 404 "no-such-path" "There is nothing at this path";
    /// The path takes other methods.
    MethodNotAllowed = 405 "method-not-allowed" "This path does not take that method";
    /// The request's body did not arrive in time.
    RequestTimeout = 408 "request-timeout" "The request took too long to arrive";
    /// The id belongs to another event.
    EventIdReused = 409 "event-id-reused" "The id belongs to another event";
    /// Another try of the request is under way.
    UnderWay = 409 "request-under-way" "The request is under way";
    /// The event is done.
    NotReplayable = 409 "not-replayable" "The event is done";
    /// The cursor goes through a search index that is gone.
    CursorExpired = 410 "cursor-expired" "The cursor has expired";
    /// The version the client expects is gone.
    PreconditionFailed = 412 "precondition-failed" "The product has changed";
    /// The request's body is too large.
    BodyTooLarge = 413 "body-too-large" "The request body is too large";
    /// The URL is too long.
    UrlTooLong = 414 "url-too-long" "The URL is too long";
    /// The request's body is of another media type.
    UnsupportedMediaType = 415 "unsupported-media-type" "The body must be JSON";
    /// The client has asked more than its quota.
    QuotaExceeded = 429 "quota-exceeded" "Too many requests";
    /// The idempotency key stands for another request.
    KeyReused = 422 "idempotency-key-reused" "The idempotency key stands for another request";
    /// URL and header fields together are too long.
    HeadTooLarge = 431 "head-too-large" "The URL or the header fields are too long";
    /// A bug of ours.
    Internal = 500 "internal" "Something went wrong on our side";
    /// Too much work at once.
    Busy = 503 "busy" "The service is busy";
    /// The listing would read too much.
    TooBroad = 503 "too-broad" "The listing would read too much";
    /// Only the search index can answer, and it is not ready.
    IndexBuilding = 503 "index-building" "The search index is being built";
    /// The supplier is left alone.
    SupplierUnavailable = 503 "supplier-unavailable" "The supplier is left alone for a while";
    /// The database is away.
    Unavailable = 503 "unavailable" "The catalogue is not available";
}
