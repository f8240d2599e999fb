//! The words of a search, and in which ways a product's word may answer one.

use tantivy::Term;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;

use crate::SearchText;
use crate::text::{fold, words};

use super::SearchError;
use super::nearby::Nearby;

/// How a search was understood. The second stage is entered only if the first finds nothing in the
/// whole catalogue, and finds all that the first would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Every word as written, the last one also as a beginning.
    Exact,
    /// Words may be misspelt as well: one edit from five letters, two from nine.
    Fuzzy,
}

/// How a word of a product answers a word of the search. Each way includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The same word.
    Exact,
    /// It begins so.
    Prefix,
    /// So many edits apart (a letter added, lost, changed, or swapped with its neighbour); the last
    /// word of a search may also be so many edits apart from a beginning.
    Edits(u8),
}

/// One word of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether it may be a beginning.
    pub(super) last: bool,
}

impl Word {
    /// The words of `search`, folded and cut as those of products are; none if there are only signs.
    pub(super) fn of(search: &SearchText) -> Vec<Self> {
        let folded = fold(search.as_str());
        let texts = words(&folded);
        let word = |text: &str| Self { text: text.to_owned(), last: false };
        let mut found: Vec<_> = texts.take(SearchText::MAX_WORDS).map(word).collect();
        if let Some(last) = found.last_mut() {
            last.last = true;
        }
        found
    }

    /// How many edits it forgives. A word with digits is a code, and one of more than 40 letters no
    /// word: both are meant as they are.
    pub(super) fn edits(&self) -> u8 {
        let letters = self.text.chars().count();
        if self.text.chars().any(char::is_numeric) {
            return 0;
        }
        match letters {
            5..=8 => 1,
            9..=40 => 2,
            _ => 0,
        }
    }

    /// The ways it may be answered in `stage`, the strictest first; the last one includes the others.
    pub(super) fn ways(&self, stage: Stage) -> Vec<Way> {
        let mut ways = vec![Way::Exact];
        if self.last {
            ways.push(Way::Prefix);
        }
        if stage == Stage::Fuzzy {
            ways.extend((1..=self.edits()).map(Way::Edits));
        }
        ways
    }

    /// The most generous of [`Self::ways`]: it decides what matches.
    pub(super) fn widest(&self, stage: Stage) -> Way {
        match (stage, self.edits()) {
            (Stage::Fuzzy, edits @ 1..) => Way::Edits(edits),
            _ if self.last => Way::Prefix,
            _ => Way::Exact,
        }
    }

    /// What recognises the words within `edits` edits (two at the most).
    pub(super) fn automaton(&self, field: Field, edits: u8) -> Result<Nearby, SearchError> {
        let term = Term::from_field_text(field, &self.text);
        Ok(Nearby::new(FuzzyTermQuery::new(term, edits, true).automaton()?, self.last))
    }
}
