//! The words products are made of, a file a shelf, and where their producers live.

mod dairy;
mod fruits;
mod grains;
mod poultry;
mod producers;
mod vegetables;

pub(crate) use producers::{FARMS, NAMES, PLACES};

/// A category and everything that is said on it.
pub(crate) struct Shelf {
    /// The category's name.
    pub(crate) category: &'static str,
    /// How many of a hundred products stand on it.
    pub(crate) share: u32,
    /// What a product may be called first, and what of 100 that does to its price.
    pub(crate) qualities: &'static [(&'static str, u32)],
    /// The products.
    pub(crate) kinds: &'static [Kind],
    /// How a product came to be: the beginning of a sentence that goes on with a place.
    pub(crate) origins: &'static [&'static str],
    /// What was done with it since.
    pub(crate) cares: &'static [&'static str],
    /// What it is good for: the end of the sentence.
    pub(crate) uses: &'static [&'static str],
}

/// A product in all its varieties.
pub(crate) struct Kind {
    /// Its name, in the number it is sold in.
    pub(crate) name: &'static str,
    /// What comes before the name, if anything.
    pub(crate) varieties: &'static [&'static str],
    /// Rupees for one pack of the factor 100.
    pub(crate) rupees: u32,
    /// How it is packed.
    pub(crate) packs: &'static [Pack],
}

/// A unit of sale, and what of 100 it costs.
pub(crate) type Pack = (&'static str, u32);

/// Every shelf; the shares add up to a hundred.
pub(crate) const SHELVES: [Shelf; 5] = [fruits::SHELF, vegetables::SHELF, dairy::SHELF, grains::SHELF, poultry::SHELF];

/// A product named `name` in `varieties`, at `rupees` for the pack of the factor 100.
const fn kind(name: &'static str, varieties: &'static [&'static str], rupees: u32, packs: &'static [Pack]) -> Kind {
    Kind { name, varieties, rupees, packs }
}

/// Loose goods, priced for a kilogram.
const BY_WEIGHT: &[Pack] = &[("250 g", 28), ("500 g", 53), ("1 kg", 100), ("2 kg", 190)];
/// Staples, priced for a kilogram.
const IN_BAGS: &[Pack] = &[("500 g", 53), ("1 kg", 100), ("2 kg", 195), ("5 kg", 470)];
/// Meat, priced for a kilogram.
const IN_PARCELS: &[Pack] = &[("250 g", 28), ("500 g", 53), ("1 kg", 100)];
/// Dear goods, priced for 500 g.
const IN_PUNNETS: &[Pack] = &[("125 g", 28), ("200 g", 43), ("250 g", 53), ("500 g", 100)];
/// What is counted, priced for six.
const BY_PIECE: &[Pack] = &[("2 pieces", 36), ("4 pieces", 70), ("6 pieces", 100), ("dozen", 190)];
/// Single large fruit and heads.
const SINGLE: &[Pack] = &[("piece", 100), ("2 pieces", 190)];
/// Leaves and stalks.
const IN_BUNCHES: &[Pack] = &[("bunch", 100), ("2 bunches", 185), ("250 g", 120)];
/// Fluids, priced for a litre.
const BY_VOLUME: &[Pack] = &[("200 ml", 24), ("500 ml", 52), ("1 litre", 100), ("2 litres", 195)];
/// Fats and spreads, priced for 500 g or 500 ml.
const IN_JARS: &[Pack] = &[("100 g", 23), ("200 g", 43), ("250 g", 53), ("500 g", 100)];
/// Eggs, priced for a dozen.
const IN_TRAYS: &[Pack] = &[("6 eggs", 54), ("10 eggs", 85), ("12 eggs", 100), ("30 eggs", 235)];

#[cfg(test)]
mod tests {
    use super::*;

    fn chars<'a>(words: impl IntoIterator<Item = &'a &'static str>) -> (usize, usize) {
        let lengths = || -> Vec<usize> { words.into_iter().map(|word| word.chars().count()).collect() };
        let lengths = lengths();
        (*lengths.iter().min().unwrap(), *lengths.iter().max().unwrap())
    }

    #[test]
    fn a_description_has_60_to_120_characters_whatever_is_drawn() {
        let places = chars(&PLACES);
        for shelf in SHELVES {
            let parts = [chars(shelf.origins), chars(shelf.cares), chars(shelf.uses), places];
            let shortest: usize = parts.iter().map(|part| part.0).sum::<usize>() + " near , ; .".len();
            let longest: usize = parts.iter().map(|part| part.1).sum::<usize>() + " near , ; . (LOT-00000)".len();
            assert!(shortest >= 60 && longest <= 120, "{}: {shortest} to {longest}", shelf.category);
        }
    }

    #[test]
    fn there_is_something_of_everything() {
        assert_eq!(SHELVES.iter().map(|shelf| shelf.share).sum::<u32>(), 100);
        assert_eq!(NAMES.len() * PLACES.len(), 2_000);
        for shelf in SHELVES {
            assert!(shelf.kinds.iter().all(|kind| !kind.packs.is_empty() && !kind.varieties.is_empty()));
        }
    }
}
