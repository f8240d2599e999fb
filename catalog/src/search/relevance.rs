//! How well a product answers a search: a function of the two and nothing else.
//!
//! There are no frequencies and no other statistics of the index in a score, so a product that is not
//! written keeps its place while others are, through merges and restarts and on every replica. That is
//! what lets a page start at `(score, id)`.

use tantivy::schema::Field;

use super::SearchError;
use super::bits::{BLOCK, Bits};
use super::fields::{self, Fields, NAME_LENGTH};
use super::segment::{Segment, read};
use super::top::Top;
use super::word::{Stage, Way, Word};

/// What a word is worth found in the name, in the producer, in the description; the best counts.
fn worth(way: Way) -> [u64; 3] {
    match way {
        Way::Exact => [100, 50, 20],
        Way::Prefix => [80, 40, 15],
        Way::Edits(1) => [30, 12, 5],
        Way::Edits(_) => [24, 10, 4],
    }
}

/// The score of a product whose words are worth `sum` together: shorter names first among equals.
pub(super) fn score(sum: u64, name_length: u64) -> u64 {
    sum * 256 + (255 - name_length.min(255))
}

/// One way in which a word may be answered, in one place.
#[derive(Clone, Copy)]
struct Step {
    worth: u64,
    field: Field,
    way: Way,
    /// The least of all, which every match reaches.
    ground: bool,
}

/// The steps of `word`, the best first. The last one, a match of the widest way anywhere, is the
/// condition for matching at all.
fn steps(word: &Word, stage: Stage, fields: Fields) -> Vec<Step> {
    let places = [fields.name, fields.producer, fields.any];
    let mut steps: Vec<_> = (word.ways(stage).into_iter())
        .flat_map(|way| {
            places.into_iter().zip(worth(way)).map(move |(field, worth)| Step { worth, field, way, ground: false })
        })
        .collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.worth));
    if let Some(last) = steps.last_mut() {
        last.ground = true;
    }
    steps
}

/// What a word is worth in the documents of a segment, found out step by step and only as far as needed.
struct Ladder<'a> {
    segment: Segment<'a>,
    word: &'a Word,
    ahead: std::vec::IntoIter<Step>,
    /// Worth and documents of the steps gone, but for those that no document reaches.
    gone: Vec<(u64, Option<Bits>)>,
}

impl<'a> Ladder<'a> {
    fn new(segment: Segment<'a>, word: &'a Word, stage: Stage) -> Self {
        Self { segment, word, ahead: steps(word, stage, segment.fields).into_iter(), gone: Vec::new() }
    }

    /// Goes to the next step that some document reaches; `false` when there is none.
    fn step(&mut self) -> Result<bool, SearchError> {
        for step in self.ahead.by_ref() {
            if step.ground {
                self.gone.push((step.worth, None));
                return Ok(true);
            }
            if let Some(bits) = self.segment.answering(step.field, self.word, step.way)? {
                self.gone.push((step.worth, Some(bits)));
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn worth(&self, document: u32) -> u64 {
        let reached = |bits: &Option<Bits>| bits.as_ref().is_none_or(|bits| bits.contains(document));
        self.gone.iter().find(|(_, bits)| reached(bits)).map_or(0, |(worth, _)| *worth)
    }
}

/// Offers `matches` to `top`, by score and id. First come those that have every word where it is worth
/// most; if they fill the page, the others need not be scored.
pub(super) fn rank(
    segment: Segment<'_>,
    words: &[Word],
    stage: Stage,
    matches: &Bits,
    top: &mut Top,
) -> Result<(), SearchError> {
    let mut ladders: Vec<_> = words.iter().map(|word| Ladder::new(segment, word, stage)).collect();
    let (mut best, mut most) = (matches.clone(), 0);
    for ladder in &mut ladders {
        ladder.step()?;
        if let Some((worth, bits)) = ladder.gone.last() {
            most += worth;
            bits.iter().for_each(|bits| best.keep(bits));
        }
    }
    // Behind a position below them all they would be scored in vain.
    if !top.floor() >= score(most, u64::MAX) {
        offer(segment, &best, |_| most, top)?;
        if top.is_full() {
            return Ok(());
        }
    }
    for ladder in &mut ladders {
        while ladder.step()? {}
    }
    let mut others = matches.clone();
    others.drop_all(&best);
    offer(segment, &others, |document| ladders.iter().map(|ladder| ladder.worth(document)).sum(), top)
}

fn offer(segment: Segment<'_>, documents: &Bits, sum: impl Fn(u32) -> u64, top: &mut Top) -> Result<(), SearchError> {
    let (lengths, ids) = (segment.numbers(NAME_LENGTH)?, segment.numbers(fields::ID)?);
    let (floor, mut values) = (top.floor(), [0; BLOCK]);
    documents.blocks(|block| {
        for (document, length) in block.iter().zip(read(&*lengths, block, &mut values)) {
            let key = !score(sum(*document), *length);
            if (floor..=top.ceiling()).contains(&key) {
                top.offer((key, ids.get_val(*document)));
            }
        }
    });
    Ok(())
}
