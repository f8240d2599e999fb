//! The listings whose plans each engine's tests look at, and a table that is large enough for plans.

use crate::shape::{Index, Plan, Shape};
use crate::store::bulk::BulkProduct;
use crate::{Filter, NameKey, NewProduct, Position, Price, PriceRange, ProductId, SortKey, Timestamp};

/// How many products the table has; [`row`] gives each of them.
const ROWS: i64 = 20_000;

/// The category of nearly half of the products.
const COMMON: &str = "Fruits";
const OTHERS: [&str; 5] = ["Dairy", "Eggs", "Grains", "Honey", "Vegetables"];

/// One SELECT of a listing.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) shape: Shape,
    pub(super) filter: Filter,
    pub(super) after: Option<Position>,
    pub(super) form: Form,
    pub(super) index: Index,
}

/// What an index is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The matches, in order.
    Ordered,
    /// The matches of a price range, which are few and sorted afterwards.
    Range,
    /// The order, whether a row's price matches or not.
    Walk,
}

impl Case {
    /// The columns of the index that lead to where the reading starts; none where it starts at an end.
    pub(super) fn sought(&self) -> Vec<&'static str> {
        let sort = match self.shape.key {
            SortKey::Id => None,
            SortKey::Price => Some("price"),
            SortKey::Name => Some("name_key"),
            SortKey::CreatedAt => Some("created_at"),
        };
        let mut columns: Vec<_> = self.shape.category.then_some("category").into_iter().collect();
        if self.form == Form::Range {
            columns.push("price");
        } else if self.after.is_some() {
            columns.extend(sort);
            columns.push("id");
        } else if self.shape.price && self.form == Form::Ordered {
            columns.push("price");
        }
        columns
    }
}

/// Each shape × each kind of price range × the first page and a later one × each form.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in Shape::all() {
        let forms = match shape.plan() {
            Plan::Ordered(index) => vec![(Form::Ordered, index)],
            Plan::Bounded { range, walk } => vec![(Form::Range, range), (Form::Walk, walk)],
        };
        for filter in filters(shape) {
            for after in [None, Some(middle(shape.key))] {
                cases.extend(forms.iter().map(|&(form, index)| Case {
                    shape,
                    filter: filter.clone(),
                    after: after.clone(),
                    form,
                    index,
                }));
            }
        }
    }
    cases
}

fn filters(shape: Shape) -> Vec<Filter> {
    let category = shape.category.then(|| COMMON.parse().unwrap());
    let ends: &[(Option<i64>, Option<i64>)] = if shape.price {
        &[(Some(1_000), None), (None, Some(40_000)), (Some(5_000), Some(40_000)), (Some(25_000), Some(26_000))]
    } else {
        &[(None, None)]
    };
    ends.iter()
        .map(|&(min, max)| {
            let price = PriceRange::new(min.and_then(Price::from_minor), max.and_then(Price::from_minor)).unwrap();
            Filter { category: category.clone(), price }
        })
        .collect()
}

/// A position in the middle of the table and of every price range above.
fn middle(key: SortKey) -> Position {
    let id = ProductId::new(ROWS / 2).unwrap();
    match key {
        SortKey::Id => Position::Id(id),
        SortKey::Price => Position::Price(Price::from_minor(25_500).unwrap(), id),
        SortKey::Name => Position::Name(NameKey::from_stored("organic mango 5").unwrap(), id),
        SortKey::CreatedAt => Position::CreatedAt(made(500_000), id),
    }
}

/// The products 1 to [`ROWS`].
pub(super) fn rows() -> Vec<BulkProduct> {
    (1..=ROWS).map(row).collect()
}

/// The product `n`: prices from 10.00 to 499.00, 2,000 names, any minute of some two years.
fn row(n: i64) -> BulkProduct {
    let category = if n * 7_919 % 11 < 5 { COMMON } else { OTHERS[(n * 104_729 % 5) as usize] };
    let details = NewProduct {
        name: format!("Organic Mango {}", n * 31 % 2_000).parse().unwrap(),
        description: "Grown near the river, kept cool.".parse().unwrap(),
        category: category.parse().unwrap(),
        price: Price::from_minor(1_000 + n * 7_907 % 490 * 100).unwrap(),
        currency: "INR".parse().unwrap(),
        unit: "500 g".parse().unwrap(),
        producer: "Sharma Farm, Pune".parse().unwrap(),
        stock: 7,
    };
    BulkProduct { id: ProductId::new(n).unwrap(), details, created_at: made(n * 15_485_863 % 1_000_000) }
}

/// So many minutes after the start of 2024.
fn made(minute: i64) -> Timestamp {
    Timestamp::from_micros((28_401_120 + minute) * 60_000_000).unwrap()
}
