//! The SELECTs of listings, built from the filters that are present.

use sqlx::QueryBuilder;

use super::engine::{Db, hint, push_seek};
use super::row::product_columns;
use crate::shape::{Index, counting_index};
use crate::{Direction, Filter, Limit, Position, ProductId, SortKey};

pub(in super::super) type Select = QueryBuilder<Db>;

/// The rows of `filter` behind `after`, one more than `limit`, read through `index`.
pub(in super::super) fn sorted(
    filter: &Filter,
    (key, direction): (SortKey, Direction),
    after: Option<&Position>,
    limit: Limit,
    index: Index,
) -> Select {
    let mut select = Select::new(concat!("SELECT ", product_columns!(), " FROM products p "));
    select.push(hint(index));
    let mut conditions = Conditions::new(&mut select);
    conditions.category(filter);
    // Both ends of a price range and the seek may say where the reading of an index by price starts. SQLite takes one
    // of them, and not the one that leaves less to read: a `+` before the column keeps it from taking the range's end.
    match (after, direction) {
        (Some(Position::Price(..)), Direction::Ascending) => conditions.price(filter, "+", ""),
        (Some(Position::Price(..)), Direction::Descending) => conditions.price(filter, "", "+"),
        _ => conditions.price(filter, "", ""),
    }
    conditions.behind(after, direction);
    order_and_limit(&mut select, key, direction, limit);
    select
}

/// The number of rows of `filter`, counted up to `most`.
pub(in super::super) fn count(filter: &Filter, most: i64) -> Select {
    let mut select = Select::new("SELECT COUNT(*) FROM (SELECT 1 FROM products p ");
    select.push(hint(counting_index(filter)));
    let mut conditions = Conditions::new(&mut select);
    if *filter == Filter::default() {
        // All rows meet it. Without a condition MariaDB reads the rows themselves, whatever the hint says, when a
        // prepared statement is run again.
        conditions.and("p.price >= 0");
    }
    conditions.category(filter);
    conditions.price(filter, "", "");
    select.push(" LIMIT ").push_bind(most).push(") counted");
    select
}

/// Every category that has products, by name.
pub(in super::super) const CATEGORIES: &str =
    "SELECT name AS category, products FROM categories WHERE products > 0 ORDER BY name";

/// The row with this id.
pub(in super::super) fn by_id(id: ProductId) -> Select {
    let mut select = Select::new(concat!("SELECT ", product_columns!(), " FROM products p WHERE p.id = "));
    select.push_bind(id);
    select
}

/// The rows with these ids, in any order.
pub(in super::super) fn by_ids(ids: &[ProductId]) -> Select {
    let mut select = Select::new(concat!("SELECT ", product_columns!(), " FROM products p WHERE p.id IN ("));
    push_padded(&mut select, ids.iter().map(|id| id.get()), Limit::MAX.into());
    select
}

/// Pushes `values` and a closing bracket. The last value fills the places up to `places`, which are at least as many:
/// one statement for every number of values, so that the statement cache holds a single shape. SQL does not mind
/// repeats.
pub(super) fn push_padded<V>(select: &mut Select, values: impl ExactSizeIterator<Item = V>, places: usize)
where
    V: Clone + for<'q> sqlx::Encode<'q, Db> + sqlx::Type<Db> + Send + 'static,
{
    let mut list = select.separated(", ");
    let missing = places.saturating_sub(values.len());
    let mut last = None;
    for value in values {
        list.push_bind(value.clone());
        last = Some(value);
    }
    for value in std::iter::repeat_n(last, missing).flatten() {
        list.push_bind(value);
    }
    select.push(")");
}

fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Id => "p.id",
        SortKey::Price => "p.price",
        SortKey::Name => "p.name_key",
        SortKey::CreatedAt => "p.created_at",
    }
}

fn order_and_limit(select: &mut Select, key: SortKey, direction: Direction, limit: Limit) {
    let downwards = if direction == Direction::Descending { " DESC" } else { "" };
    select.push(" ORDER BY ");
    if key != SortKey::Id {
        select.push(column(key)).push(downwards).push(", ");
    }
    select.push("p.id").push(downwards).push(" LIMIT ").push_bind(i64::from(limit.get()) + 1);
}

/// `WHERE a AND b …` of the conditions that are there.
struct Conditions<'a> {
    select: &'a mut Select,
    word: &'static str,
}

impl<'a> Conditions<'a> {
    fn new(select: &'a mut Select) -> Self {
        Self { select, word: " WHERE " }
    }

    fn and(&mut self, sql: &str) -> &mut Select {
        let word = std::mem::replace(&mut self.word, " AND ");
        self.select.push(word).push(sql)
    }

    fn category(&mut self, filter: &Filter) {
        if let Some(category) = &filter.category {
            self.and("p.category = ").push_bind(category.clone());
        }
    }

    /// The ends of the price range, with `low` and `high` before their columns.
    fn price(&mut self, filter: &Filter, low: &str, high: &str) {
        if let Some((min, max)) = filter.price.bounds() {
            self.and(low).push("p.price >= ").push_bind(min);
            self.and(high).push("p.price <= ").push_bind(max);
        }
    }

    fn behind(&mut self, after: Option<&Position>, direction: Direction) {
        let sign = if direction == Direction::Descending { "<" } else { ">" };
        match after {
            None | Some(Position::Relevance(..)) => {}
            Some(Position::Id(id)) => {
                self.and("p.id ").push(sign).push(" ").push_bind(*id);
            }
            Some(Position::Price(price, id)) => push_seek(self.and(""), column(SortKey::Price), sign, *price, *id),
            Some(Position::Name(name, id)) => push_seek(self.and(""), column(SortKey::Name), sign, name.clone(), *id),
            Some(Position::CreatedAt(at, id)) => push_seek(self.and(""), column(SortKey::CreatedAt), sign, *at, *id),
        }
    }
}
