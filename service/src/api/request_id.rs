//! `X-Request-Id`: the name under which client, log and support speak of one request.

use poem::http::{HeaderMap, HeaderName, HeaderValue};

/// The field's name.
pub const FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ones are not taken over.
const MAX_BYTES: usize = 128;

/// The client's own, if it can stand in logs and header fields as it is. Another one is answered under an id of ours: a
/// request is not worth refusing for it.
pub(super) fn sent(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(FIELD).filter(|sent| is_sound(sent.as_bytes())).cloned()
}

/// An id nobody had before.
pub fn fresh() -> String {
    format!("{:032x}", fastrand::u128(..))
}

fn is_sound(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(byte);
    (1..=MAX_BYTES).contains(&id.len()) && id.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_ids_are_taken_over() {
        let long = "a".repeat(MAX_BYTES);
        for sound in ["a", "550e8400-e29b-41d4-a716-446655440000", "Root=1-67891233:x/y+z=@_.", &long] {
            assert!(is_sound(sound.as_bytes()), "{sound}");
        }
        for not in ["", " ", "a b", "a\"b", "a\\n", "a{b}", "é", &format!("{long}a")] {
            assert!(!is_sound(not.as_bytes()), "{not}");
        }
        assert!(is_sound(fresh().as_bytes()) && fresh() != fresh());
    }
}
