//! How a database is named.

use farmlokal_catalog::store;

use crate::engine::{Database as _, Mariadb, Sqlite, patient};

#[tokio::test]
async fn mariadb_by_either_of_its_names() {
    let database = Mariadb::empty().await;
    store::migrate(&database.url()).await.unwrap();
    for scheme in ["mysql://", "mariadb://"] {
        let url = database.raw_url().replacen("mysql://", scheme, 1).parse().unwrap();
        store::migrate(&url).await.unwrap();
        store::open(&url, None, &patient()).await.unwrap().ping().await.unwrap();
    }
}

/// As `sqlite:path`, `sqlite:/path` and `sqlite:///path`, in a folder that need not be there.
#[tokio::test]
async fn sqlite_by_any_kind_of_path() {
    let database = Sqlite::empty().await;
    let path = database.raw_url().trim_start_matches("sqlite:").to_owned();
    for (scheme, folder) in [("sqlite:", "a"), ("sqlite://", "b/c"), ("sqlite:", "with%20space")] {
        let url = format!("{scheme}{path}.{folder}/catalogue.db").parse().unwrap();
        store::migrate(&url).await.unwrap();
        store::open(&url, None, &patient()).await.unwrap().ping().await.unwrap();
    }
    assert!(std::fs::exists(format!("{path}.with space/catalogue.db")).unwrap());
}
