//! The generated catalogue: product `n` of a seed is the same on every machine, today and later.

use farmlokal_catalog::store::bulk::BulkProduct;
use farmlokal_catalog::{Currency, Invalid, NewProduct, Price, ProductId, Timestamp};

use crate::splitmix::SplitMix64;
use crate::vocabulary::{FARMS, Kind, NAMES, PLACES, Pack, SHELVES, Shelf};

/// 2024-01-01T00:00:00Z in minutes since 1970: products are made from here on …
const FIRST_MINUTE: i64 = 28_401_120;
/// … for two years: the last one before 2026-01-01T00:00:00Z.
const MINUTES: u32 = 731 * 24 * 60;
/// The least and the greatest price, in paise.
const PRICES: (u32, u32) = (1_000, 50_000);
/// Most products can be had.
const MOST_STOCK: u32 = 500;

/// Generates the products of one seed, in any order and from any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generator {
    seed: u64,
}

impl Generator {
    /// The generator of the products of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Product `n`, from 1 up; depends on the seed and `n` only. Refuses 0 and what no id can hold.
    pub fn product(&self, n: u64) -> Result<BulkProduct, Invalid> {
        let id = ProductId::new(i64::try_from(n).unwrap_or_default())?;
        let mut dice = SplitMix64::nth_of(self.seed, n);
        let shelf = shelf(&mut dice);
        let kind = pick(&mut dice, shelf.kinds)?;
        let quality = pick(&mut dice, shelf.qualities)?;
        let pack = pick(&mut dice, kind.packs)?;
        let (producer, place) = producer(&mut dice)?;
        let details = NewProduct {
            name: name(&mut dice, quality.0, kind, place)?.parse()?,
            description: description(&mut dice, shelf, place)?.parse()?,
            category: shelf.category.parse()?,
            price: price(&mut dice, kind, quality.1, pack)?,
            currency: Currency::default(),
            unit: pack.0.parse()?,
            producer: producer.parse()?,
            stock: if dice.one_in(20) { 0 } else { dice.below(MOST_STOCK + 1) },
        };
        Ok(BulkProduct { id, details, created_at: created_at(&mut dice)? })
    }

    /// The products `first` to `last`, both included.
    pub fn products(&self, first: u64, last: u64) -> Result<Vec<BulkProduct>, Invalid> {
        (first..=last).map(|n| self.product(n)).collect()
    }
}

fn pick<'a, T>(dice: &mut SplitMix64, items: &'a [T]) -> Result<&'a T, Invalid> {
    dice.pick(items).ok_or_else(|| Invalid::new("vocabulary", "must have no empty table"))
}

/// A shelf, as often as its share says.
fn shelf(dice: &mut SplitMix64) -> &'static Shelf {
    let mut ticket = dice.below(100);
    let [first, others @ ..] = &SHELVES;
    for shelf in others {
        if ticket < shelf.share {
            return shelf;
        }
        ticket -= shelf.share;
    }
    first
}

/// "Organic Alphonso Mangoes", and for one in four " from Ratnagiri".
fn name(dice: &mut SplitMix64, quality: &str, kind: &Kind, place: &str) -> Result<String, Invalid> {
    let variety = pick(dice, kind.varieties)?;
    let mut name = String::with_capacity(80);
    name.extend([quality, " ", variety, " ", kind.name]);
    if dice.one_in(4) {
        name.extend([" from ", place]);
    }
    Ok(name)
}

/// One sentence, and for one in fifty the code of its lot: a word that hardly any other product has.
fn description(dice: &mut SplitMix64, shelf: &Shelf, place: &str) -> Result<String, Invalid> {
    let [origin, care, usage] = [pick(dice, shelf.origins)?, pick(dice, shelf.cares)?, pick(dice, shelf.uses)?];
    let mut text = String::with_capacity(128);
    text.extend([origin, " near ", place, ", ", care, "; ", usage, "."]);
    if dice.one_in(50) {
        text.push_str(" (LOT-");
        let code = dice.next();
        // Crockford's base 32: no letter that looks like a digit.
        let digit = |n: u32| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(code >> (5 * n)) as usize & 31]);
        text.extend((0..5).map(digit));
        text.push(')');
    }
    Ok(text)
}

/// One of two thousand, and where it is.
fn producer(dice: &mut SplitMix64) -> Result<(String, &'static str), Invalid> {
    let (name, place) = (pick(dice, &NAMES)?, pick(dice, &PLACES)?);
    // What a producer runs follows from its name and place, so that it is the same on all its products.
    let letters = name.bytes().chain(place.bytes()).map(u64::from).sum();
    let farm = pick(&mut SplitMix64::new(letters), &FARMS)?;
    let mut producer = String::with_capacity(64);
    producer.extend([name, " ", farm, ", ", place]);
    Ok((producer, place))
}

/// What it is × how good × how much, give or take a fifth, as prices are written: mostly whole rupees.
fn price(dice: &mut SplitMix64, kind: &Kind, quality: u32, pack: &Pack) -> Result<Price, Invalid> {
    let noise = 80 + dice.below(41);
    let rupees = u64::from(kind.rupees) * u64::from(quality * pack.1) * u64::from(noise) / 1_000_000;
    let paise = [0, 0, 0, 0, 50, 50, 99, 25];
    let minor = rupees as u32 * 100 + pick(dice, &paise)?;
    let minor = minor.clamp(PRICES.0, PRICES.1);
    Price::from_minor(minor.into()).ok_or_else(|| Invalid::new("price", "must be in range"))
}

/// A whole minute within the two years, whatever the number of the product.
fn created_at(dice: &mut SplitMix64) -> Result<Timestamp, Invalid> {
    let minute = FIRST_MINUTE + i64::from(dice.below(MINUTES));
    Timestamp::from_micros(minute * 60_000_000).ok_or_else(|| Invalid::new("createdAt", "must be in range"))
}

#[cfg(test)]
mod tests;
