//! Which documents answer a search, before filters and order.

use tantivy::Searcher;

use super::SearchError;
use super::bits::Bits;
use super::fields::Fields;
use super::segment::Segment;
use super::word::{Stage, Word};
use crate::{Filter, SearchText};

/// The documents that answer a search, or all when there is none, segment by segment.
pub(super) struct Matching<'a> {
    /// The words looked for; none without a search.
    pub(super) words: Vec<Word>,
    /// How they were understood.
    pub(super) stage: Stage,
    /// What answers, deleted documents left out.
    pub(super) segments: Vec<(Segment<'a>, Bits)>,
}

impl<'a> Matching<'a> {
    /// What answers `search` in `stage`. Without a stage it is found out: misspellings are forgiven if
    /// no product of the whole catalogue, filters aside, has the words as they are.
    pub(super) fn find(
        searcher: &'a Searcher,
        fields: Fields,
        search: Option<&SearchText>,
        stage: Option<Stage>,
    ) -> Result<Self, SearchError> {
        let segments: Vec<_> = searcher.segment_readers().iter().map(|reader| Segment { reader, fields }).collect();
        let Some(search) = search else {
            let segments = segments.into_iter().map(|segment| (segment, segment.alive())).collect();
            return Ok(Self { words: Vec::new(), stage: Stage::Exact, segments });
        };
        let words = Word::of(search);
        let forgiving = words.iter().any(|word| word.edits() > 0);
        let (stage, alone) = stage.map_or((Stage::Exact, forgiving), |stage| (stage, false));
        let mut found = Self { segments: answering(&segments, &words, stage)?, words, stage };
        if alone && found.segments.is_empty() {
            found.stage = Stage::Fuzzy;
            found.segments = answering(&segments, &found.words, Stage::Fuzzy)?;
        }
        Ok(found)
    }

    /// Takes out what `filter` does not want.
    pub(super) fn narrowed(mut self, filter: &Filter) -> Result<Self, SearchError> {
        for (segment, bits) in &mut self.segments {
            segment.narrow(bits, filter)?;
        }
        self.segments.retain(|(_, bits)| !bits.is_empty());
        Ok(self)
    }
}

/// The segments that have documents with every one of `words`, and which those are.
fn answering<'a>(
    segments: &[Segment<'a>],
    words: &[Word],
    stage: Stage,
) -> Result<Vec<(Segment<'a>, Bits)>, SearchError> {
    let mut found = Vec::new();
    for segment in segments {
        if let Some(mut bits) = with_all(segment, words, stage)? {
            segment.keep_alive(&mut bits);
            if !bits.is_empty() {
                found.push((*segment, bits));
            }
        }
    }
    Ok(found)
}

fn with_all(segment: &Segment<'_>, words: &[Word], stage: Stage) -> Result<Option<Bits>, SearchError> {
    let mut all: Option<Bits> = None;
    for word in words {
        let Some(bits) = segment.answering(segment.fields.any, word, word.widest(stage))? else { return Ok(None) };
        match &mut all {
            Some(all) => all.keep(&bits),
            None => all = Some(bits),
        }
    }
    Ok(all)
}
