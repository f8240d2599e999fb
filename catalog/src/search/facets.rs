//! How many matches there are per category and price band.

use std::collections::BTreeMap;

use tantivy::Term;
use tantivy::columnar::StrColumn;

use super::SearchError;
use super::bits::{BLOCK, Bits};
use super::fields::{CATEGORY, PRICE};
use super::matching::Matching;
use super::segment::{Segment, read};
use crate::{Category, Price, PriceRange};

/// Where price bands begin, in hundredths; the last one has no end.
const BANDS: [i64; 6] = [0, 2_500, 5_000, 10_000, 20_000, 50_000];

/// How the matches of a search are spread. Both lists add up to the number of matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// The categories that have matches, and how many; most matches first, then by name.
    pub categories: Vec<(Category, u64)>,
    /// Every price band and how many matches it has, the cheapest first. The bands do not overlap.
    pub prices: Vec<(PriceRange, u64)>,
}

impl Facets {
    /// The facets of `found`.
    pub(super) fn of(found: &Matching<'_>) -> Result<Self, SearchError> {
        let mut categories = BTreeMap::new();
        let mut bands = [0; BANDS.len()];
        for (segment, bits) in &found.segments {
            count_categories(*segment, bits, &mut categories)?;
            count_bands(*segment, bits, &mut bands)?;
        }
        Ok(Self { categories: by_count(categories), prices: ranges().into_iter().zip(bands).collect() })
    }
}

/// Adds how many of `bits` each category has. The engine knows how many all documents are; so it is the
/// others that are counted if they are fewer.
fn count_categories(
    segment: Segment<'_>,
    bits: &Bits,
    categories: &mut BTreeMap<String, u64>,
) -> Result<(), SearchError> {
    let mut others = Bits::all(segment.size());
    others.drop_all(bits);
    let turned = others.count() < bits.count();
    let names = segment.texts(CATEGORY)?;
    let counted = by_ordinal(&names, if turned { &others } else { bits });
    let index = segment.reader.inverted_index(segment.fields.category)?;
    for (ordinal, counted) in (0..).zip(counted) {
        let mut name = String::new();
        names.ord_to_str(ordinal, &mut name)?;
        let term = Term::from_field_text(segment.fields.category, &name);
        let found = if turned { u64::from(index.doc_freq(&term)?).saturating_sub(counted) } else { counted };
        if found > 0 {
            *categories.entry(name).or_insert(0) += found;
        }
    }
    Ok(())
}

/// How many of `bits` each category has, by the categories' ordinals in `names`.
fn by_ordinal(names: &StrColumn, bits: &Bits) -> Vec<u64> {
    let ordinals = names.ords().clone().first_or_default_col(0);
    let (mut counts, mut values) = (vec![0; names.num_terms()], [0; BLOCK]);
    bits.blocks(|block| {
        let ordinals = read(&*ordinals, block, &mut values).iter();
        ordinals.filter_map(|ordinal| usize::try_from(*ordinal).ok()).for_each(|ordinal| {
            counts.get_mut(ordinal).into_iter().for_each(|count| *count += 1);
        });
    });
    counts
}

/// Adds how many of `bits` each price band has.
fn count_bands(segment: Segment<'_>, bits: &Bits, bands: &mut [u64; BANDS.len()]) -> Result<(), SearchError> {
    let prices = segment.numbers(PRICE)?;
    let starts = BANDS.map(i64::unsigned_abs);
    // So many from each start on: sums that stay in registers, and no branch.
    let (mut from, mut values) = ([0; BANDS.len()], [0; BLOCK]);
    bits.blocks(|block| {
        for price in read(&*prices, block, &mut values) {
            from.iter_mut().zip(starts).for_each(|(count, start)| *count += u64::from(*price >= start));
        }
    });
    let next = from.into_iter().skip(1).chain([0]);
    bands.iter_mut().zip(from.into_iter().zip(next)).for_each(|(band, (from, next))| *band += from - next);
    Ok(())
}

fn by_count(categories: BTreeMap<String, u64>) -> Vec<(Category, u64)> {
    let mut categories: Vec<_> =
        categories.into_iter().filter_map(|(name, count)| Some((name.parse().ok()?, count))).collect();
    // Stable, so that equal counts stay in the order of the names.
    categories.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    categories
}

fn ranges() -> Vec<PriceRange> {
    let ends = BANDS.iter().skip(1).map(|next| Price::from_minor(next - 1)).chain([None]);
    BANDS.iter().zip(ends).filter_map(|(start, end)| PriceRange::new(Price::from_minor(*start), end).ok()).collect()
}
