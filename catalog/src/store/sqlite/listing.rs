//! The SELECTs of listings, built from the filters that are present.

use sqlx::{QueryBuilder, Sqlite};

use super::row::COLUMNS;
use crate::shape::{Index, counting_index};
use crate::{Direction, Filter, Limit, Position, ProductId, SortKey};

pub(super) type Select = QueryBuilder<Sqlite>;

/// The rows of `filter` behind `after`, one more than `limit`, read through `index` and no other:
/// SQLite refuses the statement rather than choose a worse plan.
pub(super) fn sorted(
    filter: &Filter,
    (key, direction): (SortKey, Direction),
    after: Option<&Position>,
    limit: Limit,
    index: Index,
) -> Select {
    let mut select = Select::new(format!("SELECT {COLUMNS} FROM products p {}", hint(index)));
    let mut conditions = Conditions::new(&mut select);
    conditions.filter_behind(filter, after, direction);
    order_and_limit(&mut select, key, direction, limit);
    select
}

/// How many rows `filter` leaves, counted up to `most`.
pub(super) fn count(filter: &Filter, most: i64) -> Select {
    let hint = hint(counting_index(filter));
    let mut select = Select::new(format!("SELECT COUNT(*) FROM (SELECT 1 FROM products p {hint}"));
    let mut conditions = Conditions::new(&mut select);
    conditions.filter(filter);
    select.push(" LIMIT ").push_bind(most).push(")");
    select
}

/// Every category that has products, by name.
pub(super) const CATEGORIES: &str = "SELECT name, products FROM categories WHERE products > 0 ORDER BY name";

/// The row with this id.
pub(super) fn by_id(id: ProductId) -> Select {
    let mut select = Select::new(format!("SELECT {COLUMNS} FROM products p WHERE p.id = "));
    select.push_bind(id.get());
    select
}

/// The rows with these ids, in any order.
pub(super) fn by_ids(ids: &[ProductId]) -> Select {
    let mut select = Select::new(format!("SELECT {COLUMNS} FROM products p WHERE p.id IN ("));
    let mut list = select.separated(", ");
    // One statement for every page: its last id fills the places that are left (SQL does not mind
    // repeats), so that the statement cache holds a single shape.
    let last = ids.last().map_or(0, |id| id.get());
    for place in 0..Limit::MAX.into() {
        list.push_bind(ids.get(place).map_or(last, |id| id.get()));
    }
    select.push(")");
    select
}

pub(super) fn hint(index: Index) -> &'static str {
    match index {
        Index::Primary => "NOT INDEXED",
        Index::Price => "INDEXED BY by_price",
        Index::Name => "INDEXED BY by_name",
        Index::Created => "INDEXED BY by_created",
        Index::Category => "INDEXED BY by_category",
        Index::CategoryPrice => "INDEXED BY by_category_price",
        Index::CategoryName => "INDEXED BY by_category_name",
        Index::CategoryCreated => "INDEXED BY by_category_created",
    }
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

    fn filter(&mut self, filter: &Filter) {
        self.category(filter);
        self.price(filter, "", "");
    }

    /// The filter, and the seek behind `after`. Both may say where the reading of an index by price
    /// starts; SQLite takes one, and not the one that leaves less to read: a `+` before the column
    /// keeps it from taking the range's end.
    fn filter_behind(&mut self, filter: &Filter, after: Option<&Position>, direction: Direction) {
        let (low, high) = match (after, direction) {
            (Some(Position::Price(..)), Direction::Ascending) => ("+", ""),
            (Some(Position::Price(..)), Direction::Descending) => ("", "+"),
            _ => ("", ""),
        };
        self.category(filter);
        self.price(filter, low, high);
        self.behind(after, direction);
    }

    fn category(&mut self, filter: &Filter) {
        if let Some(category) = &filter.category {
            self.and("p.category = ").push_bind(category.as_str().to_owned());
        }
    }

    fn price(&mut self, filter: &Filter, low: &str, high: &str) {
        if let Some((min, max)) = filter.price.bounds() {
            self.and(low).push("p.price >= ").push_bind(min.minor());
            self.and(high).push("p.price <= ").push_bind(max.minor());
        }
    }

    /// The seek: SQLite compares row values through an index.
    fn behind(&mut self, after: Option<&Position>, direction: Direction) {
        let sign = if direction == Direction::Descending { "<" } else { ">" };
        match after {
            None | Some(Position::Relevance(..)) => {}
            Some(Position::Id(id)) => {
                self.and("p.id ").push(sign).push(" ").push_bind(id.get());
            }
            Some(Position::Price(price, id)) => self.tuple(SortKey::Price, sign).push_bind(price.minor()).close(*id),
            Some(Position::Name(name, id)) => {
                self.tuple(SortKey::Name, sign).push_bind(name.as_str().to_owned()).close(*id);
            }
            Some(Position::CreatedAt(at, id)) => self.tuple(SortKey::CreatedAt, sign).push_bind(at.micros()).close(*id),
        }
    }

    fn tuple(&mut self, key: SortKey, sign: &str) -> &mut Select {
        self.and("(").push(column(key)).push(", p.id) ").push(sign).push(" (")
    }
}

trait CloseTuple {
    fn close(&mut self, id: ProductId);
}

impl CloseTuple for Select {
    /// The rowid has no collation of its own, and without one SQLite seeks to the key alone and walks
    /// from there through all rows that share it.
    fn close(&mut self, id: ProductId) {
        self.push(", ").push_bind(id.get()).push(" COLLATE BINARY)");
    }
}
