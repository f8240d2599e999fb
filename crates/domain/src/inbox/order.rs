//! What an event still does when newer ones about the same product have been applied before it.
//!
//! A product has three aspects, each with the newest event that said something of it: its *listing* (that it
//! is there, and all that is not price or stock), its *price* and its *stock*. An event changes the aspects of
//! which nothing newer is known. A deletion counts only if no event about the product is newer at all: a
//! product whose price changed later was there later.

use super::Effect;
use crate::{NewProduct, ProductPatch, Timestamp};

/// When an event happened; among equal times the one that arrived later is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When it happened, says its source.
    pub at: Timestamp,
    /// Its number in the inbox.
    pub number: u64,
}

/// What an event says something of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// That the product is there or gone, and all of it that is not price or stock.
    Listing,
    /// Price and currency.
    Price,
    /// How many there are.
    Stock,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Listing, Self::Price, Self::Stock];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Price => "price",
            Self::Stock => "stock",
        }
    }
}

/// The newest event known of each aspect of a product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    listing: Option<Stamp>,
    price: Option<Stamp>,
    stock: Option<Stamp>,
}

impl Seen {
    /// The newest event of `aspect`.
    pub fn of(&self, aspect: Aspect) -> Option<Stamp> {
        match aspect {
            Aspect::Listing => self.listing,
            Aspect::Price => self.price,
            Aspect::Stock => self.stock,
        }
    }

    /// Notes `stamp` as the newest of `aspect`.
    pub fn note(&mut self, aspect: Aspect, stamp: Stamp) {
        match aspect {
            Aspect::Listing => self.listing = Some(stamp),
            Aspect::Price => self.price = Some(stamp),
            Aspect::Stock => self.stock = Some(stamp),
        }
    }

    /// The aspects of which nothing newer than `stamp` is known.
    fn open_to(&self, stamp: Stamp) -> Vec<Aspect> {
        Aspect::ALL.into_iter().filter(|aspect| self.of(*aspect).is_none_or(|seen| seen <= stamp)).collect()
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make the product.
    Create(Box<NewProduct>),
    /// Change it.
    Change(ProductPatch),
    /// Remove it, if it is there.
    Remove,
    /// Nothing: newer events have said it all.
    Superseded,
    /// Nothing yet: there is no such product, and the event that makes it may be late.
    Missing,
}

/// What is to be done, and for which aspects the event is the newest from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done.
    pub step: Step,
    /// The aspects.
    pub aspects: Vec<Aspect>,
}

impl Decision {
    /// What the event of `stamp` does to a product that is there or not (`exists`), and can be made or not
    /// (`may_create`: only under a name of the source's own, since ids are ours to give).
    pub fn of(effect: Effect, exists: bool, may_create: bool, seen: &Seen, stamp: Stamp) -> Self {
        let open = seen.open_to(stamp);
        let is_open = |aspect| open.contains(&aspect);
        let patch = |patch, aspect| Self { step: Step::Change(patch), aspects: vec![aspect] };
        match effect {
            Effect::Deleted if open.len() == Aspect::ALL.len() => {
                Self { step: Step::Remove, aspects: vec![Aspect::Listing] }
            }
            Effect::Deleted => Self::SUPERSEDED,
            _ if !exists && !is_open(Aspect::Listing) => Self::SUPERSEDED,
            Effect::Upserted(details) if !exists && may_create => {
                Self { step: Step::Create(details), aspects: Aspect::ALL.to_vec() }
            }
            _ if !exists => Self { step: Step::Missing, aspects: Vec::new() },
            Effect::Upserted(details) if !open.is_empty() => {
                Self { step: Step::Change(part(*details, &open)), aspects: open }
            }
            Effect::Priced { price, currency } if is_open(Aspect::Price) => {
                patch(ProductPatch { price: Some(price), currency, ..ProductPatch::default() }, Aspect::Price)
            }
            Effect::Stocked(stock) if is_open(Aspect::Stock) => {
                patch(ProductPatch { stock: Some(stock), ..ProductPatch::default() }, Aspect::Stock)
            }
            _ => Self::SUPERSEDED,
        }
    }

    const SUPERSEDED: Self = Self { step: Step::Superseded, aspects: Vec::new() };
}

/// The part of `details` that belongs to `aspects`.
fn part(details: NewProduct, aspects: &[Aspect]) -> ProductPatch {
    let (listing, price) = (aspects.contains(&Aspect::Listing), aspects.contains(&Aspect::Price));
    ProductPatch {
        name: listing.then_some(details.name),
        description: listing.then_some(details.description),
        category: listing.then_some(details.category),
        unit: listing.then_some(details.unit),
        producer: listing.then_some(details.producer),
        price: price.then_some(details.price),
        currency: price.then_some(details.currency),
        stock: aspects.contains(&Aspect::Stock).then_some(details.stock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history and the product it leaves, without a database.
    #[derive(Default)]
    struct World {
        product: Option<NewProduct>,
        seen: Seen,
    }

    impl World {
        /// Applies the events of `history` (numbered by their place in time) in the order `arrival`, as often as
        /// that takes: what is missing is tried again after the others.
        fn after(history: &[Effect], arrival: &[usize]) -> Self {
            let mut world = Self::default();
            let mut waiting = arrival.to_vec();
            for _ in 0..=arrival.len() {
                waiting.retain(|place| !world.apply(history[*place].clone(), *place));
            }
            world
        }

        fn apply(&mut self, effect: Effect, place: usize) -> bool {
            let stamp = Stamp { at: Timestamp::from_micros(place as i64).unwrap(), number: 0 };
            let decision = Decision::of(effect, self.product.is_some(), true, &self.seen, stamp);
            match decision.step {
                Step::Create(details) => self.product = Some(*details),
                Step::Change(patch) => self.product = self.product.take().map(|product| patch.apply(product)),
                Step::Remove => self.product = None,
                Step::Superseded => {}
                Step::Missing => return false,
            }
            decision.aspects.iter().for_each(|aspect| self.seen.note(*aspect, stamp));
            true
        }
    }

    fn milk(price: &str, stock: u32) -> Effect {
        Effect::Upserted(Box::new(NewProduct {
            name: format!("Milk of {stock}").parse().unwrap(),
            description: "".parse().unwrap(),
            category: "Dairy".parse().unwrap(),
            price: price.parse().unwrap(),
            currency: "INR".parse().unwrap(),
            unit: "l".parse().unwrap(),
            producer: "Farm".parse().unwrap(),
            stock,
        }))
    }

    fn priced(price: &str) -> Effect {
        Effect::Priced { price: price.parse().unwrap(), currency: None }
    }

    /// Every order of `items`.
    fn orders(items: usize) -> Vec<Vec<usize>> {
        match items {
            0 => vec![vec![]],
            _ => orders(items - 1)
                .into_iter()
                .flat_map(|order| {
                    (0..items).map(move |place| {
                        let mut order = order.clone();
                        order.insert(place, items - 1);
                        order
                    })
                })
                .collect(),
        }
    }

    #[test]
    fn whatever_the_order_of_arrival_the_product_is_the_same() {
        for history in [
            vec![milk("1", 1), priced("2"), Effect::Stocked(3), milk("4", 4)],
            vec![milk("1", 1), milk("2", 2), priced("3"), Effect::Stocked(4)],
            vec![milk("1", 1), Effect::Deleted],
            vec![milk("1", 1), Effect::Deleted, milk("3", 3)],
            vec![milk("1", 1), Effect::Deleted, milk("3", 3), priced("4"), Effect::Stocked(5)],
            vec![milk("1", 1), priced("2"), Effect::Stocked(3), Effect::Deleted],
        ] {
            let in_order: Vec<usize> = (0..history.len()).collect();
            let expected = World::after(&history, &in_order).product;
            for order in orders(history.len()) {
                assert_eq!(World::after(&history, &order).product, expected, "{order:?} of {history:?}");
            }
        }
    }

    #[test]
    fn twice_is_once() {
        let history = [milk("1", 1), priced("2"), Effect::Deleted];
        let once = World::after(&history, &[0, 1, 2]);
        let twice = World::after(&history, &[0, 1, 2, 0, 1, 2, 1]);
        assert_eq!((once.product, once.seen), (twice.product, twice.seen));
    }

    #[test]
    fn among_equal_times_the_later_arrival_counts() {
        let stamp = |number| Stamp { at: Timestamp::from_micros(7).unwrap(), number };
        let mut seen = Seen::default();
        seen.note(Aspect::Price, stamp(2));
        let step = |number| Decision::of(priced("1"), true, true, &seen, stamp(number)).step;
        assert_eq!(step(1), Step::Superseded);
        assert!(matches!(step(3), Step::Change(_)));
    }

    #[test]
    fn a_product_is_made_only_under_a_name_of_the_source() {
        let stamp = Stamp { at: Timestamp::from_micros(7).unwrap(), number: 1 };
        let step = |effect, may| Decision::of(effect, false, may, &Seen::default(), stamp).step;
        assert!(matches!(step(milk("1", 1), true), Step::Create(_)));
        assert_eq!(step(milk("1", 1), false), Step::Missing);
        assert_eq!(step(priced("1"), true), Step::Missing);
        assert_eq!(step(Effect::Deleted, false), Step::Remove, "so that what is older stays gone");
    }
}
