//! The one table of listing shapes: which filter and sort is served by which index.
//!
//! A shape is what is left of a request when its values are taken away. There are few, so each has a
//! plan that is chosen here, forced in SQL (an index hint) and proven by an EXPLAIN test on each
//! engine; no optimiser's guess decides how long a page takes.

use crate::{Direction, Filter, SortKey};

/// The indexes of the products table. Each ends in the id, so that each order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Index {
    /// `(id)`, the table itself.
    Primary,
    /// `(price, id)`
    Price,
    /// `(name_key, id)`
    Name,
    /// `(created_at, id)`
    Created,
    /// `(category, id)`
    Category,
    /// `(category, price, id)`
    CategoryPrice,
    /// `(category, name_key, id)`
    CategoryName,
    /// `(category, created_at, id)`
    CategoryCreated,
}

/// How a shape is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plan {
    /// The index holds the matches in the wanted order: a page costs the same anywhere.
    Ordered(Index),
    /// No B-tree holds a price range in another order. Count the matches in `range` up to
    /// [`NARROW`]: if there are no more, sort them; else walk `walk`, which has the order, and leave
    /// out what does not match. Both are short unless price and order are strongly correlated, so a
    /// statement time limit bounds the walk. The search index takes these shapes over.
    Bounded {
        /// The index that holds the price range.
        range: Index,
        /// The index that holds the order.
        walk: Index,
    },
}

/// Up to so many matches of a price range are sorted rather than walked past.
pub const NARROW: u32 = 2_000;

/// A listing without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Narrowed to one category.
    pub category: bool,
    /// Narrowed to a price range, open at one end or closed.
    pub price: bool,
    /// What it is ordered by.
    pub key: SortKey,
    /// Upwards or downwards.
    pub direction: Direction,
}

/// `(category, price range, sort) -> plan`; both directions of a sort read the same index.
const TABLE: [(bool, bool, SortKey, Plan); 16] = {
    use Index::{Category, CategoryCreated, CategoryName, CategoryPrice, Created, Name, Price, Primary};
    use Plan::{Bounded, Ordered};
    [
        (false, false, SortKey::Id, Ordered(Primary)),
        (false, false, SortKey::Price, Ordered(Price)),
        (false, false, SortKey::Name, Ordered(Name)),
        (false, false, SortKey::CreatedAt, Ordered(Created)),
        (true, false, SortKey::Id, Ordered(Category)),
        (true, false, SortKey::Price, Ordered(CategoryPrice)),
        (true, false, SortKey::Name, Ordered(CategoryName)),
        (true, false, SortKey::CreatedAt, Ordered(CategoryCreated)),
        (false, true, SortKey::Id, Bounded { range: Price, walk: Primary }),
        (false, true, SortKey::Price, Ordered(Price)),
        (false, true, SortKey::Name, Bounded { range: Price, walk: Name }),
        (false, true, SortKey::CreatedAt, Bounded { range: Price, walk: Created }),
        (true, true, SortKey::Id, Bounded { range: CategoryPrice, walk: Category }),
        (true, true, SortKey::Price, Ordered(CategoryPrice)),
        (true, true, SortKey::Name, Bounded { range: CategoryPrice, walk: CategoryName }),
        (true, true, SortKey::CreatedAt, Bounded { range: CategoryPrice, walk: CategoryCreated }),
    ]
};

impl Shape {
    /// The shape of a listing of `filter` sorted by `key`.
    pub fn of(filter: &Filter, key: SortKey, direction: Direction) -> Self {
        Self { category: filter.category.is_some(), price: filter.price.bounds().is_some(), key, direction }
    }

    /// How it is answered.
    pub fn plan(self) -> Plan {
        TABLE
            .iter()
            .find(|(category, price, key, _)| (*category, *price, *key) == (self.category, self.price, self.key))
            // The table is complete (tested); walking the primary key would still be right.
            .map_or(Plan::Ordered(Index::Primary), |(.., plan)| *plan)
    }

    /// Every shape there is.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().flat_map(|&(category, price, key, _)| {
            [Direction::Ascending, Direction::Descending].map(|direction| Self { category, price, key, direction })
        })
    }
}

/// The index that counts the matches of `filter`, for capped totals and for [`Plan::Bounded`]: it need
/// not look at the rows themselves. Without a filter any index does.
pub fn counting_index(filter: &Filter) -> Index {
    match (filter.category.is_some(), filter.price.bounds().is_some()) {
        (false, _) => Index::Price,
        (true, false) => Index::Category,
        (true, true) => Index::CategoryPrice,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_has_each_shape_once() {
        let shapes: HashSet<Shape> = Shape::all().collect();
        assert_eq!(shapes.len(), 2 * 2 * SortKey::ALL.len() * 2);
        assert_eq!(Shape::all().count(), shapes.len());
    }

    #[test]
    fn only_a_price_range_under_another_sort_is_bounded() {
        for shape in Shape::all() {
            let bounded = matches!(shape.plan(), Plan::Bounded { .. });
            assert_eq!(bounded, shape.price && shape.key != SortKey::Price, "{shape:?}");
        }
    }
}
