//! Redis with a password, with TLS, behind Sentinel, as a cluster.

use super::*;

/// Two replicas share through `url`, and see each other's writes.
async fn shares(url: &str) {
    let database = database().await;
    let one = replica(&database.url(), url).await.sharing().await;
    let other = replica(&database.url(), url).await.sharing().await;
    for stock in 1..=3 {
        one.set_stock(stock).await;
        assert!(other.shows(stock).await < WITHIN);
    }
    until("they share answers", async || {
        // A question of its own each time, first asked of one and then of the other.
        let path = format!("/v1/products?maxPrice={}", other.admin("cache").await["loads"]);
        one.get(&path).await;
        other.get(&path).await.headers()["cache-status"].to_str().unwrap().ends_with("detail=redis")
    })
    .await;
    one.stop().await;
    other.stop().await;
}

async fn server(options: &'static [&'static str]) -> redis::Server {
    tokio::task::spawn_blocking(move || redis::Server::start_with(options)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_password_and_a_database_of_its_own() {
    let server = server(&["--requirepass", "p@ss/word"]).await;
    shares(&format!("redis://:p%40ss%2Fword@127.0.0.1:{}/3", server.port())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_a_cluster() {
    let server = server(&["--cluster-enabled", "yes"]).await;
    server.run(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    until("the cluster is whole", async || server.run(&["CLUSTER", "INFO"]).contains("cluster_state:ok")).await;
    shares(&format!("redis+cluster://127.0.0.1:{}", server.port())).await;
}

/// The master dies, a replica takes its place, and nobody restarts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_sentinel_through_a_failover() {
    let (master, follower) = (redis().await, redis().await);
    follower.run(&["REPLICAOF", "127.0.0.1", &master.port().to_string()]);
    until("the follower follows", async || follower.run(&["INFO", "replication"]).contains("master_link_status:up"))
        .await;
    let (sentinel, master) =
        tokio::task::spawn_blocking(move || (redis::Server::sentinel("main", &master), master)).await.unwrap();
    until("the sentinel knows the follower", async || {
        sentinel.run(&["SENTINEL", "replicas", "main"]).contains(&follower.port().to_string())
    })
    .await;
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port());
    shares(&url).await;
    let database = database().await;
    let one = replica(&database.url(), &url).await.sharing().await;
    let other = replica(&database.url(), &url).await.sharing().await;
    one.set_stock(1).await;
    assert!(other.shows(1).await < WITHIN);
    drop(master);
    one.set_stock(2).await;
    assert!(other.shows(2).await < WITHIN, "the log tells, whoever is master");
    until("the follower is the master, and has answers", async || {
        one.stock().await;
        follower.run(&["ROLE"]).starts_with("master") && follower.run(&["KEYS", "*:lease"]).is_empty()
    })
    .await;
    follower.run(&["FLUSHALL"]);
    until("answers are kept there", async || {
        one.set_stock(3).await;
        one.stock().await;
        !follower.run(&["KEYS", "*:entry"]).is_empty()
    })
    .await;
    one.stop().await;
    other.stop().await;
}
