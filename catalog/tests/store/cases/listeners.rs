//! Each write is told once it is committed, and the log says the same.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use farmlokal_catalog::ProductPatch;
use farmlokal_catalog::store::{Change, Listener, Listeners, Options};

use crate::engine::{Shop, conformance, patient};
use crate::sample::{at, id, priced, product};

conformance!(writes_are_told_with_their_categories, what_does_not_change_is_not_told, old_and_bulk_changes_concern_all,);

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<Change>>);

#[async_trait]
impl Listener for Notes {
    async fn committed(&self, change: &Change) {
        self.0.lock().unwrap().push(change.clone());
    }
}

async fn with_notes(shop: &Shop) -> (Arc<dyn farmlokal_catalog::store::Store>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    let options = Options { listeners: Listeners::default().with(notes.clone()), ..patient() };
    (shop.reopen(&options).await, notes)
}

/// Number, product and categories: the time is the database's own.
fn gist(changes: &[Change]) -> Vec<(u64, Option<i64>, Vec<String>)> {
    let categories = |change: &Change| change.categories.iter().map(ToString::to_string).collect();
    changes.iter().map(|change| (change.number, change.product.map(|id| id.get()), categories(change))).collect()
}

async fn writes_are_told_with_their_categories(shop: &Shop) {
    let (store, notes) = with_notes(shop).await;
    let made = store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    store.update(made.id, priced("2.00"), None, at(1)).await.unwrap();
    let moved = ProductPatch { category: "Drinks".parse().ok(), ..ProductPatch::default() };
    store.update(made.id, moved, None, at(2)).await.unwrap();
    store.delete(made.id, None).await.unwrap();
    let told = gist(&notes.0.lock().unwrap().clone());
    let categories: Vec<_> = told.iter().map(|(_, _, categories)| categories.join(" ")).collect();
    assert_eq!(categories, ["Dairy", "Dairy", "Dairy Drinks", "Drinks"]);
    assert!(told.iter().all(|(_, product, _)| *product == Some(made.id.get())));
    assert_eq!(gist(&store.changes(0, &[], 100).await.unwrap()), told, "the log says the same");
}

async fn what_does_not_change_is_not_told(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let (store, notes) = with_notes(shop).await;
    store.update(id(1), priced("1.00"), None, at(1)).await.unwrap();
    store.update(id(2), priced("1.00"), None, at(1)).await.unwrap_err();
    store.update(id(1), priced("3.00"), Some(&[]), at(1)).await.unwrap_err();
    store.delete(id(2), None).await.unwrap_err();
    assert_eq!(gist(&notes.0.lock().unwrap()), []);
}

/// What an earlier version of this program wrote, which knew no categories, and a bulk load.
async fn old_and_bulk_changes_concern_all(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    for product in ["7", "NULL"] {
        let sql = format!("INSERT INTO product_changes (product_id, at) SELECT {product}, created_at FROM products");
        shop.database.sql(&sql).await;
    }
    let changes = gist(&shop.store.changes(0, &[], 100).await.unwrap());
    let expected = [(Some(made.id.get()), vec!["Dairy".to_owned()]), (Some(7), vec![]), (None, vec![])];
    let found: Vec<_> = changes.into_iter().map(|(_, product, categories)| (product, categories)).collect();
    assert_eq!(found, expected);
}
