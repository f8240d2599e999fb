//! Random values, the same ones in each run: those of products that are there.

use std::sync::Arc;

use farmlokal_catalog::store::bulk::BulkProduct;
use farmlokal_catalog::{Direction, Filter, Invalid, Limit, Order, Price, PriceRange, Query, SortKey};
use farmlokal_seed::Generator;
use fastrand::Rng;

use super::ask::{Ask, Listing, Spot};

/// The seed of the products and of what is asked about them.
pub(super) const SEED: u64 = 42;

/// Draws what to ask for.
pub(super) struct Draw {
    rng: Rng,
    generator: Generator,
    products: u64,
    deep: Deep,
}

/// Places in the last hundredth of all products.
#[derive(Clone)]
pub(super) struct Deep {
    /// `sort=id`
    pub(super) by_id: Vec<Arc<Spot>>,
    /// `sort=-price`
    pub(super) by_price: Vec<Arc<Spot>>,
}

impl Draw {
    pub(super) fn new(products: u64, deep: Deep) -> Self {
        Self { rng: Rng::with_seed(SEED), generator: Generator::new(SEED), products, deep }
    }

    /// A number from 0 to `bound` - 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.rng.u64(..bound)
    }

    /// Any product.
    pub(super) fn product(&mut self) -> Result<BulkProduct, Invalid> {
        self.generator.product(self.rng.u64(1..=self.products))
    }

    /// A product with the code of a lot, and that code: a word that hardly any other one has.
    pub(super) fn lot(&mut self) -> Result<String, Invalid> {
        loop {
            let product = self.product()?;
            let code = product.details.description.as_str().split_once("LOT-");
            if let Some((_, code)) = code {
                return Ok(code.trim_end_matches(')').to_owned());
            }
        }
    }

    /// Prices around `price`, from the lowest to the highest `paise` of them.
    pub(super) fn around(&self, price: Price, paise: i64) -> Result<PriceRange, Invalid> {
        let lowest = (price.minor() - paise / 2).max(0);
        PriceRange::new(Price::from_minor(lowest), Price::from_minor(lowest + paise))
    }

    /// How far from the lowest to the highest price: from half a rupee to two hundred, each power of
    /// two as likely as the next.
    pub(super) fn any_width(&mut self) -> i64 {
        let power = self.rng.f64() * 400_f64.log2();
        (50.0 * power.exp2()) as i64
    }

    /// Any order by a column.
    pub(super) fn order(&mut self) -> Order {
        let key = SortKey::ALL[self.rng.usize(..SortKey::ALL.len())];
        let direction = if self.rng.bool() { Direction::Ascending } else { Direction::Descending };
        Order::By(key, direction)
    }

    /// One of the last pages of ten by id.
    pub(super) fn last_by_id(&mut self) -> Result<Ask, Invalid> {
        let spot = self.rng.usize(..self.deep.by_id.len());
        let order = Order::By(SortKey::Id, Direction::Ascending);
        continued(order, &self.deep.by_id[spot])
    }

    /// One of the last pages of ten by price, dearest first.
    pub(super) fn last_by_price(&mut self) -> Result<Ask, Invalid> {
        let spot = self.rng.usize(..self.deep.by_price.len());
        let order = Order::By(SortKey::Price, Direction::Descending);
        continued(order, &self.deep.by_price[spot])
    }
}

/// The ten rows behind `spot`.
fn continued(order: Order, spot: &Arc<Spot>) -> Result<Ask, Invalid> {
    let listing = Listing {
        query: Query::new(Filter::default(), None, Some(order))?,
        limit: Limit::new(10)?,
        after: Some(Arc::clone(spot)),
        total: false,
    };
    Ok(Ask::listing(listing, 10..=10))
}

/// The first page of `filter` in `order`, which as many rows match as there are on a page.
pub(super) fn first(filter: Filter, order: Option<Order>) -> Result<Ask, Invalid> {
    page(filter, order, 20..=20)
}

/// The first page of `filter` in `order`, which one row matches at least.
pub(super) fn first_of_few(filter: Filter, order: Option<Order>) -> Result<Ask, Invalid> {
    page(filter, order, 1..=20)
}

fn page(filter: Filter, order: Option<Order>, rows: std::ops::RangeInclusive<usize>) -> Result<Ask, Invalid> {
    Ok(Ask::listing(Listing::first(filter, order)?, rows))
}
