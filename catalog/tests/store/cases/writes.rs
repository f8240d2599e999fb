//! Products are made, changed and removed.

use farmlokal_catalog::store::StoreError;
use farmlokal_catalog::{ProductPatch, Version};

use crate::engine::{Shop, conformance, patient};
use crate::sample::{at, id, priced, product};

conformance!(
    what_is_made_is_found,
    what_is_changed_is_found,
    what_is_removed_is_gone,
    a_patch_of_every_field_changes_every_field,
    a_patch_without_a_difference_changes_nothing,
    a_clock_set_back_changes_no_order,
    what_is_not_there_is_not_found,
    an_id_is_never_given_again,
);

async fn what_is_made_is_found(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    assert_eq!(made.details, product("Milk", "Dairy", "12.50"));
    assert_eq!((made.created_at, made.updated_at, made.version), (at(1), at(1), Version::FIRST));
    assert_eq!(shop.store.get(made.id).await.unwrap(), made);
    let next = shop.store.create(product("Milk", "Dairy", "12.50"), at(2)).await.unwrap();
    assert!(next.id > made.id, "the same product twice is two products, in the order they were made");
}

async fn what_is_changed_is_found(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    let changed = shop.store.update(made.id, priced("13.00"), None, at(2)).await.unwrap();
    assert_eq!(changed.details, product("Milk", "Dairy", "13.00"));
    assert_eq!((changed.created_at, changed.updated_at, changed.version.get()), (at(1), at(2), 2));
    assert_eq!(shop.store.get(made.id).await.unwrap(), changed);
    assert_eq!(shop.reopen(&patient()).await.get(made.id).await.unwrap(), changed);
}

async fn what_is_removed_is_gone(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    shop.store.delete(made.id, None).await.unwrap();
    assert!(matches!(shop.store.get(made.id).await, Err(StoreError::NotFound)));
    assert!(matches!(shop.store.delete(made.id, None).await, Err(StoreError::NotFound)));
}

async fn a_patch_of_every_field_changes_every_field(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    let patch = ProductPatch {
        name: "Ghee".parse().ok(),
        description: "".parse().ok(),
        category: "Fats".parse().ok(),
        price: "0".parse().ok(),
        currency: "EUR".parse().ok(),
        unit: "jar".parse().ok(),
        producer: "Patel".parse().ok(),
        stock: Some(0),
    };
    let wanted = patch.clone().apply(product("all", "other", "1.00"));
    let changed = shop.store.update(made.id, patch, None, at(2)).await.unwrap();
    assert_eq!(changed.details, wanted);
    assert_eq!(shop.store.get(made.id).await.unwrap().details, wanted);
}

async fn a_patch_without_a_difference_changes_nothing(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    let same = ProductPatch { name: "Milk".parse().ok(), ..priced("12.5") };
    for patch in [ProductPatch::default(), same] {
        assert_eq!(shop.store.update(made.id, patch, None, at(2)).await.unwrap(), made);
        assert_eq!(shop.store.get(made.id).await.unwrap(), made);
    }
    // The case of a letter is a difference, whatever the database's collation says.
    let louder = ProductPatch { name: "MILK".parse().ok(), ..ProductPatch::default() };
    assert_eq!(shop.store.update(made.id, louder, None, at(2)).await.unwrap().version.get(), 2);
    assert_eq!(shop.store.get(made.id).await.unwrap().details.name.as_str(), "MILK");
}

async fn a_clock_set_back_changes_no_order(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    let changed = shop.store.update(made.id, priced("1.00"), None, at(-7)).await.unwrap();
    assert_eq!((changed.updated_at, changed.version.get()), (at(1), 2));
    assert_eq!(shop.store.get(made.id).await.unwrap(), changed);
}

async fn what_is_not_there_is_not_found(shop: &Shop) {
    for missing in [1, 7, i64::MAX] {
        assert!(matches!(shop.store.get(id(missing)).await, Err(StoreError::NotFound)));
        assert!(matches!(shop.store.update(id(missing), priced("1.00"), None, at(1)).await, Err(StoreError::NotFound)));
        assert!(matches!(shop.store.delete(id(missing), None).await, Err(StoreError::NotFound)));
    }
    assert_eq!(shop.store.categories().await.unwrap(), []);
}

async fn an_id_is_never_given_again(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap();
    let highest = shop.store.create(product("Milk", "Dairy", "12.50"), at(1)).await.unwrap().id;
    shop.store.delete(highest, None).await.unwrap();
    shop.store.close().await;
    let reopened = shop.reopen(&patient()).await;
    let next = reopened.create(product("Milk", "Dairy", "12.50"), at(2)).await.unwrap().id;
    assert!(next > highest, "{next} after {highest}");
}
