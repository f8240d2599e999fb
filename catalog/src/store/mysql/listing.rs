//! The SELECTs of listings, built from the filters that are present.

use sqlx::{MySql, QueryBuilder};

use super::row::{COLUMNS, datetime};
use crate::shape::{Index, counting_index};
use crate::{Direction, Filter, Limit, Position, ProductId, SortKey};

pub(super) type Select = QueryBuilder<MySql>;

/// The rows of `filter` behind `after`, one more than `limit`, read through `index`:
/// the hint keeps the optimiser from another plan when a category or a price is very common or rare.
pub(super) fn sorted(
    filter: &Filter,
    (key, direction): (SortKey, Direction),
    after: Option<&Position>,
    limit: Limit,
    index: Index,
) -> Select {
    let mut select = Select::new(format!("SELECT {COLUMNS} FROM products p {}", hint(index)));
    let mut conditions = Conditions::new(&mut select);
    conditions.filter(filter);
    conditions.behind(after, direction);
    order_and_limit(&mut select, key, direction, limit);
    select
}

/// How many rows `filter` leaves, counted up to `most`.
pub(super) fn count(filter: &Filter, most: i64) -> Select {
    let hint = hint(counting_index(filter));
    let mut select = Select::new(format!("SELECT COUNT(*) FROM (SELECT 1 FROM products p {hint}"));
    let mut conditions = Conditions::new(&mut select);
    // All rows meet it. Without a condition MariaDB reads the rows themselves, whatever the hint says, when a prepared
    // statement is run again.
    if *filter == Filter::default() {
        conditions.and("p.price >= 0");
    }
    conditions.filter(filter);
    select.push(" LIMIT ").push_bind(most).push(") counted");
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
        Index::Primary => "FORCE INDEX (PRIMARY)",
        Index::Price => "FORCE INDEX (by_price)",
        Index::Name => "FORCE INDEX (by_name)",
        Index::Created => "FORCE INDEX (by_created)",
        Index::Category => "FORCE INDEX (by_category)",
        Index::CategoryPrice => "FORCE INDEX (by_category_price)",
        Index::CategoryName => "FORCE INDEX (by_category_name)",
        Index::CategoryCreated => "FORCE INDEX (by_category_created)",
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
        if let Some(category) = &filter.category {
            self.and("p.category = ").push_bind(category.as_str().to_owned());
        }
        if let Some((min, max)) = filter.price.bounds() {
            self.and("p.price BETWEEN ").push_bind(min.to_decimal()).push(" AND ").push_bind(max.to_decimal());
        }
    }

    /// The seek. MySQL uses no index range for a row value, `(a, id) > (x, y)`, but does for the same
    /// written out (manual, "Row Constructor Expression Optimization").
    fn behind(&mut self, after: Option<&Position>, direction: Direction) {
        let sign = if direction == Direction::Descending { "<" } else { ">" };
        match after {
            None | Some(Position::Relevance(..)) => {}
            Some(Position::Id(id)) => {
                self.and("p.id ").push(sign).push(" ").push_bind(id.get());
            }
            Some(Position::Price(price, id)) => self.seek(SortKey::Price, sign, price.to_decimal(), *id),
            Some(Position::Name(name, id)) => self.seek(SortKey::Name, sign, name.as_str().to_owned(), *id),
            Some(Position::CreatedAt(at, id)) => self.seek(SortKey::CreatedAt, sign, datetime(*at), *id),
        }
    }

    /// `key >= value AND (key > value OR (key = value AND id > last))`
    fn seek<V>(&mut self, key: SortKey, sign: &str, value: V, id: ProductId)
    where
        V: Clone + Send + Sync + for<'q> sqlx::Encode<'q, MySql> + sqlx::Type<MySql> + 'static,
    {
        let column = column(key);
        self.and(column).push(" ").push(sign).push("= ").push_bind(value.clone());
        self.and("(").push(column).push(" ").push(sign).push(" ").push_bind(value.clone());
        self.select.push(" OR (").push(column).push(" = ").push_bind(value);
        self.select.push(" AND p.id ").push(sign).push(" ").push_bind(id.get()).push("))");
    }
}
