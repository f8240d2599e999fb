//! What is measured, a line each.

use farmlokal_catalog::{Filter, Invalid, Limit, Order, PriceRange, Query};

use super::ask::{Ask, Listing};
use super::draw::{Draw, first, first_of_few};

/// A kind of request.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// The next request of it.
    pub(super) draw: fn(&mut Draw) -> Result<Ask, Invalid>,
}

/// The cases whose P50 a target compares: they take turns, so that both have the same weather.
pub(super) const PAGE_1: &str = "page 1 of ten rows";
pub(super) const PAGE_100_000: &str = "the last 1 % of such pages";
/// The case that another target is about.
pub(super) const MIXED: &str = "mixed load";

const fn case(name: &'static str, draw: fn(&mut Draw) -> Result<Ask, Invalid>) -> Case {
    Case { name, draw }
}

/// Every case, one group after the other; those of a group take turns.
pub(super) const GROUPS: &[&[Case]] = &[
    &[case("first page", |_| first(Filter::default(), None))],
    &[case(PAGE_1, |_| page_1()), case(PAGE_100_000, Draw::last_by_id)],
    &[case("last pages of ten, `sort=-price`", Draw::last_by_price)],
    &[case("category", |draw| first(category(draw)?, None))],
    &[case("price range, Rs 0.50", |draw| first_of_few(prices(draw, 50)?, None))],
    &[case("price range, Rs 5", |draw| first_of_few(prices(draw, 500)?, None))],
    &[case("price range, Rs 100", |draw| first(prices(draw, 10_000)?, None))],
    &[case("price range, Rs 0.50 to 200, `sort=price`", |draw| first_of_few(any_prices(draw)?, by("price")?))],
    &[case("price range, Rs 0.50 to 200, `sort=name`", |draw| first_of_few(any_prices(draw)?, by("name")?))],
    &[case("category and price range", |draw| first_of_few(category_and_prices(draw)?, None))],
    &[case("`sort=-id`", |_| first(Filter::default(), by("-id")?))],
    &[case("`sort=price`", |_| first(Filter::default(), by("price")?))],
    &[case("`sort=-price`", |_| first(Filter::default(), by("-price")?))],
    &[case("`sort=name`", |_| first(Filter::default(), by("name")?))],
    &[case("`sort=-name`", |_| first(Filter::default(), by("-name")?))],
    &[case("`sort=createdAt`", |_| first(Filter::default(), by("createdAt")?))],
    &[case("`sort=-createdAt`", |_| first(Filter::default(), by("-createdAt")?))],
    &[case("category, any sort", |draw| {
        let order = draw.order();
        first(category(draw)?, Some(order))
    })],
    &[case("one product", |draw| Ok(Ask::product(draw.product()?.id)))],
    &[case("categories", |_| Ok(Ask::categories()))],
    &[case("category, `total=true`", |draw| total(category(draw)?))],
    &[case(MIXED, mixed)],
];

/// What a shop is asked, all of it kept in no cache.
pub(super) fn mixed(draw: &mut Draw) -> Result<Ask, Invalid> {
    match draw.below(100) {
        0..30 => first(Filter::default(), None),
        30..50 => first(category(draw)?, None),
        50..65 => first_of_few(category_and_prices(draw)?, None),
        65..75 => first_of_few(any_prices(draw)?, None),
        75..80 => draw.last_by_id(),
        80..85 => draw.last_by_price(),
        85..90 => {
            let order = draw.order();
            first(category(draw)?, Some(order))
        }
        _ => Ok(Ask::product(draw.product()?.id)),
    }
}

fn page_1() -> Result<Ask, Invalid> {
    let listing = Listing {
        query: Query::new(Filter::default(), None, None)?,
        limit: Limit::new(10)?,
        after: None,
        total: false,
    };
    Ok(Ask::listing(listing, 10..=10))
}

fn total(filter: Filter) -> Result<Ask, Invalid> {
    let listing = Listing { query: Query::new(filter, None, None)?, limit: Limit::default(), after: None, total: true };
    Ok(Ask::listing(listing, 20..=20))
}

fn by(order: &str) -> Result<Option<Order>, Invalid> {
    order.parse().map(Some)
}

fn category(draw: &mut Draw) -> Result<Filter, Invalid> {
    let category = draw.product()?.details.category;
    Ok(Filter { category: Some(category), price: PriceRange::default() })
}

fn prices(draw: &mut Draw, paise: i64) -> Result<Filter, Invalid> {
    let price = draw.product()?.details.price;
    Ok(Filter { category: None, price: draw.around(price, paise)? })
}

fn any_prices(draw: &mut Draw) -> Result<Filter, Invalid> {
    let width = draw.any_width();
    prices(draw, width)
}

fn category_and_prices(draw: &mut Draw) -> Result<Filter, Invalid> {
    let (details, width) = (draw.product()?.details, draw.any_width());
    Ok(Filter { category: Some(details.category), price: draw.around(details.price, width)? })
}
