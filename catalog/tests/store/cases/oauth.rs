//! Clients and signing keys are kept as they are given, and what was revoked stays revoked.

use std::sync::Arc;

use farmlokal_catalog::store::oauth::{Hidden, OAuthClient, OAuthKey};

use crate::engine::{Shop, conformance};
use crate::sample::at;

conformance!(
    clients_are_kept_as_they_are,
    an_id_is_given_once,
    a_changed_secret_leaves_one_before_it,
    a_disabled_client_stays_so,
    keys_are_kept_until_they_retire,
    of_several_successors_one_is_kept,
    nothing_secret_is_shown,
);

fn client(id: &str) -> OAuthClient {
    OAuthClient {
        id: id.to_owned(),
        name: "Käse & Söhne".to_owned(),
        scope: "catalog:read catalog:write".to_owned(),
        secret_hash: Hidden("$argon2id$first".to_owned()),
        previous: None,
        created_at: at(1),
        disabled_at: None,
    }
}

fn key(number: i64) -> OAuthKey {
    let kid = format!("kid-{number}");
    let (public, private) = (vec![4, 0, 255, 13], Hidden(vec![0, 39, 92, 200, 0]));
    OAuthKey { number, kid, public, private, created_at: at(100 * number), retired_at: None }
}

async fn clients_are_kept_as_they_are(shop: &Shop) {
    let before = Some((Hidden("$argon2id$before".to_owned()), at(5)));
    let full = OAuthClient { previous: before, disabled_at: Some(at(9)), ..client("b") };
    for client in [&full, &client("a")] {
        assert!(shop.store.add_oauth_client(client).await.unwrap());
        assert_eq!(shop.store.oauth_client(&client.id).await.unwrap().as_ref(), Some(client));
    }
    assert_eq!(shop.store.oauth_clients().await.unwrap(), [client("a"), full]);
    for other in ["", "A", "c", "a ", "ä", "a\0", "' OR 1=1 --"] {
        assert_eq!(shop.store.oauth_client(other).await.unwrap(), None, "{other:?}");
    }
}

async fn an_id_is_given_once(shop: &Shop) {
    assert!(shop.store.add_oauth_client(&client("a")).await.unwrap());
    let second = OAuthClient { name: "Somebody else".to_owned(), ..client("a") };
    assert!(!shop.store.add_oauth_client(&second).await.unwrap());
    shop.store.disable_oauth_client("a", at(2)).await.unwrap();
    assert!(!shop.store.add_oauth_client(&second).await.unwrap(), "nor the id of a disabled one");
    assert_eq!(shop.store.oauth_client("a").await.unwrap().unwrap().name, "Käse & Söhne");
}

async fn a_changed_secret_leaves_one_before_it(shop: &Shop) {
    shop.store.add_oauth_client(&client("a")).await.unwrap();
    shop.store.add_oauth_client(&client("b")).await.unwrap();
    let hidden = |text: &str| Hidden(text.to_owned());
    assert!(shop.store.change_oauth_secret("a", &hidden("second"), at(50)).await.unwrap());
    let changed = shop.store.oauth_client("a").await.unwrap().unwrap();
    let expected =
        OAuthClient { secret_hash: hidden("second"), previous: Some((client("a").secret_hash, at(50))), ..client("a") };
    assert_eq!(changed, expected);
    assert!(shop.store.change_oauth_secret("a", &hidden("third"), at(60)).await.unwrap());
    let changed = shop.store.oauth_client("a").await.unwrap().unwrap();
    assert_eq!((changed.secret_hash, changed.previous), (hidden("third"), Some((hidden("second"), at(60)))));
    assert_eq!(shop.store.oauth_client("b").await.unwrap(), Some(client("b")), "nobody else's");
    assert!(!shop.store.change_oauth_secret("c", &hidden("x"), at(60)).await.unwrap());
}

async fn a_disabled_client_stays_so(shop: &Shop) {
    shop.store.add_oauth_client(&client("a")).await.unwrap();
    assert!(!shop.store.disable_oauth_client("b", at(7)).await.unwrap());
    assert!(shop.store.disable_oauth_client("a", at(7)).await.unwrap());
    assert!(!shop.store.disable_oauth_client("a", at(8)).await.unwrap());
    assert!(!shop.store.change_oauth_secret("a", &Hidden("x".to_owned()), at(60)).await.unwrap());
    let disabled = OAuthClient { disabled_at: Some(at(7)), ..client("a") };
    assert_eq!(shop.store.oauth_client("a").await.unwrap(), Some(disabled));
}

async fn keys_are_kept_until_they_retire(shop: &Shop) {
    assert_eq!(shop.store.oauth_keys(at(0)).await.unwrap(), []);
    assert!(shop.store.add_oauth_key(&key(1), at(0)).await.unwrap());
    assert_eq!(shop.store.oauth_keys(at(0)).await.unwrap(), [key(1)]);
    assert!(shop.store.add_oauth_key(&key(2), at(250)).await.unwrap());
    let first = OAuthKey { retired_at: Some(at(250)), ..key(1) };
    assert_eq!(shop.store.oauth_keys(at(249)).await.unwrap(), [first.clone(), key(2)]);
    assert_eq!(shop.store.oauth_keys(at(250)).await.unwrap(), [key(2)]);
    // A later end does not prolong what ends already, and an earlier one counts.
    assert!(shop.store.add_oauth_key(&key(3), at(400)).await.unwrap());
    let left: Vec<_> = shop.store.oauth_keys(at(0)).await.unwrap().iter().map(|key| key.number).collect();
    assert_eq!(left, [2, 3], "the first one had retired before the third was made, and is forgotten");
    assert!(shop.store.add_oauth_key(&key(4), at(390)).await.unwrap());
    let ends: Vec<_> = shop.store.oauth_keys(at(0)).await.unwrap().iter().map(|key| key.retired_at).collect();
    assert_eq!(ends, [None], "those two have retired before the fourth was made");
}

/// Replicas make a successor at the same moment: one is kept, the others learn it.
async fn of_several_successors_one_is_kept(shop: &Shop) {
    for number in 1..=5 {
        let make = |replica: u8| {
            let store = Arc::clone(&shop.store);
            let key = OAuthKey { kid: format!("of-{replica}"), ..key(number) };
            tokio::spawn(async move { store.add_oauth_key(&key, at(9_000)).await.map(|kept| kept.then_some(key.kid)) })
        };
        let replicas: Vec<_> = (0..6).map(make).collect();
        let mut kept = Vec::new();
        for replica in replicas {
            kept.extend(replica.await.unwrap().unwrap());
        }
        let stored = shop.store.oauth_keys(at(0)).await.unwrap();
        assert_eq!(kept, [stored.last().unwrap().kid.clone()]);
        assert_eq!(stored.len(), number as usize);
    }
}

async fn nothing_secret_is_shown(shop: &Shop) {
    shop.store.add_oauth_client(&client("a")).await.unwrap();
    shop.store.change_oauth_secret("a", &Hidden("$argon2id$second".to_owned()), at(60)).await.unwrap();
    shop.store.add_oauth_key(&key(1), at(0)).await.unwrap();
    let shown = format!("{:?} {:?}", shop.store.oauth_clients().await.unwrap(), shop.store.oauth_keys(at(0)).await);
    assert!(!shown.contains("argon2id") && !shown.contains("39, 92"), "{shown}");
}
