//! Events and their marks in Redis: quick, and never believed.

use farmlokal::webhooks::SigningSecret;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn send(replica: &Replica, id: &str, stock: u64) -> u16 {
    let body = json!({"type": "stock.changed", "data": {"id": 1, "stock": stock}}).to_string();
    let at = chrono::Utc::now().timestamp();
    let request = replica
        .client
        .post(format!("http://{}/v1/webhooks/farm-hub", replica.app.address))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", SECRET.parse::<SigningSecret>().unwrap().sign(id, at, body.as_bytes()));
    request.body(body).send().await.unwrap().status().as_u16()
}

/// A mark before its event would have a crash lose it: here there are marks without events, events without
/// marks, and no Redis at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_decides_whatever_redis_remembers() {
    let (database, redis) = (database().await, redis().await);
    let sources = format!("[webhooks]\nsources = 'farm-hub={SECRET}'\npoll_ms = 20");
    let replica = replica_with(&database.url(), &redis.url(), &sources).await;
    redis.run(&["SET", "webhook_event:farm-hub:evt-1", "1"]);
    assert_eq!(send(&replica, "evt-1", 5).await, 202, "marked, and new all the same");
    assert!(replica.shows(5).await < WITHIN);
    assert_eq!(send(&replica, "evt-2", 6).await, 202);
    assert!(redis.run(&["TTL", "webhook_event:farm-hub:evt-2"]).parse::<u64>().unwrap() > 86_000);
    for _ in 0..2 {
        assert_eq!(send(&replica, "evt-2", 6).await, 200, "there before");
        assert_eq!(send(&replica, "evt-2", 7).await, 409, "another one under its id");
        redis.run(&["FLUSHALL"]);
    }
    drop(redis);
    assert_eq!(send(&replica, "evt-2", 6).await, 200);
    assert_eq!(send(&replica, "evt-3", 8).await, 202);
    assert!(replica.shows(8).await < WITHIN);
    replica.stop().await;
}
