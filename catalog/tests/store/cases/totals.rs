//! Totals are exact up to ten thousand, and say so when there are more.

use farmlokal_catalog::Total;

use crate::engine::{Shop, conformance};
use crate::model;
use crate::sample::{Row, at, filter, product};

conformance!(are_exact_up_to_the_cap, nothing_totals_nothing);

async fn are_exact_up_to_the_cap(shop: &Shop) {
    let rows: Vec<Row> = (1..=Total::CAP.into())
        .map(|id| {
            let category = if id % 4 == 0 { "Eggs" } else { "Dairy" };
            let price = if id % 3 == 0 { "1.00" } else { "2.00" };
            Row { id, details: product("Milk", category, price), created_at: at(0) }
        })
        .collect();
    shop.insert(&rows).await;
    for (category, min, max) in [("", "", ""), ("Eggs", "", ""), ("", "1.50", ""), ("Eggs", "", "1.00"), ("no", "", "")]
    {
        let filter = filter(category, min, max);
        let wanted = rows.iter().filter(|row| model::matches(&filter, &row.details)).count() as u32;
        assert_eq!(shop.store.total(&filter).await.unwrap(), Total::Exact(wanted), "{filter:?}");
    }
    let made = shop.store.create(product("Milk", "Dairy", "2.00"), at(0)).await.unwrap();
    assert_eq!(shop.store.total(&filter("", "", "")).await.unwrap(), Total::AtLeast(Total::CAP));
    assert_eq!(shop.store.total(&filter("", "", "2.00")).await.unwrap(), Total::AtLeast(Total::CAP));
    shop.store.delete(made.id, None).await.unwrap();
    assert_eq!(shop.store.total(&filter("", "", "")).await.unwrap(), Total::Exact(Total::CAP));
}

async fn nothing_totals_nothing(shop: &Shop) {
    for filter in [filter("", "", ""), filter("Dairy", "", ""), filter("", "1.00", ""), filter("Dairy", "1.00", "")] {
        assert_eq!(shop.store.total(&filter).await.unwrap(), Total::Exact(0));
    }
}
