//! Giving and taking tokens together, where a server from outside cannot make it happen.

use farmlokal_catalog::store::{self, Options, Store, StoreError};
use tempfile::TempDir;

use super::*;
use crate::config::Secret;

const ISSUER: &str = "https://shop.example";

fn start() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).unwrap()
}

/// A store, with its tables or without.
async fn store(folder: &TempDir, migrated: bool) -> Arc<dyn Store> {
    let url = format!("sqlite:{}", folder.path().join("oauth.db").display()).parse().unwrap();
    if migrated {
        store::migrate(&url).await.unwrap();
    }
    store::open(&url, None, &Options::default()).await.unwrap()
}

/// An issuer with a demo client, on `store`.
async fn service(store: &Arc<dyn Store>, issuer: &str) -> (OAuth, Credentials) {
    let store: Arc<dyn OAuthStore> = Arc::<dyn Store>::clone(store);
    let mut clients = Clients::new(Arc::clone(&store)).unwrap();
    let demo = clients.add_demo(start()).await.unwrap();
    let settings = config::OAuth {
        issuer: None,
        token_lifetime: Duration::from_secs(600),
        key_rotation: Duration::from_secs(86_400),
        key_secret: Secret::new(String::new()),
    };
    (OAuth::new(store, clients, &settings, issuer.to_owned(), Arc::new(start)).unwrap(), demo)
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused_though_the_keys_are_the_same() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder, true).await;
    let (ours, demo) = service(&store, ISSUER).await;
    let (other, _) = service(&store, "https://other.example").await;
    let token = ours.issue(&demo, Some("admin")).await.unwrap().token;
    let refused = other.authorize(Some(&token), &[]).await;
    assert!(matches!(refused, Err(OAuthError::InvalidToken("was issued by somebody else"))), "{refused:?}");
    assert_eq!(&*ours.authorize(Some(&token), &[Scope::Admin]).await.unwrap().client_id, "demo");
    let refused = ours.authorize(Some(&token), &[Scope::Admin, Scope::CatalogWrite]).await;
    assert!(matches!(refused, Err(OAuthError::InsufficientScope(Scope::CatalogWrite))), "{refused:?}");
}

/// Who is refused for a lost database would throw good credentials away.
#[tokio::test]
async fn a_lost_database_is_not_a_wrong_token() {
    let (folder, lost) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (ours, demo) = service(&store(&folder, true).await, ISSUER).await;
    let token = ours.issue(&demo, None).await.unwrap().token;
    let (without, demo) = service(&store(&lost, false).await, ISSUER).await;
    for outcome in [
        without.authorize(Some(&token), &[]).await.map(|_| ()),
        without.issue(&demo, None).await.map(|_| ()),
        without.issue(&Credentials { id: "flc_x".to_owned(), ..demo }, None).await.map(|_| ()),
        without.jwks().await.map(|_| ()),
    ] {
        assert!(matches!(outcome, Err(OAuthError::Store(StoreError::Unavailable(_)))), "{outcome:?}");
    }
}
