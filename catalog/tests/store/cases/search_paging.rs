//! A search is paged through without gap or repeat, whatever else it is asked for.

use std::collections::HashSet;

use farmlokal_catalog::{Filter, Order};

use crate::engine::{Shop, conformance};
use crate::model::{self, orders};
use crate::sample::{Dice, Row, at, filter, limit, product, query};
use crate::walk::{ids, walk};

conformance!(
    is_complete_in_every_order,
    by_relevance_is_one_order_whatever_the_pages,
    by_relevance_ends_at_the_thousandth
);

/// Products of which some are a match, and most are alike.
fn rows(count: i64) -> Vec<Row> {
    let mut dice = Dice(17);
    (1..=count)
        .map(|id| {
            let name = ["Goat Milk", "Goat Cheese", "Cow Milk"][(id % 3) as usize];
            let price = dice.pick(&["1.00", "2.00", "3.00"]);
            let mut details = product(name, dice.pick(&["Dairy", "dairy"]), price);
            details.description = "goat ".repeat(dice.below(4) as usize).parse().unwrap();
            Row { id, details, created_at: at(dice.below(3).cast_signed()) }
        })
        .collect()
}

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for category in ["", "Dairy", "none"] {
        for (min, max) in [("", ""), ("1.50", ""), ("2.00", "2.00")] {
            filters.push(filter(category, min, max));
        }
    }
    filters
}

fn is_match(row: &Row) -> bool {
    let texts = format!("{} {}", row.details.name, row.details.description).to_lowercase();
    texts.contains("goat") && texts.contains("milk")
}

async fn is_complete_in_every_order(shop: &Shop) {
    let rows = rows(500);
    shop.insert(&rows).await;
    let mut dice = Dice(19);
    for filter in filters() {
        for order in orders().chain([Order::Relevance]) {
            let query = query(&filter, "goat mil", &order.to_string());
            let mut found = ids(&walk(&*shop.store, &query, || limit(1 + dice.below(40).cast_signed())).await);
            let by_id = "id".parse().unwrap();
            let wanted = match order {
                // Which are the best is the engine's to say.
                Order::Relevance => {
                    found.sort_unstable();
                    by_id
                }
                order => order,
            };
            let matches = rows.iter().filter(|row| is_match(row));
            assert_eq!(found, model::listing(matches, &filter, wanted), "{query:?}");
        }
    }
}

async fn by_relevance_is_one_order_whatever_the_pages(shop: &Shop) {
    shop.insert(&rows(250)).await;
    let query = query(&filter("", "", ""), "goat mil", "");
    let whole = walk(&*shop.store, &query, || limit(100)).await;
    for size in [1, 7, 83, 84] {
        assert_eq!(walk(&*shop.store, &query, || limit(size)).await, whole, "{size} a page");
    }
}

async fn by_relevance_ends_at_the_thousandth(shop: &Shop) {
    let rows: Vec<Row> =
        (1..=1_200).map(|id| Row { id, details: product("Milk", "Dairy", "1.00"), created_at: at(0) }).collect();
    shop.insert(&rows).await;
    let found = ids(&walk(&*shop.store, &query(&filter("", "", ""), "milk", ""), || limit(100)).await);
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), 1_000);
    assert_eq!(found.len(), 1_000);
    let by_price = ids(&walk(&*shop.store, &query(&filter("", "", ""), "milk", "price"), || limit(100)).await);
    assert_eq!(by_price.len(), 1_200, "another order goes on to the end");
}
