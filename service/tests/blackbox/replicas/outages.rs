//! A server goes away, or comes back with nothing: answers stay right, and nobody has to restart.

use farmlokal_testkit::proxy::Proxy;

use super::*;

/// G6: Redis dies, comes back empty, hangs; every answer on the way is right and none takes long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_die_hang_and_come_back_empty() {
    let (database, server) = (database().await, redis().await);
    let one = replica(&database.url(), &server.url()).await.sharing().await;
    let other = replica(&database.url(), &server.url()).await.sharing().await;
    let mut stock = 0;
    let mut writes_are_seen = async || {
        for _ in 0..5 {
            stock += 1;
            let started = Instant::now();
            one.set_stock(stock).await;
            assert_eq!(one.stock().await.0, stock, "the writer's next request");
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
            let took = other.shows(stock).await;
            assert!(took < WITHIN, "{took:?}");
        }
    };
    writes_are_seen().await;
    let port = server.port();
    drop(server);
    writes_are_seen().await;
    let server = tokio::task::spawn_blocking(move || redis::Server::start_on(port, &[])).await.unwrap();
    writes_are_seen().await;
    until("answers are shared again", async || {
        one.stock().await;
        !server.run(&["KEYS", "*:entry"]).is_empty()
    })
    .await;
    server.pause();
    writes_are_seen().await;
    server.resume();
    writes_are_seen().await;
    one.stop().await;
    other.stop().await;
}

/// While the database is away, answers that were fresh a moment ago are given, within their bound; what was
/// never asked is 503; and afterwards all is fresh.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_may_be_away_for_a_while() {
    let database = database().await;
    let (proxy, url) = Proxy::before(&database.url()).await;
    let short = "[cache]\nttl_ms = 300\nstale_if_error_ms = 600000";
    let replica = replica_with(&url, "", short).await;
    assert_eq!(replica.stock().await.0, 0);
    proxy.cut();
    until("the answer is no longer fresh, and given all the same", async || {
        let (stock, status) = replica.stock().await;
        assert_eq!(stock, 0);
        status.contains("ttl=") && status.ends_with("detail=stale-if-error")
    })
    .await;
    assert_eq!(replica.get("/v1/products/2").await.status(), 503);
    write_and_crash(&database, 9).await;
    proxy.flow();
    assert!(replica.shows(9).await < WITHIN);
    replica.stop().await;
}
