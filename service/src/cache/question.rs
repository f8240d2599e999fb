//! A question in one form, however it was asked.

use xxhash_rust::xxh3::xxh3_128;

use super::Namespace;

/// Bytes of a question with a filter or two and the generations.
const USUAL: usize = 192;

/// Everything an answer depends on, as bytes: two questions have the same bytes only if they have the
/// same parts in the same order.
#[derive(Debug, Clone, Default)]
pub struct Question(Vec<u8>);

impl Question {
    /// A question of the kind `kind`.
    pub fn of(kind: &str) -> Self {
        // Answers look different from version to version, and replicas of two may share a cache.
        Self(Vec::with_capacity(USUAL)).text(env!("CARGO_PKG_VERSION")).text(kind)
    }

    /// The same with a text; its length goes before it, so that no two texts run together.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    /// The same with a text or none.
    #[must_use]
    pub fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text("+").text(text),
            None => self.text("-"),
        }
    }

    /// The same with a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// The finished question, which contains `generations`.
    pub(super) fn finish(self, generations: [(Namespace, u64); 2]) -> Key {
        let hash = xxh3_128(&self.0);
        Key { question: self.0.into(), hash, generations }
    }
}

/// A finished question, and its hash for tables and names.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) question: Box<[u8]>,
    pub(super) hash: u128,
    /// Of the namespaces it depends on, as they were before the answer was computed.
    pub(super) generations: [(Namespace, u64); 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATIONS: [(Namespace, u64); 2] = [(Namespace::All, 0), (Namespace::Products, 0)];

    #[test]
    fn questions_differ_where_their_parts_do() {
        let list = |parts: [&str; 2]| Question::of("list").text(parts[0]).text(parts[1]).finish(GENERATIONS).question;
        assert_eq!(list(["a", "b"]), list(["a", "b"]));
        assert_ne!(list(["ab", ""]), list(["a", "b"]));
        assert_ne!(list(["a", "b"]), list(["b", "a"]));
        let optional = |text| Question::of("list").optional(text).finish(GENERATIONS).question;
        assert_ne!(optional(None), optional(Some("")));
        assert_ne!(optional(Some("-")), optional(None));
    }
}
