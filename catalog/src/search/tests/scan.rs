//! The same answers by looking at every product.

use super::super::relevance::score;
use super::*;
use crate::text::{fold, words};
use crate::{Direction, SortKey};

pub(super) fn words_of(text: &str) -> Vec<String> {
    words(&fold(text)).map(str::to_owned).collect()
}

/// Optimal string alignment distances from `a` to every beginning of `b`.
fn distances(a: &str, b: &str) -> Vec<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len()].clone()
}

fn forgiven(word: &str) -> usize {
    match word.chars().count() {
        _ if word.chars().any(char::is_numeric) => 0,
        5..=8 => 1,
        9..=40 => 2,
        _ => 0,
    }
}

/// 0 exact, 1 prefix, 2 and 3 that many edits less one.
fn way(asked: &str, last: bool, word: &str, stage: Stage) -> Option<usize> {
    if asked == word {
        return Some(0);
    }
    if last && word.starts_with(asked) {
        return Some(1);
    }
    let distances = distances(asked, word);
    let edits = if last { distances.into_iter().min()? } else { *distances.last()? };
    (stage == Stage::Fuzzy && edits <= forgiven(asked)).then_some(edits + 1)
}

const WORTH: [[u64; 3]; 4] = [[100, 50, 20], [80, 40, 15], [30, 12, 5], [24, 10, 4]];

/// The score of `product`, if it matches.
fn score_of(product: &Product, asked: &[String], stage: Stage) -> Option<u64> {
    let details = &product.details;
    let places = [details.name.as_str(), details.producer.as_str(), details.description.as_str()].map(words_of);
    let mut sum = 0;
    for (at, asked_word) in asked.iter().enumerate() {
        let last = at + 1 == asked.len();
        let worth = |(place, words): (usize, &Vec<String>)| {
            words.iter().filter_map(|word| way(asked_word, last, word, stage)).map(|way| WORTH[way][place]).max()
        };
        sum += places.iter().enumerate().filter_map(worth).max()?;
    }
    (!asked.is_empty()).then(|| score(sum, fold(details.name.as_str()).chars().count() as u64))
}

/// The products that answer, with their scores, filters aside.
fn answering<'a>(products: &'a [Product], search: Option<&SearchText>) -> Vec<(u64, &'a Product)> {
    let Some(search) = search else { return products.iter().map(|product| (0, product)).collect() };
    let mut asked = words_of(search.as_str());
    asked.truncate(SearchText::MAX_WORDS);
    let found = |stage| -> Vec<_> {
        products.iter().filter_map(|product| Some((score_of(product, &asked, stage)?, product))).collect()
    };
    let exact = found(Stage::Exact);
    if exact.is_empty() { found(Stage::Fuzzy) } else { exact }
}

/// What `filter` and `search` leave, with scores.
pub(super) fn matching<'a>(
    products: &'a [Product],
    filter: &Filter,
    search: Option<&SearchText>,
) -> Vec<(u64, &'a Product)> {
    let wanted = |product: &Product| {
        let details = &product.details;
        filter.category.as_ref().is_none_or(|category| *category == details.category)
            && filter.price.contains(details.price)
    };
    answering(products, search).into_iter().filter(|(_, product)| wanted(product)).collect()
}

/// All that `query` finds, in its order.
pub(super) fn scan(products: &[Product], query: &Query) -> Vec<i64> {
    let mut found = matching(products, query.filter(), query.search());
    match query.order() {
        Order::Relevance => found.sort_by_key(|(score, product)| (std::cmp::Reverse(*score), product.id)),
        Order::By(key, direction) => {
            found.sort_by(|(_, a), (_, b)| {
                let order = match key {
                    SortKey::Id => a.id.cmp(&b.id),
                    SortKey::Price => a.details.price.cmp(&b.details.price),
                    SortKey::Name => crate::NameKey::from(&a.details.name).cmp(&crate::NameKey::from(&b.details.name)),
                    SortKey::CreatedAt => a.created_at.cmp(&b.created_at),
                };
                let order = order.then(a.id.cmp(&b.id));
                if direction == Direction::Ascending { order } else { order.reverse() }
            });
        }
    }
    found.into_iter().map(|(_, product)| product.id.get()).collect()
}
