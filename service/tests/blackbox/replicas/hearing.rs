//! How a replica hears of what another one wrote.

use super::*;

/// The other's next answer has the write: the news are there before the writer is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_seen_by_the_other_replica_at_once() {
    let (database, redis) = (database().await, redis().await);
    let one = replica(&database.url(), &redis.url()).await.sharing().await;
    let other = replica(&database.url(), &redis.url()).await.sharing().await;
    until("the other listens", async || redis.run(&["PUBSUB", "CHANNELS"]).contains("generations")).await;
    until("both listen", async || redis.run(&["CLIENT", "LIST", "TYPE", "pubsub"]).lines().count() == 2).await;
    for stock in 1..=20 {
        one.set_stock(stock).await;
        let took = other.shows(stock).await;
        assert!(took < WITHIN, "{took:?}");
        // Kept, and shared: the first one finds what the other computed.
        until("it is kept", async || other.stock().await.1.contains("; hit;")).await;
        assert_eq!(one.stock().await.0, stock);
    }
    assert!(other.admin("cache").await["operations"]["getProduct"]["redis"].as_u64().is_some());
    one.stop().await;
    other.stop().await;
}

/// G5: without news, from the log and from meeting Redis, within a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_seen_within_a_second_when_the_news_are_lost() {
    let (database, redis) = (database().await, redis().await);
    let one = replica(&database.url(), &redis.url()).await.sharing().await;
    let other = replica(&database.url(), &redis.url()).await.sharing().await;
    for stock in 1..=5 {
        assert_eq!(other.stock().await.0, stock - 1);
        redis.run(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        one.set_stock(stock).await;
        let took = other.shows(stock).await;
        assert!(took < WITHIN, "{took:?}");
    }
    one.stop().await;
    other.stop().await;
}

/// Without Redis the log alone tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_without_redis_stay_right() {
    let database = database().await;
    let (one, other) = (replica(&database.url(), "").await, replica(&database.url(), "").await);
    for stock in 1..=5 {
        assert_eq!(other.stock().await.0, stock - 1);
        one.set_stock(stock).await;
        assert_eq!(one.stock().await.0, stock, "the writer itself, at once");
        let took = other.shows(stock).await;
        assert!(took < WITHIN, "{took:?}");
    }
    one.stop().await;
    other.stop().await;
}

/// G7: a crash between the commit and the telling, with others there who read the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crashed_writer_did_not_tell_is_told_by_the_others() {
    let (database, redis) = (database().await, redis().await);
    let one = replica(&database.url(), &redis.url()).await.sharing().await;
    let other = replica(&database.url(), &redis.url()).await.sharing().await;
    for stock in 1..=5 {
        until("both keep it", async || {
            one.stock().await.1.contains("; hit;") && other.stock().await.1.contains("; hit;")
        })
        .await;
        write_and_crash(&database, stock).await;
        for replica in [&one, &other] {
            let took = replica.shows(stock.into()).await;
            assert!(took < WITHIN, "{took:?}");
        }
    }
    let voids = redis.run(&["LLEN", &redis.run(&["KEYS", "*:seen"])]);
    assert!(voids.parse::<u64>().unwrap() >= 5, "each was told once: {voids}");
    one.stop().await;
    other.stop().await;
}

/// G7, nobody there: what Redis has is from before the crash, and the next process to start knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_while_nobody_ran_is_not_missed() {
    let (database, redis) = (database().await, redis().await);
    let mut written = 0;
    for _ in 0..3 {
        let replica = replica(&database.url(), &redis.url()).await.sharing().await;
        until("it shows what is there", async || replica.stock().await.0 == u64::from(written)).await;
        until("it is kept in Redis", async || !redis.run(&["KEYS", "*:entry"]).is_empty()).await;
        replica.stop().await;
        written += 1;
        write_and_crash(&database, written).await;
    }
    let last = replica(&database.url(), &redis.url()).await.sharing().await;
    assert_eq!(last.stock().await.0, u64::from(written), "the first answer out of Redis is fresh");
    last.stop().await;
}

/// A flush on one replica is one on all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_reaches_all_replicas() {
    let (database, redis) = (database().await, redis().await);
    let one = replica(&database.url(), &redis.url()).await.sharing().await;
    let other = replica(&database.url(), &redis.url()).await.sharing().await;
    until("it is kept", async || other.stock().await.1.contains("; hit;")).await;
    let before = other.admin("cache").await["loads"].as_u64().unwrap();
    let url = format!("http://{}/v1/admin/cache/flush", one.app.admin_address);
    assert_eq!(one.client.post(url).body(r#"{"namespace": "product:1"}"#).send().await.unwrap().status(), 200);
    until("it is computed anew", async || {
        other.stock().await;
        other.admin("cache").await["loads"].as_u64().unwrap() > before
    })
    .await;
    one.stop().await;
    other.stop().await;
}
