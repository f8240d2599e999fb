//! Every listing gives what it should in the order it should, the same on each engine.

use farmlokal_catalog::{Filter, Position};

use crate::engine::{Shop, conformance};
use crate::model::{self, orders};
use crate::sample::{Dice, Row, at, filter, id, limit, product, query};
use crate::walk::{ids, walk};

conformance!(
    every_listing_is_what_the_model_says,
    names_are_sorted_without_case_and_accents,
    names_alike_for_long_are_ordered_by_id,
    a_page_starts_behind_what_is_gone,
    a_page_may_be_the_last_one_exactly,
    nothing_is_listed_where_nothing_is,
    wide_and_narrow_price_ranges_have_one_order,
);

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for category in ["", "Fruits", "fruits", "Honey", "no such"] {
        for (min, max) in [("", ""), ("2.00", ""), ("", "2.00"), ("1.50", "3.00"), ("2.00", "2.00"), ("77.00", "")] {
            filters.push(filter(category, min, max));
        }
    }
    filters
}

/// Few names, prices and moments, so that most of them occur many times.
fn rows(count: i64) -> Vec<Row> {
    let mut dice = Dice(7);
    (1..=count)
        .map(|id| {
            let name =
                dice.pick(&["Milk", "milk", "Mílk", "Ghee", "Żurek", "zebu", "दूध", "🍎", "Milk 2", "Milk-2", "a"]);
            let category = dice.pick(&["Fruits", "Fruits", "fruits", "Honey"]);
            let price = dice.pick(&["0", "1.50", "2.00", "2.01", "3.00", "9999999999.99"]);
            Row { id, details: product(name, category, price), created_at: at(dice.below(4).cast_signed()) }
        })
        .collect()
}

async fn every_listing_is_what_the_model_says(shop: &Shop) {
    let rows = rows(400);
    shop.insert(&rows).await;
    let mut dice = Dice(11);
    for filter in filters() {
        for order in orders() {
            let query = query(&filter, &order.to_string());
            let listed = walk(&*shop.store, &query, || limit(1 + dice.below(100).cast_signed())).await;
            assert_eq!(ids(&listed), model::listing(&rows, &filter, order), "{query:?}");
        }
    }
}

/// By code point, once what is folded is folded.
async fn names_are_sorted_without_case_and_accents(shop: &Shop) {
    let sorted = [
        "\u{301}",
        "\"Quoted\"",
        "10 eggs",
        "9 eggs",
        "apple",
        "ÄPPLE a",
        "apple b",
        "Äpple c",
        "apple-b",
        "Appleb",
        "E\u{301}clair",
        "ﬁg",
        "Figs",
        "Strasse",
        "straße",
        "zebu",
        "Żurek",
        "ябло",
        "Яблоко",
        "दूध",
        "\u{fffd}",
        "🍎",
    ];
    for name in sorted.iter().rev() {
        shop.store.create(product(name, "Fruits", "1.00"), at(0)).await.unwrap();
    }
    let names = async |order| {
        let listed = walk(&*shop.store, &query(&filter("", "", ""), order), || limit(3)).await;
        listed.into_iter().map(|product| product.details.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("name").await, sorted);
    assert_eq!(names("-name").await, sorted.into_iter().rev().collect::<Vec<_>>());
}

/// The key is the beginning of a name; one that ends in a space there must not be taken for another.
async fn names_alike_for_long_are_ordered_by_id(shop: &Shop) {
    let long = "a".repeat(63);
    for name in
        [format!("{long} b"), long.clone(), format!("{long} \u{301}"), format!("{long} a"), long[..62].to_owned()]
    {
        shop.store.create(product(&name, "Fruits", "1.00"), at(0)).await.unwrap();
    }
    for (order, wanted) in [("name", [5, 1, 2, 3, 4]), ("-name", [4, 3, 2, 1, 5])] {
        assert_eq!(ids(&walk(&*shop.store, &query(&filter("", "", ""), order), || limit(1)).await), wanted);
    }
}

async fn a_page_starts_behind_what_is_gone(shop: &Shop) {
    let rows = rows(60);
    shop.insert(&rows).await;
    let everything = filter("", "", "");
    for order in orders() {
        let query = query(&everything, &order.to_string());
        let page = shop.store.list(&query, None, limit(10)).await.unwrap();
        let last = page.products.last().unwrap();
        shop.store.delete(last.id, None).await.unwrap();
        let behind = shop.store.list(&query, page.next.as_ref(), limit(100)).await.unwrap();
        let mut both = ids(&page.products);
        both.extend(ids(&behind.products));
        let gone = last.id.get();
        let details = last.details.clone();
        let created_at = last.created_at;
        // Made again, for the next order.
        shop.insert(&[Row { id: gone, details, created_at }]).await;
        assert_eq!(both, model::listing(&rows, &everything, order), "{query:?}");
    }
}

async fn a_page_may_be_the_last_one_exactly(shop: &Shop) {
    shop.insert(&rows(20)).await;
    let query = query(&filter("", "", ""), "");
    let page = shop.store.list(&query, None, limit(20)).await.unwrap();
    assert_eq!((page.products.len(), page.next), (20, None));
    let page = shop.store.list(&query, None, limit(19)).await.unwrap();
    assert_eq!((page.products.len(), &page.next), (19, &Some(Position::Id(id(19)))));
    let page = shop.store.list(&query, page.next.as_ref(), limit(19)).await.unwrap();
    assert_eq!((page.products.len(), page.next), (1, None));
    let behind = Position::Id(id(i64::MAX));
    let page = shop.store.list(&query, Some(&behind), limit(19)).await.unwrap();
    assert_eq!((page.products.len(), page.next), (0, None));
}

async fn nothing_is_listed_where_nothing_is(shop: &Shop) {
    for filter in filters() {
        for order in orders() {
            let query = query(&filter, &order.to_string());
            let page = shop.store.list(&query, None, limit(20)).await.unwrap();
            assert_eq!((page.products.len(), page.next), (0, None), "{query:?}");
        }
    }
}

/// A range with more than two thousand matches is walked rather than sorted; nobody may notice, not
/// even where the number of matches passes that mark between two pages.
async fn wide_and_narrow_price_ranges_have_one_order(shop: &Shop) {
    let mut dice = Dice(13);
    let rows: Vec<Row> = (1..=2_600)
        .map(|id| {
            let price = if id % 13 == 0 { "9.00" } else { "1.00" };
            let name = format!("Milk {}", dice.below(50));
            Row { id, details: product(&name, "Dairy", price), created_at: at(dice.below(30).cast_signed()) }
        })
        .collect();
    shop.insert(&rows).await;
    for filter in [filter("", "0.50", "1.50"), filter("Dairy", "", "1.00"), filter("Dairy", "8.00", "")] {
        for order in orders() {
            let query = query(&filter, &order.to_string());
            let listed = walk(&*shop.store, &query, || limit(100)).await;
            assert_eq!(ids(&listed), model::listing(&rows, &filter, order), "{query:?}");
        }
    }
    // 2,400 match; when 500 of those that lie ahead are gone, fewer than the mark do.
    let filter = filter("", "0.50", "1.50");
    for order in ["name", "-createdAt", "id"] {
        let query = query(&filter, order);
        let wanted = model::listing(&rows, &filter, order.parse().unwrap());
        let page = shop.store.list(&query, None, limit(100)).await.unwrap();
        let hidden: Vec<String> = wanted[1_900..].iter().map(i64::to_string).collect();
        let hidden = hidden.join(", ");
        shop.database.sql(&format!("UPDATE products SET price = 9000000 WHERE id IN ({hidden})")).await;
        let next = shop.store.list(&query, page.next.as_ref(), limit(100)).await.unwrap();
        let price = shop.database.price("1.00".parse().unwrap());
        shop.database.sql(&format!("UPDATE products SET price = {price} WHERE id IN ({hidden})")).await;
        assert_eq!(ids(&next.products), wanted[100..200], "{query:?}");
    }
}
