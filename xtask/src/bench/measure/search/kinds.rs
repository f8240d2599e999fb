//! What is searched for, a line each.

use farmlokal_catalog::{Filter, Invalid, Order, PriceRange, Query, SearchText};

use crate::bench::measure::ask::{Ask, Listing};
use crate::bench::measure::draw::Draw;

/// A kind of request.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The next request of it.
    pub(super) draw: fn(&mut Draw) -> Result<Ask, Invalid>,
}

/// The kinds that targets are about.
pub(super) const MIXED: &str = "mixed searches";
pub(super) const SUGGESTIONS: &str = "suggestions";

/// Letters that no word has twelve of.
const FOREIGN: &[u8] = b"qxzjvkw";

const fn kind(name: &'static str, draw: fn(&mut Draw) -> Result<Ask, Invalid>) -> Kind {
    Kind { name, draw }
}

/// Every kind.
pub(super) const KINDS: &[Kind] = &[
    kind("rare word", rare),
    kind("common word", common),
    kind("common word, `sort=price`", common_by_price),
    kind("two words", two_words),
    kind("beginning of a word", beginning),
    kind("misspelt", misspelt),
    kind("none matching", none),
    kind(MIXED, mixed),
    kind(SUGGESTIONS, suggestion),
    kind("facets of everything", |_| Ok(Ask::listing(Listing::first(Filter::default(), None)?, 20..=20).spread())),
    kind("facets of a category", |draw| Ok(Ask::listing(Listing::first(category(draw)?, None)?, 20..=20).spread())),
    kind("facets of a common word", |draw| Ok(common(draw)?.spread())),
    kind("price range, `sort=name`", by_name),
];

/// The kinds that stand in the issue, as likely as each other.
fn mixed(draw: &mut Draw) -> Result<Ask, Invalid> {
    let kinds = [rare, common, two_words, misspelt, none, common_by_price];
    kinds[draw.below(kinds.len() as u64) as usize](draw)
}

fn search(text: &str, order: Option<Order>, rows: std::ops::RangeInclusive<usize>) -> Result<Ask, Invalid> {
    let text: SearchText = text.parse()?;
    let query = Query::new(Filter::default(), Some(text), order)?;
    Ok(Ask::listing(Listing::of(query), rows))
}

fn rare(draw: &mut Draw) -> Result<Ask, Invalid> {
    search(&draw.lot()?, None, 1..=20)
}

fn common(draw: &mut Draw) -> Result<Ask, Invalid> {
    search(&quality(draw)?, None, 20..=20)
}

fn common_by_price(draw: &mut Draw) -> Result<Ask, Invalid> {
    search(&quality(draw)?, Some("price".parse()?), 20..=20)
}

/// The variety and the kind of a product: `Alphonso Mangoes`.
fn two_words(draw: &mut Draw) -> Result<Ask, Invalid> {
    let name = draw.product()?.details.name;
    let (kind, _place) = name.as_str().split_once(" from ").unwrap_or((name.as_str(), ""));
    let words: Vec<&str> = kind.split(' ').collect();
    search(&words[words.len().saturating_sub(2)..].join(" "), None, 1..=20)
}

fn beginning(draw: &mut Draw) -> Result<Ask, Invalid> {
    let place = draw.product()?.details.producer;
    search(&place.as_str().chars().take(3).collect::<String>(), None, 1..=20)
}

/// A word of a name with two neighbours swapped, which is one edit.
fn misspelt(draw: &mut Draw) -> Result<Ask, Invalid> {
    search(&swapped(draw)?, None, 1..=20)
}

/// Letters at random: looked for as they are, then as a misspelling of every word.
fn none(draw: &mut Draw) -> Result<Ask, Invalid> {
    let letters = (0..12).map(|_| char::from(FOREIGN[draw.below(FOREIGN.len() as u64) as usize]));
    search(&letters.collect::<String>(), None, 0..=0)
}

/// The first letters of a name, one in four with a mistake.
fn suggestion(draw: &mut Draw) -> Result<Ask, Invalid> {
    if draw.below(4) == 0 {
        return Ok(Ask::suggestions(&swapped(draw)?));
    }
    let name = draw.product()?.details.name;
    let letters = 2 + draw.below(10) as usize;
    Ok(Ask::suggestions(name.as_str().chars().take(letters).collect::<String>().trim()))
}

fn by_name(draw: &mut Draw) -> Result<Ask, Invalid> {
    let (price, width) = (draw.product()?.details.price, draw.any_width());
    let filter = Filter { category: None, price: draw.around(price, width)? };
    Ok(Ask::listing(Listing::first(filter, Some("name".parse()?))?, 1..=20))
}

fn category(draw: &mut Draw) -> Result<Filter, Invalid> {
    Ok(Filter { category: Some(draw.product()?.details.category), price: PriceRange::default() })
}

/// First word of many products' names: `Organic`. Not `A2`, which is also a word of two letters.
fn quality(draw: &mut Draw) -> Result<String, Invalid> {
    word(draw, |word| word.len() > 2, |words| words.next())
}

/// A word of a name that is long enough to be forgiven, with two neighbours in it swapped.
fn swapped(draw: &mut Draw) -> Result<String, Invalid> {
    let long = |word: &str| word.len() >= 6 && word.bytes().all(|letter| letter.is_ascii_alphabetic());
    let word = word(draw, long, |words| words.next_back())?;
    let mut letters: Vec<char> = word.chars().collect();
    let at = 1 + draw.below(letters.len() as u64 - 3) as usize;
    letters.swap(at, at + 1);
    Ok(letters.into_iter().collect())
}

/// The word that `which` picks of a product's name, if it is `fit`; else one of the next product's.
fn word(
    draw: &mut Draw,
    fit: impl Fn(&str) -> bool,
    which: impl for<'a> Fn(&mut std::str::Split<'a, char>) -> Option<&'a str>,
) -> Result<String, Invalid> {
    loop {
        let name = draw.product()?.details.name;
        if let Some(word) = which(&mut name.as_str().split(' ')).filter(|word| fit(word)) {
            return Ok(word.to_owned());
        }
    }
}
