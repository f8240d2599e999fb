//! How many matches there are per category and price band.

use std::collections::BTreeMap;

use super::SearchError;
use super::bits::BLOCK;
use super::fields::{CATEGORY, PRICE};
use super::matching::Matching;
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
            let (names, prices) = (segment.texts(CATEGORY)?, segment.numbers(PRICE)?);
            let ordinals = names.ords().clone().first_or_default_col(0);
            let mut counts = vec![0; names.num_terms()];
            let mut values = [0; BLOCK];
            bits.blocks(|block| {
                let values = &mut values[..block.len()];
                ordinals.get_vals(block, values);
                values.iter().filter_map(|ordinal| usize::try_from(*ordinal).ok()).for_each(|ordinal| {
                    counts.get_mut(ordinal).into_iter().for_each(|count| *count += 1);
                });
                prices.get_vals(block, values);
                values.iter().for_each(|price| bands[band(*price)] += 1);
            });
            let mut name = String::new();
            for (ordinal, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                names.ord_to_str(ordinal, &mut name)?;
                *categories.entry(name.clone()).or_insert(0) += count;
            }
        }
        Ok(Self { categories: by_count(categories), prices: ranges().into_iter().zip(bands).collect() })
    }
}

fn band(price: u64) -> usize {
    BANDS.iter().skip(1).filter(|start| price >= start.unsigned_abs()).count()
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
