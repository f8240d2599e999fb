//! An answer as it is kept: finished, and with all that is needed to know whether it still holds.

use std::time::Duration;

use bytes::Bytes;
use farmlokal_catalog::Timestamp;
use http::HeaderValue;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A finished body with the fields that belong to it.
    Found {
        /// The bytes of the body.
        body: Bytes,
        /// Its entity tag.
        etag: HeaderValue,
        /// `Link`, if there is one.
        link: Option<HeaderValue>,
    },
    /// There is no such thing. Kept for a short time only.
    Absent,
}

/// An answer, the question it answers, and how long it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The question with the generations it was asked under: a hash alone could be another one's.
    pub question: Box<[u8]>,
    /// When it was computed.
    pub created: Timestamp,
    /// For how long it is fresh.
    pub fresh: Duration,
    /// The answer.
    pub answer: Answer,
}

/// The largest body that is read back.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// Smaller bodies are not compressed: it would not pay.
const COMPRESS_FROM: usize = 1_024;
const MAGIC: [u8; 4] = *b"FLe2";

/// The lifetime of an answer to `question` made at `created`: `base`, a tenth more or less, so that what
/// was stored together does not expire together. Depends on both and on nothing else.
pub(super) fn lifetime(base: Duration, question: &[u8], created: Timestamp) -> Duration {
    let hash = xxh3_64_with_seed(question, created.micros().cast_unsigned());
    base.mul_f64(0.9 + 0.2 * (hash as f64 / u64::MAX as f64))
}

impl Entry {
    /// How old it is at `now`; a clock that runs behind the one that made it makes it new.
    pub fn age(&self, now: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(now.micros() - self.created.micros()).unwrap_or(0))
    }

    /// Bytes of memory it takes.
    pub fn size(&self) -> usize {
        let answer = match &self.answer {
            Answer::Found { body, etag, link } => body.len() + etag.len() + link.as_ref().map_or(0, HeaderValue::len),
            Answer::Absent => 0,
        };
        size_of::<Self>() + self.question.len() + answer
    }

    /// The bytes to be kept elsewhere: checked by a hash, the body compressed where it pays.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.created.micros().to_le_bytes());
        bytes.extend(u64::try_from(self.fresh.as_micros()).unwrap_or(u64::MAX).to_le_bytes());
        put(&mut bytes, &self.question);
        if let Answer::Found { body, etag, link } = &self.answer {
            let compressed = (body.len() >= COMPRESS_FROM).then(|| lz4_flex::block::compress(body));
            // Less than a tenth is not worth the way back.
            let compressed = compressed.filter(|it| it.len() + body.len() / 10 < body.len());
            put(&mut bytes, etag.as_bytes());
            put(&mut bytes, link.as_ref().map_or(&[][..], HeaderValue::as_bytes));
            let plain = if compressed.is_some() { body.len() } else { 0 };
            bytes.extend((plain as u64).to_le_bytes());
            put(&mut bytes, compressed.as_deref().unwrap_or(body));
        }
        let hash = xxh3_64(&bytes);
        bytes.extend(hash.to_le_bytes());
        bytes
    }

    /// The entry in `bytes`; `None` for anything that is not a whole one of this form.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, hash) = bytes.split_last_chunk::<8>()?;
        if xxh3_64(content) != u64::from_le_bytes(*hash) {
            return None;
        }
        let mut rest = content.strip_prefix(&MAGIC)?;
        let created = Timestamp::from_micros(number(&mut rest)?.cast_signed())?;
        let fresh = Duration::from_micros(number(&mut rest)?);
        let question = take(&mut rest)?.into();
        let answer = if rest.is_empty() { Answer::Absent } else { found(&mut rest)? };
        rest.is_empty().then_some(Self { question, created, fresh, answer })
    }
}

fn found(rest: &mut &[u8]) -> Option<Answer> {
    let etag = HeaderValue::from_bytes(take(rest)?).ok()?;
    let link = match take(rest)? {
        [] => None,
        value => Some(HeaderValue::from_bytes(value).ok()?),
    };
    let plain = usize::try_from(number(rest)?).ok().filter(|plain| *plain <= MAX_BODY)?;
    let body = take(rest)?;
    let body = match plain {
        0 => Bytes::copy_from_slice(body),
        plain => lz4_flex::block::decompress(body, plain).ok()?.into(),
    };
    Some(Answer::Found { body, etag, link })
}

/// Appends `value` with its length before it.
fn put(bytes: &mut Vec<u8>, value: &[u8]) {
    bytes.extend((value.len() as u64).to_le_bytes());
    bytes.extend(value);
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, behind) = rest.split_first_chunk::<8>()?;
    *rest = behind;
    Some(u64::from_le_bytes(*number))
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (value, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: impl Into<Bytes>) -> Entry {
        Entry {
            question: (*b"what?").into(),
            created: Timestamp::from_micros(1_700_000_000_000_000).unwrap(),
            fresh: Duration::from_secs(300),
            answer: Answer::Found {
                body: body.into(),
                etag: HeaderValue::from_static("\"1\""),
                link: Some(HeaderValue::from_static("<x>")),
            },
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let absent = Entry { answer: Answer::Absent, ..entry("") };
        let noise: Vec<u8> = (0..5_000_u64).flat_map(|n| xxh3_64(&n.to_le_bytes()).to_le_bytes()).collect();
        for entry in [entry(""), entry("{}"), entry("milk ".repeat(2_000)), entry(noise), absent] {
            assert_eq!(Entry::decode(&entry.encode()), Some(entry));
        }
        assert!(entry("milk ".repeat(2_000)).encode().len() < 1_000, "compressed where it pays");
    }

    /// G9: another form or garbage is no entry, and no panic.
    #[test]
    fn whatever_is_not_a_whole_entry_is_none() {
        let whole = entry("milk ".repeat(1_000)).encode();
        for length in 0..whole.len() {
            assert_eq!(Entry::decode(&whole[..length]), None);
        }
        for place in 0..whole.len() {
            let mut other = whole.clone();
            other[place] ^= 0x41;
            assert_eq!(Entry::decode(&other), None, "byte {place}");
        }
        // The right hash over the wrong content, as another version might write it.
        for content in [&b"FLe1"[..], b"FLe2", b"", &[0xff; 64], b"FLe2\xff\xff\xff\xff\xff\xff\xff\xff"] {
            let mut bytes = content.to_vec();
            bytes.extend(xxh3_64(content).to_le_bytes());
            assert_eq!(Entry::decode(&bytes), None, "{content:?}");
        }
    }

    #[test]
    fn lifetimes_differ_by_a_tenth_at_the_most() {
        let base = Duration::from_secs(300);
        let at = |n: i64| lifetime(base, b"q", Timestamp::from_micros(n).unwrap());
        let all: Vec<_> = (0..1_000).map(at).collect();
        let (least, most) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(270) && *most <= Duration::from_secs(330));
        assert!(*most - *least > Duration::from_secs(50), "they spread");
        assert_eq!(at(7), at(7));
    }

    #[test]
    fn an_entry_from_the_future_is_new() {
        let entry = entry("");
        let now = |offset: i64| Timestamp::from_micros(entry.created.micros() + offset).unwrap();
        assert_eq!(entry.age(now(-5_000_000)), Duration::ZERO);
        assert_eq!(entry.age(now(1_500_000)), Duration::from_millis(1_500));
    }
}
