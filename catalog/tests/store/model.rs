//! What a listing must give, computed without a database.

use std::cmp::Ordering;

use farmlokal_catalog::{Direction, Filter, NewProduct, Order, SortKey};

use crate::sample::Row;

/// Every order but relevance.
pub(crate) fn orders() -> impl Iterator<Item = Order> {
    let both = [Direction::Ascending, Direction::Descending];
    SortKey::ALL.into_iter().flat_map(move |key| both.map(|direction| Order::By(key, direction)))
}

/// Whether `filter` leaves `details`.
pub(crate) fn matches(filter: &Filter, details: &NewProduct) -> bool {
    filter.category.as_ref().is_none_or(|category| *category == details.category)
        && filter.price.contains(details.price)
}

/// The ids of the `rows` that `filter` leaves, in `order`.
pub(crate) fn listing<'a>(rows: impl IntoIterator<Item = &'a Row>, filter: &Filter, order: Order) -> Vec<i64> {
    let mut rows: Vec<&Row> = rows.into_iter().filter(|row| matches(filter, &row.details)).collect();
    rows.sort_by(|a, b| compare(a, b, order));
    rows.into_iter().map(|row| row.id).collect()
}

fn compare(a: &Row, b: &Row, order: Order) -> Ordering {
    let Order::By(key, direction) = order else { panic!("{order} is known to the database alone") };
    let upwards = match key {
        SortKey::Id => Ordering::Equal,
        SortKey::Price => a.details.price.cmp(&b.details.price),
        SortKey::Name => a.name_key().cmp(&b.name_key()),
        SortKey::CreatedAt => a.created_at.cmp(&b.created_at),
    }
    .then(a.id.cmp(&b.id));
    if direction == Direction::Ascending { upwards } else { upwards.reverse() }
}
