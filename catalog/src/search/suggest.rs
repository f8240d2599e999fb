//! Completions of what somebody is writing.

use std::collections::HashMap;
use std::ops::ControlFlow;

use tantivy::Term;

use super::SearchError;
use super::bits::Bits;
use super::segment::{Segment, visit_terms};
use super::word::{Stage, Way, Word};
use crate::SearchText;

/// So many words of names are looked at in a segment: enough for a vocabulary, and a bound for a
/// catalogue with a code in every name.
const LOOKED_AT: usize = 10_000;
/// So many of the most frequent completions are counted together with the words before them.
const COUNTED: usize = 32;
/// From so many letters on, an unfinished word may be misspelt.
const FORGIVING: usize = 4;

/// Up to `limit` completions of `text`: its words with the last one completed, folded, those in most
/// product names first. Words that no name has are corrected, if one is near.
pub(super) fn suggest(segments: &[Segment<'_>], text: &SearchText, limit: usize) -> Result<Vec<String>, SearchError> {
    let mut words = Word::of(text);
    let Some(last) = words.pop() else { return Ok(Vec::new()) };
    let Some(before) = words.iter().map(|word| corrected(segments, word)).collect::<Result<Option<Vec<_>>, _>>()?
    else {
        return Ok(Vec::new());
    };
    let mut endings = frequencies(segments, &last, Way::Prefix)?;
    if endings.is_empty() && last.text.chars().count() >= FORGIVING && !last.text.chars().any(char::is_numeric) {
        endings = frequencies(segments, &last, Way::Edits(1))?;
    }
    endings.truncate(COUNTED.max(limit));
    let mut counted = together(segments, &before, endings)?;
    counted.retain(|(_, count)| *count > 0);
    sort(&mut counted);
    let phrase =
        |ending: String| before.iter().map(|word| word.text.clone()).chain([ending]).collect::<Vec<_>>().join(" ");
    Ok(counted.into_iter().take(limit).map(|(ending, _)| phrase(ending)).collect())
}

/// `word` if a name has it, or else the most frequent one near it.
fn corrected(segments: &[Segment<'_>], word: &Word) -> Result<Option<Word>, SearchError> {
    for way in [Way::Exact, word.widest(Stage::Fuzzy)] {
        if let Some((text, _)) = frequencies(segments, word, way)?.into_iter().next() {
            return Ok(Some(Word { text, last: false }));
        }
    }
    Ok(None)
}

/// The words of names that answer `word` in `way`, the most frequent first.
fn frequencies(segments: &[Segment<'_>], word: &Word, way: Way) -> Result<Vec<(String, u64)>, SearchError> {
    let mut found: HashMap<String, u64> = HashMap::new();
    for segment in segments {
        let index = segment.reader.inverted_index(segment.fields.name)?;
        let mut rest = LOOKED_AT;
        visit_terms(&index, segment.fields.name, word, way, &mut |term, info| {
            *found.entry(String::from_utf8_lossy(term).into_owned()).or_default() += u64::from(info.doc_freq);
            rest -= 1;
            Ok(if rest == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    let mut found: Vec<_> = found.into_iter().collect();
    sort(&mut found);
    Ok(found)
}

fn sort(words: &mut [(String, u64)]) {
    words.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
}

/// `endings` with the number of names that have them and all of `before`, deleted products left out.
fn together(
    segments: &[Segment<'_>],
    before: &[Word],
    endings: Vec<(String, u64)>,
) -> Result<Vec<(String, u64)>, SearchError> {
    if before.is_empty() && segments.iter().all(|segment| !segment.reader.has_deletes()) {
        return Ok(endings);
    }
    let mut counted: Vec<_> = endings.into_iter().map(|(ending, _)| (ending, 0)).collect();
    for segment in segments {
        let field = segment.fields.name;
        let mut with_before = segment.alive();
        for word in before {
            let bits = segment.answering(field, word, Way::Exact)?;
            with_before.keep(&bits.unwrap_or_else(|| Bits::none(segment.size())));
        }
        let index = segment.reader.inverted_index(field)?;
        for (ending, count) in &mut counted {
            if let Some(info) = index.get_term_info(&Term::from_field_text(field, ending))? {
                let mut bits = Bits::none(segment.size());
                segment.read(&index, &info, &mut bits)?;
                *count += with_before.count_both(&bits);
            }
        }
    }
    Ok(counted)
}
