//! Callers that go away in the middle of a call.

use std::time::Duration;

use farmlokal_catalog::store::Options;

use crate::engine::{Shop, conformance};
use crate::sample::{Dice, Row, at, filter, limit, product, query};

conformance!(leave_the_connection_to_the_next_one);

async fn leave_the_connection_to_the_next_one(shop: &Shop) {
    let rows: Vec<Row> = (1..=2_000)
        .map(|id| Row {
            id,
            details: product(&format!("{} {id}", "long name ".repeat(18)), "Fruits", "1.00"),
            created_at: at(id),
        })
        .collect();
    shop.insert(&rows).await;
    let store = shop.reopen(&Options { max_connections: 1, ..Options::default() }).await;
    let mut dice = Dice(1);
    let query = query(&filter("", "", ""), "", "");
    for round in 0..3000 {
        let (reader, asked) = (store.clone(), query.clone());
        let task =
            tokio::spawn(async move { reader.list(&asked, None, limit(100)).await.map(|page| page.products.len()) });
        tokio::time::sleep(Duration::from_micros(dice.below(3_000))).await;
        task.abort();
        let _ = task.await;
        if round % 10 == 0 {
            let found = store.get(crate::sample::id(7)).await;
            assert!(found.is_ok(), "round {round}: {found:?}");
        }
    }
}

/// Wherever in an answer the network stalls and the caller gives up, the one connection of the pool
/// serves the next caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_in_the_middle_of_an_answer() {
    use crate::engine::{Mariadb, Proxy};
    let shop = Shop::open::<Mariadb>().await;
    let rows: Vec<Row> = (1..=100)
        .map(|id| Row { id, details: product(&format!("Milk {id}"), "Fruits", "1.00"), created_at: at(id) })
        .collect();
    shop.insert(&rows).await;
    let (proxy, url) = Proxy::before(&shop.database.raw_url()).await;
    let store = farmlokal_catalog::store::open(&url, None, &Options { max_connections: 1, ..Options::default() })
        .await
        .unwrap();
    let query = query(&filter("", "", ""), "", "");
    for bytes in (1..2_000).step_by(13) {
        store.get(crate::sample::id(7)).await.unwrap();
        proxy.stall_after(bytes);
        let (reader, asked) = (store.clone(), query.clone());
        let task =
            tokio::spawn(async move { reader.list(&asked, None, limit(100)).await.map(|page| page.products.len()) });
        proxy.stalled().await;
        task.abort();
        let _ = task.await;
        proxy.flow();
        let found = store.get(crate::sample::id(7)).await;
        assert!(found.is_ok(), "{bytes} bytes: {found:?}");
    }
}
