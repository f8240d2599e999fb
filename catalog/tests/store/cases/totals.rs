//! Totals are exact up to ten thousand, and say so when there are more.

use farmlokal_catalog::{SearchText, Total};

use crate::engine::{Shop, conformance};
use crate::model;
use crate::sample::{Row, at, filter, product};

conformance!(are_exact_up_to_the_cap, nothing_totals_nothing);

async fn are_exact_up_to_the_cap(shop: &Shop) {
    let rows: Vec<Row> = (1..=Total::CAP.into())
        .map(|id| {
            let category = if id % 4 == 0 { "Eggs" } else { "Dairy" };
            let price = if id % 3 == 0 { "1.00" } else { "2.00" };
            let name = if id % 2 == 0 { "Milk" } else { "Buttermilk" };
            Row { id, details: product(name, category, price), created_at: at(0) }
        })
        .collect();
    shop.insert(&rows).await;
    let milk: SearchText = "milk".parse().unwrap();
    for (category, min, max) in [("", "", ""), ("Eggs", "", ""), ("", "1.50", ""), ("Eggs", "", "1.00"), ("no", "", "")]
    {
        let filter = filter(category, min, max);
        let wanted = |word: &str| {
            let found = rows.iter().filter(|row| model::matches(&filter, &row.details));
            Total::Exact(found.filter(|row| row.details.name.as_str().contains(word)).count() as u32)
        };
        assert_eq!(shop.store.total(&filter, None).await.unwrap(), wanted(""), "{filter:?}");
        assert_eq!(shop.store.total(&filter, Some(&milk)).await.unwrap(), wanted("Milk"), "{filter:?}");
    }
    let made = shop.store.create(product("Milk", "Dairy", "2.00"), at(0)).await.unwrap();
    assert_eq!(shop.store.total(&filter("", "", ""), None).await.unwrap(), Total::AtLeast(Total::CAP));
    let grown: SearchText = "grown".parse().unwrap();
    assert_eq!(shop.store.total(&filter("", "", ""), Some(&grown)).await.unwrap(), Total::AtLeast(Total::CAP));
    assert_eq!(shop.store.total(&filter("", "", "2.00"), None).await.unwrap(), Total::AtLeast(Total::CAP));
    shop.store.delete(made.id, None).await.unwrap();
    assert_eq!(shop.store.total(&filter("", "", ""), None).await.unwrap(), Total::Exact(Total::CAP));
}

async fn nothing_totals_nothing(shop: &Shop) {
    let signs: SearchText = "+-*".parse().unwrap();
    let word: SearchText = "milk".parse().unwrap();
    for filter in [filter("", "", ""), filter("Dairy", "", ""), filter("", "1.00", ""), filter("Dairy", "1.00", "")] {
        for search in [None, Some(&signs), Some(&word)] {
            assert_eq!(shop.store.total(&filter, search).await.unwrap(), Total::Exact(0));
        }
    }
}
