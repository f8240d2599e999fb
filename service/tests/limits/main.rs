//! Quotas that replicas share through Redis: two limiters are two replicas.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, whose helpers clippy does not know as such"
)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal::limits::{Class, ClientKey, Limiter, Policy, Verdict};
use farmlokal::redis::Redis;
use farmlokal_testkit::redis::Server;

/// A whole test takes less of it than one request's worth.
const WINDOW: Duration = Duration::from_secs(86_400);
/// How long Redis is waited for.
const LIMIT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

fn replica(server: &Server, quota: u32, window: Duration) -> Limiter {
    let redis = Redis::open(&server.url().parse().unwrap(), LIMIT).unwrap();
    let policies = Class::ALL.map(|_| Some(Policy::new(quota, window)));
    Limiter::new(policies, Some(Arc::new(redis)))
}

fn client(last: u8) -> ClientKey {
    IpAddr::from([192, 0, 2, last]).into()
}

async fn ask(replica: &Limiter, client: &ClientKey) -> Verdict {
    replica.check(Class::Read, client, Instant::now()).await.unwrap()
}

/// How many of `requests`, sent to the replicas in turn, are admitted.
async fn admitted(replicas: &[Limiter], client: &ClientKey, requests: usize) -> usize {
    let mut admitted = 0;
    for replica in replicas.iter().cycle().take(requests) {
        admitted += usize::from(ask(replica, client).await.admitted);
    }
    admitted
}

/// How often Redis was asked.
fn calls(server: &Server) -> u64 {
    let said = server.run(&["INFO", "commandstats"]);
    let of = |command: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(command))?;
        line.strip_prefix(":calls=")?.split(',').next()?.parse::<u64>().ok()
    };
    of("cmdstat_evalsha").unwrap_or(0)
}

#[tokio::test]
async fn one_quota_for_all_replicas() {
    let server = Server::start();
    let replicas = [replica(&server, 20, WINDOW), replica(&server, 20, WINDOW)];
    let remaining = ask(&replicas[0], &client(1)).await.remaining;
    assert_eq!(remaining, 19);
    assert_eq!(ask(&replicas[1], &client(1)).await.remaining, 18, "each knows of the other");
    assert_eq!(admitted(&replicas, &client(1), 100).await, 18);
    assert_eq!(admitted(&replicas, &client(2), 100).await, 20, "another client, another quota");
    let verdict = replicas[1].check(Class::Write, &client(1), Instant::now()).await.unwrap();
    assert_eq!(verdict.remaining, 19, "another class, another quota");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_the_same_moment_get_no_more() {
    let server = Server::start();
    let replicas = Arc::new([replica(&server, 50, WINDOW), replica(&server, 50, WINDOW)]);
    let asking = (0..400).map(|n| {
        let replicas = Arc::clone(&replicas);
        tokio::spawn(async move { ask(&replicas[n % 2], &client(1)).await.admitted })
    });
    let mut admitted = 0;
    for asked in asking.collect::<Vec<_>>() {
        admitted += usize::from(asked.await.unwrap());
    }
    // Lots for those who waited may lie unused at one replica while the other refuses.
    assert!(admitted <= 50, "{admitted} of a quota of 50");
    let rest = self::admitted(&*replicas, &client(1), 100).await;
    assert_eq!(admitted + rest, 50, "and nothing is lost");
}

#[tokio::test]
async fn a_large_quota_is_taken_in_lots() {
    let server = Server::start();
    let replicas = [replica(&server, 6_400, WINDOW), replica(&server, 6_400, WINDOW)];
    assert_eq!(admitted(&replicas, &client(1), 2_000).await, 2_000);
    let asked = calls(&server);
    assert!((20..=22).contains(&asked), "Redis was asked {asked} times for 2,000 requests, 100 at once");
    assert_eq!(admitted(&replicas, &client(1), 6_000).await, 4_400, "and the sum is exact");
}

#[tokio::test]
async fn those_who_are_refused_do_not_reach_redis() {
    let server = Server::start();
    let replicas = [replica(&server, 5, WINDOW), replica(&server, 5, WINDOW)];
    assert_eq!(admitted(&replicas, &client(1), 20).await, 5);
    let before = calls(&server);
    assert_eq!(admitted(&replicas, &client(1), 1_000).await, 0);
    assert_eq!(calls(&server), before);
}

#[tokio::test]
async fn keys_end_with_what_they_hold() {
    let server = Server::start();
    let replica = replica(&server, 10, Duration::from_secs(10));
    ask(&replica, &client(1)).await;
    ask(&replica, &ClientKey::Client("farm {shop}".into())).await;
    let keys = server.run(&["KEYS", "*"]);
    assert!(keys.contains("farmlokal:limits:{read:address:192.0.2.1}"), "{keys}");
    for key in keys.lines() {
        let left: i64 = server.run(&["PTTL", key]).parse().unwrap();
        assert!((1..=1_000).contains(&left), "{key} lives for {left} ms; one request of ten in 10 s is over in 1 s");
    }
}

#[tokio::test]
async fn a_quota_comes_back_by_the_servers_clock() {
    let server = Server::start();
    let replicas = [replica(&server, 10, Duration::from_secs(1)), replica(&server, 10, Duration::from_secs(1))];
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < Duration::from_secs(1) {
        count += admitted(&replicas, &client(1), 2).await;
    }
    let passed = start.elapsed().as_millis() as usize;
    // Ten at once, and one each 100 ms.
    assert!(count <= 10 + passed / 100 + 1, "{count} in {passed} ms");
    assert!(count >= 15, "{count} in {passed} ms");
}

#[tokio::test]
async fn redis_that_lost_its_memory_hears_what_was_counted() {
    let server = Server::start();
    let replicas = [replica(&server, 10, WINDOW), replica(&server, 10, WINDOW)];
    assert_eq!(admitted(&replicas, &client(1), 6).await, 6);
    server.run(&["FLUSHALL"]);
    // The first replica has not heard of the last request, which the second one counted.
    assert_eq!(admitted(&replicas, &client(1), 100).await, 4 + 1, "no fresh quota");
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_out_for_a_window_at_most() {
    let server = Server::start();
    let replica = replica(&server, 10, Duration::from_secs(1));
    // What a server whose clock was a year ahead has left behind.
    server.run(&["SET", "farmlokal:limits:{read:address:192.0.2.1}", "1900000000000000"]);
    let refused = ask(&replica, &client(1)).await;
    assert!(!refused.admitted && refused.more_in <= Duration::from_secs(1), "{refused:?}");
    let start = Instant::now();
    while !ask(&replica, &client(1)).await.admitted {
        assert!(start.elapsed() < PATIENCE, "it is locked out");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Never an error, never unlimited, never blocked; and shared again without a restart.
async fn survives(break_it: impl FnOnce(Server) -> Box<dyn FnOnce() -> Server>) {
    let server = Server::start();
    let replicas = [replica(&server, 20, WINDOW), replica(&server, 20, WINDOW)];
    assert_eq!(admitted(&replicas, &client(1), 10).await, 10);
    let mend = break_it(server);
    let (mut more, mut slowest) = (0, Duration::ZERO);
    for n in 0..200 {
        let asked = Instant::now();
        more += usize::from(ask(&replicas[n % 2], &client(1)).await.admitted);
        slowest = slowest.max(asked.elapsed());
    }
    // The first replica has not heard of the last request, which the second one counted.
    assert!((10..=21).contains(&more), "{more} of the 10 that were left, each replica by itself");
    assert!(slowest < LIMIT + Duration::from_millis(500), "one waited for {slowest:?}");
    // One that Redis never heard of: each replica's own quota.
    assert_eq!(admitted(&replicas, &client(2), 200).await, 40);
    let server = mend();
    let deadline = Instant::now() + PATIENCE;
    for last in 3.. {
        if admitted(&replicas, &client(last), 50).await == 20 {
            break;
        }
        assert!(Instant::now() < deadline, "they do not share again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(server);
}

#[tokio::test]
async fn redis_killed_and_replaced() {
    survives(|server| {
        let port = server.port();
        drop(server);
        Box::new(move || Server::start_on(port, &[]))
    })
    .await;
}

#[tokio::test]
async fn redis_hanging() {
    survives(|server| {
        server.pause();
        Box::new(move || {
            server.resume();
            server
        })
    })
    .await;
}

#[tokio::test]
async fn redis_that_refuses() {
    survives(|server| {
        server.run(&["CONFIG", "SET", "maxmemory", "1"]);
        Box::new(move || {
            server.run(&["CONFIG", "SET", "maxmemory", "0"]);
            server
        })
    })
    .await;
}

/// A crowd of one client's requests waits for Redis once, not one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_waits_for_a_hanging_redis_once() {
    let server = Server::start();
    let replica = Arc::new(replica(&server, 1_000, WINDOW));
    ask(&replica, &client(9)).await;
    server.pause();
    let start = Instant::now();
    let crowd = (0..100).map(|_| {
        let replica = Arc::clone(&replica);
        tokio::spawn(async move { ask(&replica, &client(1)).await.admitted })
    });
    for asked in crowd.collect::<Vec<_>>() {
        assert!(asked.await.unwrap());
    }
    assert!(start.elapsed() < LIMIT + Duration::from_millis(500), "{:?}", start.elapsed());
}
