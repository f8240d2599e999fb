//! Products for tests, and the dice they are rolled with.

use farmlokal_catalog::{Filter, Limit, NameKey, NewProduct, PriceRange, ProductId, ProductPatch, Query, Timestamp};

/// 2026-01-01T00:00:00Z and `seconds`.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_767_225_600 + seconds) * 1_000_000).unwrap()
}

/// A product called `name` in `category` that costs `price`.
pub(crate) fn product(name: &str, category: &str, price: &str) -> NewProduct {
    NewProduct {
        name: name.parse().unwrap(),
        description: "Grown in Pune.".parse().unwrap(),
        category: category.parse().unwrap(),
        price: price.parse().unwrap(),
        currency: "INR".parse().unwrap(),
        unit: "500 g".parse().unwrap(),
        producer: "Sharma Farm".parse().unwrap(),
        stock: 7,
    }
}

/// A change of nothing but the price.
pub(crate) fn priced(price: &str) -> ProductPatch {
    ProductPatch { price: price.parse().ok(), ..ProductPatch::default() }
}

pub(crate) fn id(id: i64) -> ProductId {
    ProductId::new(id).unwrap()
}

pub(crate) fn limit(limit: i64) -> Limit {
    Limit::new(limit).unwrap()
}

/// The filter of what is not empty.
pub(crate) fn filter(category: &str, min: &str, max: &str) -> Filter {
    let category = (!category.is_empty()).then(|| category.parse().unwrap());
    let price = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    Filter { category, price: PriceRange::new(price(min), price(max)).unwrap() }
}

/// The query of `filter`, and of `order` when it is not empty.
pub(crate) fn query(filter: &Filter, order: &str) -> Query {
    let order = (!order.is_empty()).then(|| order.parse().unwrap());
    Query::new(filter.clone(), None, order).unwrap()
}

/// A product that goes round the store into its table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) details: NewProduct,
    pub(crate) created_at: Timestamp,
}

impl Row {
    pub(crate) fn name_key(&self) -> NameKey {
        NameKey::from(&self.details.name)
    }
}

/// Numbers that look random and are the same in each run (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}
