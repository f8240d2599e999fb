//! Tokens that were found good a moment ago: a signature is checked once, not with each request.

use std::collections::HashMap;
use std::sync::Mutex;

use farmlokal_catalog::Timestamp;
use ring::digest::{SHA256, digest};

/// Tokens remembered at the most.
const MOST: usize = 10_000;

/// What is known of some tokens, by the hash of each: a token itself is nowhere kept.
pub(super) struct Verified<T>(Mutex<HashMap<[u8; 32], (T, Timestamp)>>);

impl<T: Clone> Verified<T> {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// What is known of `token`, if that still holds at `now`.
    pub(super) fn get(&self, token: &str, now: Timestamp) -> Option<T> {
        let name = name(token);
        let known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(&name).filter(|(_, until)| now < *until).map(|(value, _)| value.clone())
    }

    /// Remembers `value` of `token` until a moment. When there is no room, what no longer holds makes some;
    /// if all of it holds, it is forgotten, which costs a check each.
    pub(super) fn put(&self, token: &str, value: T, now: Timestamp, until: Timestamp) {
        let name = name(token);
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (_, until)| now < *until);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name, (value, until));
    }
}

fn name(token: &str) -> [u8; 32] {
    let mut name = [0; 32];
    name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    #[test]
    fn a_token_is_known_until_its_end() {
        let verified = Verified::new();
        verified.put("a", 1, at(0), at(10));
        assert_eq!(verified.get("a", at(9)), Some(1));
        assert_eq!(verified.get("a", at(10)), None);
        assert_eq!(verified.get("b", at(0)), None);
    }

    #[test]
    fn the_number_is_bounded_whatever_comes() {
        let verified = Verified::new();
        let size = || verified.0.lock().unwrap().len();
        for n in 0..MOST {
            verified.put(&n.to_string(), n, at(0), at(if n < 5 { 20 } else { 10 }));
        }
        assert_eq!(size(), MOST);
        verified.put("new", 0, at(15), at(30));
        assert_eq!((size(), verified.get("3", at(15))), (6, Some(3)), "what holds stays");
        for n in 0..3 * MOST {
            verified.put(&n.to_string(), n, at(16), at(30));
            assert!(size() <= MOST);
        }
    }
}
