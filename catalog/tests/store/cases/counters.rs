//! The number of products in each category, exact whatever happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use farmlokal_catalog::ProductPatch;
use farmlokal_catalog::store::{Store, StoreError};

use crate::engine::{Shop, conformance};
use crate::sample::{Dice, at, id, product};

conformance!(are_exact_after_concurrent_writers);

const CATEGORIES: [&str; 6] = ["Dairy", "Eggs", "Fruits", "Grains", "Honey", "Vegetables"];

/// Each of many writers creates, moves and removes what all of them see.
async fn are_exact_after_concurrent_writers(shop: &Shop) {
    let writers: Vec<_> = (0..12).map(|writer| tokio::spawn(write(Arc::clone(&shop.store), Dice(writer)))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(counted(&*shop.store).await, stored(shop).await);
}

async fn write(store: Arc<dyn Store>, mut dice: Dice) {
    for _ in 0..60 {
        let category = *dice.pick(&CATEGORIES);
        // Few ids, so that writers meet; some are not there, or not yet.
        let some = id(1 + dice.below(40).cast_signed());
        let done = match dice.below(4) {
            0 | 1 => store.create(product("Milk", category, "1.00"), at(0)).await.map(|_| ()),
            2 => {
                let patch = ProductPatch { category: category.parse().ok(), ..ProductPatch::default() };
                store.update(some, patch, None, at(1)).await.map(|_| ())
            }
            _ => store.delete(some, None).await,
        };
        assert!(matches!(done, Ok(()) | Err(StoreError::NotFound)), "{done:?}");
    }
}

/// What the store says.
async fn counted(store: &dyn Store) -> BTreeMap<String, u64> {
    store.categories().await.unwrap().into_iter().map(|(name, products)| (name.as_str().to_owned(), products)).collect()
}

/// What a count of the rows says.
async fn stored(shop: &Shop) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for category in shop.database.sql("SELECT category FROM products").await {
        *counts.entry(category).or_default() += 1;
    }
    counts
}
