//! Matches in an order, from a position on.

use tantivy::columnar::StrColumn;

use super::bits::{BLOCK, Bits};
use super::fields::{self, CREATED, ID, NAME_KEY, PRICE};
use super::matching::Matching;
use super::segment::{Numbers, Segment, read};
use super::top::{Rank, Top};
use super::{SearchError, name_order, relevance};
use crate::{Direction, NameKey, Order, Position, ProductId, SortKey};

/// What matches are compared by, across segments.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(u64),
    Name(String),
}

/// The first `limit` of `found` in `order` behind `after`, with their positions.
pub(super) fn first(
    found: &Matching<'_>,
    order: Order,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<(ProductId, Position)>, SearchError> {
    if after.is_some_and(|after| !after.fits(order)) {
        return Err(SearchError::Position);
    }
    let mut hits = Vec::new();
    for (segment, bits) in &found.segments {
        hits.extend(match order {
            Order::Relevance => by_score(found, *segment, bits, after, limit)?,
            Order::By(SortKey::Name, direction) => by_name(*segment, bits, direction, after, limit)?,
            Order::By(key, direction) => by_number(*segment, bits, key, direction, after, limit)?,
        });
    }
    hits.sort_unstable();
    if let Order::By(_, Direction::Descending) = order {
        hits.reverse();
    }
    hits.truncate(limit);
    Ok(hits.into_iter().filter_map(|(key, id)| Some((fields::id_of(id)?, position(order, key, id)?))).collect())
}

/// Where a page ends that ends at `key` and `id`.
fn position(order: Order, key: Key, id: u64) -> Option<Position> {
    let id = fields::id_of(id)?;
    Some(match (order, key) {
        (Order::Relevance, Key::Number(key)) => Position::Relevance((!key as f64).to_bits(), id),
        (Order::By(SortKey::Price, _), Key::Number(key)) => Position::Price(fields::price_of(key)?, id),
        (Order::By(SortKey::CreatedAt, _), Key::Number(key)) => Position::CreatedAt(fields::created_of(key)?, id),
        (Order::By(SortKey::Id, _), _) => Position::Id(id),
        (_, Key::Name(key)) => Position::Name(NameKey::from_stored(&key)?, id),
        _ => return None,
    })
}

fn by_score(
    found: &Matching<'_>,
    segment: Segment<'_>,
    bits: &Bits,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<(Key, u64)>, SearchError> {
    let after = match after {
        // Scores are whole numbers far below 2^53, so nothing is lost either way.
        Some(Position::Relevance(score, id)) => Some((!(f64::from_bits(*score) as u64), fields::id_value(*id))),
        _ => None,
    };
    let mut top = Top::new(limit, after);
    relevance::rank(segment, &found.words, found.stage, bits, &mut top)?;
    Ok(top.into_sorted().into_iter().map(|(key, id)| (Key::Number(key), id)).collect())
}

fn by_number(
    segment: Segment<'_>,
    bits: &Bits,
    key: SortKey,
    direction: Direction,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<(Key, u64)>, SearchError> {
    let after = after.and_then(|after| match after {
        Position::Id(id) => Some((fields::id_value(*id), *id)),
        Position::Price(price, id) => Some((fields::price_value(*price), *id)),
        Position::CreatedAt(at, id) => Some((fields::created_value(*at), *id)),
        _ => None,
    });
    let after = after.map(|(key, id)| turned((key, fields::id_value(id)), direction));
    let column = match key {
        SortKey::Price => PRICE,
        SortKey::CreatedAt => CREATED,
        SortKey::Id | SortKey::Name => ID,
    };
    let ranks = ranked(segment, bits, &segment.numbers(column)?, direction, after, limit)?;
    Ok(ranks.into_iter().map(|(key, id)| (Key::Number(key), id)).collect())
}

/// By name: within a segment the ordinals of its names are in the names' order; across segments the
/// few names that are left are compared themselves.
fn by_name(
    segment: Segment<'_>,
    bits: &Bits,
    direction: Direction,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<(Key, u64)>, SearchError> {
    let names: StrColumn = segment.texts(NAME_KEY)?;
    let after = match after {
        Some(Position::Name(name, id)) => name_order::behind(&names, name, *id, direction)?,
        _ => None,
    };
    let ordinals = names.ords().clone().first_or_default_col(0);
    let ranks = ranked(segment, bits, &ordinals, direction, after, limit)?;
    let texts = name_order::texts(&names, ranks.iter().map(|(ordinal, _)| *ordinal))?;
    Ok(texts.into_iter().zip(ranks).map(|(text, (_, id))| (Key::Name(text), id)).collect())
}

/// Keys and ids of the first `limit` of `bits` by `keys` behind `after`.
fn ranked(
    segment: Segment<'_>,
    bits: &Bits,
    keys: &Numbers,
    direction: Direction,
    after: Option<Rank>,
    limit: usize,
) -> Result<Vec<Rank>, SearchError> {
    let ids = segment.numbers(ID)?;
    let mut top = Top::new(limit, after);
    let floor = top.floor();
    let mut values = [0; BLOCK];
    bits.blocks(|block| {
        for (document, key) in block.iter().zip(read(&**keys, block, &mut values)) {
            let (key, _) = turned((*key, 0), direction);
            if (floor..=top.ceiling()).contains(&key) {
                let (_, id) = turned((0, ids.get_val(*document)), direction);
                top.offer((key, id));
            }
        }
    });
    Ok(top.into_sorted().into_iter().map(|rank| turned(rank, direction)).collect())
}

/// `rank` so that smaller comes first; twice is once not.
pub(super) fn turned((key, id): Rank, direction: Direction) -> Rank {
    match direction {
        Direction::Ascending => (key, id),
        Direction::Descending => (!key, !id),
    }
}
