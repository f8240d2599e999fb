//! Tokens are good at every replica of one issuer, whichever gave them.

use serde_json::json;

use super::{Replica, database, replica, replica_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_one_replica_is_good_at_the_other() {
    const SAME: &str = "[oauth]\nissuer = 'https://shop.example'";
    let database = database().await;
    let url = database.url();
    let (one, other) = (replica_with(&url, "", SAME).await, replica_with(&url, "", SAME).await);
    let stranger = replica(&url, "").await;
    for (at, from, status) in [(&one, &other, 200), (&other, &one, 200), (&stranger, &one, 401), (&one, &stranger, 401)]
    {
        assert_eq!(write(at, from).await, status);
    }
    for replica in [one, other, stranger] {
        replica.stop().await;
    }
}

/// What `at` answers to a write with a token of `from`.
async fn write(at: &Replica, from: &Replica) -> u16 {
    let request = at.client.patch(format!("http://{}/v1/products/1", at.app.address)).bearer_auth(&from.token);
    request.json(&json!({"stock": 5})).send().await.unwrap().status().as_u16()
}
