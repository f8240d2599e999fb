//! The `Idempotency-Key` of a request (a draft of the IETF's HTTP API working group).

use farmlokal_catalog::idempotency::{KeptAnswer, Once};
use poem::Request;

use super::counts::{Counts, Keyed};
use super::problem::{Kind, Problem};

const FIELD: &str = "Idempotency-Key";
const MAX_CHARS: usize = 255;

/// The key of `request`, if it has one. The draft wants a string in quotes (RFC 9651); most clients leave them out.
pub(super) fn key(request: &Request) -> Result<Option<String>, Problem> {
    let mut fields = request.headers().get_all(FIELD).into_iter();
    let Some(field) = fields.next() else { return Ok(None) };
    let key = field.to_str().ok().and_then(read).filter(|_| fields.next().is_none());
    let wrong = || {
        let detail = format!("{FIELD} must be given once: 1 to {MAX_CHARS} visible ASCII characters, such as a UUID.");
        Problem::new(Kind::InvalidParameter, detail).field(FIELD)
    };
    key.map(Some).ok_or_else(wrong)
}

fn read(field: &str) -> Option<String> {
    let key = match field.strip_prefix('"') {
        Some(quoted) => unescape(quoted.strip_suffix('"')?)?,
        None => Some(field.to_owned()).filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))?,
    };
    let bare = field.starts_with('"') || !key.contains(['"', ',', ';']);
    (bare && (1..=MAX_CHARS).contains(&key.len())).then_some(key)
}

/// What stands between quotes: visible characters and spaces; quotes and backslashes behind a backslash.
fn unescape(quoted: &str) -> Option<String> {
    let (mut key, mut characters) = (String::new(), quoted.chars());
    while let Some(character) = characters.next() {
        key.push(match character {
            '\\' => characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            ' '..='~' if character != '"' => character,
            _ => return None,
        });
    }
    Some(key)
}

/// The answer, and whether it was given before; counted.
pub(super) fn answer(once: Once, counts: &Counts) -> Result<(KeptAnswer, bool), Problem> {
    counts.keys.add(Keyed::of(&once));
    match once {
        Once::Done(answer) => Ok((answer, false)),
        Once::Replayed(answer) => Ok((answer, true)),
        Once::UnderWay => {
            Err(Problem::new(Kind::UnderWay, "Another try with this key is under way; ask again for its answer.")
                .field(FIELD))
        }
        Once::Mismatch => Err(Problem::new(
            Kind::KeyReused,
            "This key was used for another request within the last 24 hours; take a new one for each request that is meant.",
        )
        .field(FIELD)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_quotes_and_without() {
        for (field, key) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ("\"8e03978e\"", "8e03978e"),
            (r#""a \"b\" \\ c""#, r#"a "b" \ c"#),
            ("a.b/c:d=e", "a.b/c:d=e"),
        ] {
            assert_eq!(read(field).as_deref(), Some(key), "{field}");
        }
        let long = "x".repeat(256);
        for field in ["", "\"\"", "\"", "\"a", "a\"b", "a b", "a,b", "\"a\";p=1", r#""a\b""#, "\"a\tb\"", &long] {
            assert_eq!(read(field), None, "{field:?}");
        }
    }

    #[test]
    fn several_fields_are_refused() {
        let request = |keys: &[&str]| {
            let start = Request::builder();
            keys.iter().fold(start, |request, key| request.header(FIELD, *key)).finish()
        };
        assert_eq!(key(&request(&[])).unwrap(), None);
        assert_eq!(key(&request(&["a"])).unwrap().as_deref(), Some("a"));
        assert_eq!(key(&request(&["a", "a"])).unwrap_err().status(), 400);
        assert_eq!(key(&request(&[""])).unwrap_err().status(), 400);
    }
}
