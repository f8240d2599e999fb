//! Requests that happen once, however often they are sent: an `Idempotency-Key` and what it stands for.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use sha2::{Digest as _, Sha256};

use crate::Product;

/// A request under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Who asks for what under which key, hashed.
    pub id: [u8; 32],
    /// What exactly is asked for, hashed.
    pub fingerprint: [u8; 32],
}

impl KeyedRequest {
    /// The request of `client` for `operation` with `key`; `body` says what exactly, in a form that is the same
    /// whenever that is.
    pub fn new(client: &str, operation: &str, key: &str, body: &[u8]) -> Self {
        let mut id = Sha256::new();
        for part in [client, operation, key] {
            // With its length, so that no two lists of parts are the same bytes.
            id.update((part.len() as u64).to_be_bytes());
            id.update(part);
        }
        Self { id: id.finalize().into(), fingerprint: Sha256::digest(body).into() }
    }
}

/// Who is at work on a request: drawn anew for each try, so that one that was overtaken knows itself no more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Owner(pub [u8; 16]);

impl Owner {
    /// One that nobody else is.
    pub fn random() -> Self {
        // Seeded by the system, and another one each time.
        let random = || RandomState::new().hash_one(()).to_be_bytes();
        let mut owner = [0; 16];
        owner[..8].copy_from_slice(&random());
        owner[8..].copy_from_slice(&random());
        Self(owner)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(…)")
    }
}

/// The right to do a request, which ends when somebody else is given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The request.
    pub request: KeyedRequest,
    /// Who has the right.
    pub owner: Owner,
}

/// An answer that is kept, to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// The header fields that belong to what was done.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is to be done with a request under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Do it: nobody has.
    Yours(Claim),
    /// It was done; this was the answer.
    Done(KeptAnswer),
    /// Somebody is at work on it.
    UnderWay,
    /// The key stands for another request.
    Mismatch,
}

/// How the answer to a product just made looks.
pub type Render = dyn Fn(&Product) -> KeptAnswer + Send + Sync;

/// What came of a request under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// It was done just now.
    Done(KeptAnswer),
    /// It was done before; this was the answer.
    Replayed(KeptAnswer),
    /// Somebody is at work on it.
    UnderWay,
    /// The key stands for another request.
    Mismatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_differ() {
        let owners: std::collections::HashSet<_> = (0..1_000).map(|_| Owner::random().0).collect();
        assert_eq!(owners.len(), 1_000);
    }

    #[test]
    fn every_part_of_a_request_counts() {
        let one = KeyedRequest::new("client", "POST /v1/products", "key", b"body");
        assert_eq!(one, KeyedRequest::new("client", "POST /v1/products", "key", b"body"));
        for (client, operation, key) in [
            ("client2", "POST /v1/products", "key"),
            ("client", "POST /v1/subscriptions", "key"),
            ("client", "POST /v1/products", "Key"),
            ("clientPOST", " /v1/products", "key"),
            ("", "clientPOST /v1/products", "key"),
        ] {
            assert_ne!(one.id, KeyedRequest::new(client, operation, key, b"body").id, "{client} {operation} {key}");
        }
        let other = KeyedRequest::new("client", "POST /v1/products", "key", b"other");
        assert!(one.id == other.id && one.fingerprint != other.fingerprint);
    }
}
