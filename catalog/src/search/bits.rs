//! A set of the documents of one segment.

/// One bit a document. A million documents are 122 KiB, so that combining sets costs microseconds and
/// asking for a document costs a memory access, whatever the words are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

/// How many documents [`Bits::blocks`] hands over at once, at the most.
pub(super) const BLOCK: usize = 256;

impl Bits {
    /// The empty set of a segment with `documents` documents.
    pub(super) fn none(documents: u32) -> Self {
        Self { words: vec![0; documents.div_ceil(64) as usize] }
    }

    /// All documents of a segment with `documents` documents.
    pub(super) fn all(documents: u32) -> Self {
        let mut words = vec![u64::MAX; documents.div_ceil(64) as usize];
        if let (Some(last), 1..) = (words.last_mut(), documents % 64) {
            *last = (1 << (documents % 64)) - 1;
        }
        Self { words }
    }

    /// Adds `document`, which must be one of the segment's; another one is ignored.
    pub(super) fn insert(&mut self, document: u32) {
        if let Some(word) = self.words.get_mut(document as usize / 64) {
            *word |= 1 << (document % 64);
        }
    }

    /// Whether `document` is in the set.
    pub(super) fn contains(&self, document: u32) -> bool {
        self.words.get(document as usize / 64).is_some_and(|word| word >> (document % 64) & 1 == 1)
    }

    /// Keeps what is also in `other`.
    pub(super) fn keep(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Takes out what is in `other`.
    pub(super) fn drop_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Keeps what `test` answers with true. It is asked for at most 64 documents at once, in ascending
    /// order, and answers into the slots beside them. No branch depends on the answers, which nothing
    /// could predict under a filter that half of the documents pass.
    pub(super) fn retain(&mut self, mut test: impl FnMut(&[u32], &mut [bool])) {
        let (mut documents, mut answers) = ([0; 64], [false; 64]);
        for (at, word) in self.words.iter_mut().enumerate().filter(|(_, word)| **word != 0) {
            let (mut rest, mut count) = (*word, 0);
            while rest != 0 {
                documents[count] = at as u32 * 64 + rest.trailing_zeros();
                rest &= rest - 1;
                count += 1;
            }
            test(&documents[..count], &mut answers[..count]);
            let kept = documents.iter().zip(&answers).take(count);
            *word = kept.fold(0, |kept, (document, answer)| kept | u64::from(*answer) << (document % 64));
        }
    }

    /// How many documents are in the set.
    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// How many documents are in both sets.
    pub(super) fn count_both(&self, other: &Self) -> u64 {
        self.words.iter().zip(&other.words).map(|(word, other)| u64::from((word & other).count_ones())).sum()
    }

    /// Whether no document is in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Hands the documents to `visit` in ascending order, at most [`BLOCK`] at once: a column is
    /// read by one dynamic call a block instead of one a document.
    pub(super) fn blocks(&self, mut visit: impl FnMut(&[u32])) {
        let mut block = Vec::with_capacity(BLOCK);
        for (at, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                block.push(at as u32 * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
            if block.len() > BLOCK - 64 {
                visit(&block);
                block.clear();
            }
        }
        if !block.is_empty() {
            visit(&block);
        }
    }
}
