//! Texts that look alike, kept small: hundreds of objects have the same children but for a few names.

use std::sync::Arc;

use lz4_flex::block::{compress_with_dict, decompress_with_dict};

/// LZ4 looks back no further.
const LONGEST: usize = 64 * 1024;

/// What texts of one kind have had in common so far.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Arc<[u8]>);

/// A text, as what it does not share with a pattern.
#[derive(Debug)]
pub(super) struct Packed {
    pattern: Pattern,
    length: usize,
    rest: Box<[u8]>,
}

impl Default for Pattern {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Pattern {
    /// Packs `text`. One that shares little with what there was before is remembered for the next.
    pub(super) fn pack(&mut self, text: &[u8]) -> Packed {
        let mut rest = compress_with_dict(text, &self.0);
        if 4 * rest.len() > text.len() && self.0.len() + text.len() <= LONGEST {
            self.0 = [&*self.0, text].concat().into();
            rest = compress_with_dict(text, &self.0);
        }
        Packed { pattern: self.clone(), length: text.len(), rest: rest.into_boxed_slice() }
    }
}

impl Packed {
    /// The text.
    pub(super) fn text(&self) -> Vec<u8> {
        // It was packed in this process, by the same pattern.
        decompress_with_dict(&self.rest, self.length, &self.pattern.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_alike_takes_little() {
        let text =
            |name: usize| format!(r#"{{"metadata":{{"name":"shop-{name}"}},"spec":{}}}"#, "{\"port\":80}".repeat(99));
        let mut pattern = Pattern::default();
        let packed: Vec<_> = (0..500).map(|name| pattern.pack(text(name).as_bytes())).collect();
        let size: usize = packed.iter().map(|packed| packed.rest.len()).sum();
        assert!(size < 500 * text(0).len() / 10, "{size}");
        assert!(packed.iter().enumerate().all(|(name, packed)| packed.text() == text(name).as_bytes()));
        assert!(pattern.0.len() < 2 * text(0).len(), "one was enough");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in vec(vec(any::<u8>(), 0..40_000), 0..6)) {
            let mut pattern = Pattern::default();
            let packed: Vec<_> = texts.iter().map(|text| pattern.pack(text)).collect();
            prop_assert!(pattern.0.len() <= LONGEST);
            for (packed, text) in packed.iter().zip(&texts) {
                prop_assert_eq!(&packed.text(), text);
            }
        }
    }
}
