//! A change with an expected version happens only to that version.

use std::sync::Arc;

use farmlokal_catalog::store::StoreError;
use farmlokal_catalog::{ProductPatch, Version};

use crate::engine::{Shop, conformance};
use crate::sample::{at, priced, product};

conformance!(
    the_expected_version_is_changed,
    another_version_is_left_alone,
    an_expectation_holds_for_a_patch_without_a_difference,
    what_is_not_there_has_no_version,
    of_concurrent_changes_to_one_version_one_happens,
);

fn version(number: i64) -> Version {
    Version::new(number).unwrap()
}

async fn the_expected_version_is_changed(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(1)).await.unwrap();
    shop.store.update(made.id, priced("2.00"), Some(&[version(1)]), at(2)).await.unwrap();
    shop.store.update(made.id, priced("3.00"), Some(&[version(9), version(2)]), at(3)).await.unwrap();
    shop.store.delete(made.id, Some(&[version(3)])).await.unwrap();
    assert!(matches!(shop.store.get(made.id).await, Err(StoreError::NotFound)));
}

async fn another_version_is_left_alone(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(1)).await.unwrap();
    let made = shop.store.update(made.id, priced("2.00"), None, at(2)).await.unwrap();
    for expected in [&[][..], &[version(1)], &[version(3), version(1)]] {
        let update = shop.store.update(made.id, priced("3.00"), Some(expected), at(3)).await.map(|_| ());
        let delete = shop.store.delete(made.id, Some(expected)).await;
        for refused in [update, delete] {
            let Err(StoreError::VersionMismatch { current }) = refused else { panic!("{refused:?}") };
            assert_eq!(current, version(2));
        }
        assert_eq!(shop.store.get(made.id).await.unwrap(), made);
    }
    assert_eq!(shop.store.categories().await.unwrap(), [("Dairy".parse().unwrap(), 1)]);
}

async fn an_expectation_holds_for_a_patch_without_a_difference(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(1)).await.unwrap();
    let nothing = shop.store.update(made.id, ProductPatch::default(), Some(&[version(2)]), at(2)).await;
    assert!(matches!(nothing, Err(StoreError::VersionMismatch { .. })), "{nothing:?}");
    let nothing = shop.store.update(made.id, ProductPatch::default(), Some(&[version(1)]), at(2)).await;
    assert_eq!(nothing.unwrap(), made);
}

async fn what_is_not_there_has_no_version(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(1)).await.unwrap();
    shop.store.delete(made.id, None).await.unwrap();
    let update = shop.store.update(made.id, priced("2.00"), Some(&[version(1)]), at(2)).await;
    assert!(matches!(update, Err(StoreError::NotFound)), "{update:?}");
    let delete = shop.store.delete(made.id, Some(&[version(1)])).await;
    assert!(matches!(delete, Err(StoreError::NotFound)), "{delete:?}");
}

async fn of_concurrent_changes_to_one_version_one_happens(shop: &Shop) {
    let made = shop.store.create(product("Milk", "Dairy", "1.00"), at(1)).await.unwrap();
    for round in 1..=10 {
        let change = |writer: i64| {
            let (store, id) = (Arc::clone(&shop.store), made.id);
            let patch = priced(&format!("{}.00", 100 * round + writer));
            tokio::spawn(async move { store.update(id, patch, Some(&[version(round)]), at(2)).await })
        };
        let writers: Vec<_> = (0..8).map(change).collect();
        let mut winners = Vec::new();
        for writer in writers {
            match writer.await.unwrap() {
                Ok(product) => winners.push(product),
                Err(StoreError::VersionMismatch { current }) => assert_eq!(current, version(round + 1)),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(winners, [shop.store.get(made.id).await.unwrap()]);
    }
}
