//! The number of products in each category, exact whatever happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use farmlokal_catalog::ProductPatch;
use farmlokal_catalog::store::{Store, StoreError};

use crate::engine::{Shop, conformance};
use crate::sample::{Dice, at, id, product};

conformance!(
    follow_a_product_through_its_life,
    tell_apart_what_differs,
    are_exact_after_concurrent_writers,
    are_exact_after_changes_that_were_refused,
);

const CATEGORIES: [&str; 6] = ["Dairy", "Eggs", "Fruits", "Grains", "Honey", "Vegetables"];

async fn follow_a_product_through_its_life(shop: &Shop) {
    let counted = async || counted(&*shop.store).await.into_iter().collect::<Vec<_>>();
    assert_eq!(counted().await, []);
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    assert_eq!(counted().await, [("Dairy".to_owned(), 2)]);
    shop.store.update(made.id, moved("Cheese"), None, at(1)).await.unwrap();
    assert_eq!(counted().await, [("Cheese".to_owned(), 1), ("Dairy".to_owned(), 1)]);
    shop.store.update(made.id, moved("Cheese"), None, at(1)).await.unwrap();
    assert_eq!(counted().await, [("Cheese".to_owned(), 1), ("Dairy".to_owned(), 1)]);
    shop.store.delete(made.id, None).await.unwrap();
    assert_eq!(counted().await, [("Dairy".to_owned(), 1)], "a category without products is none");
}

/// Categories are compared letter by letter, and listed in that order.
async fn tell_apart_what_differs(shop: &Shop) {
    let mut categories = ["Dairy", "dairy", "Däiry", "Dairy x", "Ǆ", "🥛", "乳", "\u{fffd}"];
    for category in categories {
        shop.store.create(product("Milk", category, "1.00"), at(0)).await.unwrap();
    }
    categories.sort_unstable();
    let listed = shop.store.categories().await.unwrap();
    assert_eq!(listed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), categories);
    assert!(listed.iter().all(|(_, products)| *products == 1), "{listed:?}");
}

/// Each of many writers creates, moves and removes what all of them see.
async fn are_exact_after_concurrent_writers(shop: &Shop) {
    let writers: Vec<_> = (0..12).map(|writer| tokio::spawn(write(Arc::clone(&shop.store), Dice(writer)))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(counted(&*shop.store).await, stored(shop).await);
}

async fn write(store: Arc<dyn Store>, mut dice: Dice) {
    for round in 0..60 {
        // Some are new, so that writers meet where nothing is yet.
        let category = format!("{} {}", dice.pick(&CATEGORIES), round / 10 % 2 * dice.below(20));
        // Few ids, so that writers meet; some are not there, or not yet.
        let some = id(1 + dice.below(40).cast_signed());
        let done = match dice.below(4) {
            0 | 1 => store.create(product("Milk", &category, "1.00"), at(0)).await.map(|_| ()),
            2 => store.update(some, moved(&category), None, at(1)).await.map(|_| ()),
            _ => store.delete(some, None).await,
        };
        assert!(matches!(done, Ok(()) | Err(StoreError::NotFound)), "{done:?}");
    }
}

async fn are_exact_after_changes_that_were_refused(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let before = shop.database.sql("SELECT products FROM categories ORDER BY name").await;
    let refused = shop.store.update(made.id, moved("Cheese"), Some(&[]), at(1)).await;
    assert!(matches!(refused, Err(StoreError::VersionMismatch { .. })), "{refused:?}");
    let refused = shop.store.delete(id(99), None).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert_eq!(shop.database.sql("SELECT products FROM categories ORDER BY name").await, before);
}

fn moved(category: &str) -> ProductPatch {
    ProductPatch { category: category.parse().ok(), ..ProductPatch::default() }
}

/// What the store says.
async fn counted(store: &dyn Store) -> BTreeMap<String, u64> {
    let categories = store.categories().await.unwrap();
    categories.into_iter().map(|(name, products)| (name.as_str().to_owned(), products)).collect()
}

/// What a count of the rows says.
async fn stored(shop: &Shop) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for category in shop.database.sql("SELECT category FROM products").await {
        *counts.entry(category).or_default() += 1;
    }
    counts
}
