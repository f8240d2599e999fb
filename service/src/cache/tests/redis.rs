//! Several processes and a real Redis: leases, voids, losses, garbage, faults.

use farmlokal_testkit::redis::Server;
use tokio::sync::Semaphore;

use super::*;
use crate::cache::fetch::Asked;
use crate::cache::lease::Turn;
use crate::cache::shared::{LEASE, Shared};
use crate::redis::Redis;

/// Patient with a busy machine, but for tests about patience.
const LIMIT: Duration = Duration::from_secs(5);

fn shared_with(server: &Server, limit: Duration) -> Shared {
    let redis = Redis::open(&server.url().parse().unwrap(), limit).unwrap();
    Shared::new(Arc::new(redis), "test")
}

fn shared(server: &Server) -> Shared {
    shared_with(server, LIMIT)
}

/// A process that shares what it has on `server`.
fn process(server: &Server) -> Arc<Cache<Broken>> {
    let cache = cache().0;
    assert!(cache.shared.set(shared(server)).is_ok());
    cache
}

/// What `relay` does each turn, without a log.
async fn meet(cache: &Cache<Broken>) {
    let shared = cache.shared.get().unwrap();
    let known = shared.meet(0, &[]).await.unwrap();
    for namespace in (0..Namespace::COUNT).filter_map(Namespace::at) {
        cache.generations.raise(namespace, known.of(namespace));
    }
    let higher = cache.generations.above(|namespace| known.of(namespace));
    shared.meet(0, &higher).await.unwrap();
}

async fn fetch(cache: &Arc<Cache<Broken>>, source: &Source) -> Served {
    cache.fetch(asked(), || source.clone().load()).await.unwrap()
}

/// Until the entry is there, not only its lease.
async fn until_kept(server: &Server) {
    until("an entry is kept", async || !server.run(&["KEYS", "*:entry"]).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_computes_the_other_finds() {
    let server = Server::start();
    let (one, other, source) = (process(&server), process(&server), Source::default());
    assert_eq!(fetch(&one, &source).await.origin, Origin::Computed);
    until_kept(&server).await;
    assert_eq!(fetch(&other, &source).await.origin, Origin::Shared);
    assert_eq!(fetch(&other, &source).await.origin, Origin::Local);
    assert_eq!(source.loads(), 1);
    assert_eq!(server.run(&["KEYS", "*:lease"]), "", "the lease was given back");
    let ttl: u64 = server.run(&["PTTL", &server.run(&["KEYS", "*:entry"])]).parse().unwrap();
    assert!((560_000..=630_000).contains(&ttl), "300 s and a tenth, and 300 s more for outages: {ttl}");
}

/// G2: while the lease lives, all processes together compute once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_misses_in_two_processes_are_one_computation() {
    let server = Server::start();
    let (processes, source) = ([process(&server), process(&server)], Source::default());
    let gate = Arc::new(Semaphore::new(0));
    let callers: Vec<_> = (0..1_000)
        .map(|number| {
            let (cache, source, gate) = (Arc::clone(&processes[number % 2]), source.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = async move {
                    let _ = gate.acquire().await;
                    source.load().await
                };
                cache.fetch(asked(), || load).await.unwrap().origin
            })
        })
        .collect();
    until("one has the lease", async || !server.run(&["KEYS", "*:lease"]).is_empty()).await;
    gate.add_permits(2);
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(source.loads(), 1);
}

/// Between a look that finds nothing and the lease, another process may compute and be done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_the_lease_after_all_is_done_computes_nothing() {
    let server = Server::start();
    let (one, other, source) = (process(&server), process(&server), Source::default());
    let (late, key) = (shared(&server), other.key(asked()));
    assert_eq!(late.get(&key).await.unwrap(), None);
    fetch(&one, &source).await;
    until_kept(&server).await;
    let (entry, leave) = late.lease(&key, "late").await.unwrap();
    assert!(leave && entry.is_some_and(|entry| entry.question == key.question));
    // And the cache goes by that: its first look is answered from before.
    late.release(&key, "late").await.unwrap();
    assert!(matches!(other.lease_or_entry(&late, &key).await, Turn::Computed(_)));
    assert_eq!(server.run(&["KEYS", "*:lease"]), "", "nobody has to wait for a lease that nobody uses");
    // What somebody else put there is no entry, and hinders nobody.
    server.run(&["DEL", &server.run(&["KEYS", "*:entry"])]);
    server.run(&["LPUSH", &late.entry(&key), "garbage"]);
    assert_eq!(late.lease(&key, "late").await.unwrap(), (None, true));
}

/// A process that dies with the lease keeps the others waiting no longer than the lease lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_ends_with_its_process() {
    let server = Server::start();
    let (dead, alive, source) = (shared(&server), process(&server), Source::default());
    let key = alive.key(asked());
    assert_eq!(dead.lease(&key, "dead").await.unwrap(), (None, true));
    let started = tokio::time::Instant::now();
    assert_eq!(fetch(&alive, &source).await.origin, Origin::Computed);
    assert!(started.elapsed() < LEASE * 2 + LIMIT, "{:?}", started.elapsed());
    // And what the dead one stores after all is not taken: its lease is gone.
    let late = Entry { answer: answer("late"), ..(*fetch(&alive, &source).await.entry).clone() };
    assert!(!dead.fill(&key, "dead", &late, LEASE).await.unwrap());
}

/// A void is done once for each change, however many repeat it, and every process hears the same.
#[tokio::test]
async fn a_change_that_is_told_twice_voids_once() {
    let server = Server::start();
    let (one, other) = (shared(&server), shared(&server));
    let touched = [(Namespace::Products, 5), (Namespace::Category(7), 9_999_999_999_999)];
    let news = one.void(12, &touched).await.unwrap().unwrap();
    assert_eq!(news.number, 12);
    assert!(news.raised[0].1 > 1_700_000_000_000_000, "the server's time: {news:?}");
    assert_eq!(news.raised[1].1, 9_999_999_999_999.max(news.raised[0].1), "or what the process had");
    assert_eq!(other.void(12, &touched).await.unwrap(), None);
    let again = other.void(13, &touched).await.unwrap().unwrap();
    assert!(again.raised[0].1 > news.raised[0].1);
    let snapshot = one.meet(40, &[]).await.unwrap();
    assert_eq!(snapshot.of(Namespace::Products), again.raised[0].1);
    assert_eq!(snapshot.of(Namespace::Category(8)), snapshot.base, "those that nobody touched");
    assert_eq!(one.meet(30, &[]).await.unwrap().position, Some(40), "a position only grows");
}

/// G7b: generations that are lost or set back revive no entry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generations_that_are_lost_or_set_back_revive_nothing() {
    let server = Server::start();
    let (cache, source) = (process(&server), Source::default());
    meet(&cache).await;
    let table = server.run(&["KEYS", "*generations}"]);
    fetch(&cache, &source).await;
    until_kept(&server).await;
    server.run(&["COPY", &table, "backup"]);

    source.value.store(1, Ordering::SeqCst);
    cache.void(1, &[Namespace::Products]).await;
    assert_eq!(body(&fetch(&cache, &source).await), "1");
    // Set back to before the write: the process that knows better says so, and one that starts then agrees.
    server.run(&["COPY", "backup", &table, "REPLACE"]);
    meet(&cache).await;
    let started = process(&server);
    meet(&started).await;
    assert_eq!(body(&fetch(&started, &source).await), "1");

    // Lost, with nobody left who knows: all begin at a time above every one before.
    server.run(&["DEL", &table]);
    source.value.store(2, Ordering::SeqCst);
    let started = process(&server);
    meet(&started).await;
    assert_eq!(body(&fetch(&started, &source).await), "2");
}

/// G9: whatever lies under a key, it is a miss, and is replaced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_under_a_key_is_a_miss_and_is_replaced() {
    let server = Server::start();
    let garbage: [&[&str]; 4] =
        [&["SET", "KEY", "garbage"], &["SET", "KEY", ""], &["LPUSH", "KEY", "x"], &["HSET", "KEY", "a", "b"]];
    for (number, command) in garbage.iter().enumerate() {
        let (cache, source) = (process(&server), Source::default());
        let ask = |number: usize| about(&number.to_string(), Namespace::Products);
        let name = format!("farmlokal:test:{{{:032x}}}:entry", cache.key(ask(number)).hash);
        let command: Vec<&str> = command.iter().map(|word| if *word == "KEY" { name.as_str() } else { word }).collect();
        server.run(&command);
        let served = cache.fetch(ask(number), || source.clone().load()).await.unwrap();
        assert_eq!((served.origin, body(&served).as_str()), (Origin::Computed, "0"), "{command:?}");
        let other = process(&server);
        until("it is replaced", async || {
            let cache: Arc<Cache<Broken>> = process(&server);
            let asked: Asked = ask(number);
            cache.fetch(asked, || source.clone().load()).await.unwrap().origin == Origin::Shared
        })
        .await;
        drop(other);
    }
}

/// Somebody else's things under the names of the generations are removed.
#[tokio::test]
async fn garbage_in_place_of_the_generations_is_removed() {
    let server = Server::start();
    let shared = shared(&server);
    shared.void(1, &[(Namespace::All, 1)]).await.unwrap();
    let (table, seen) = (server.run(&["KEYS", "*generations}"]), server.run(&["KEYS", "*:seen"]));
    for (kind, value) in
        [("SET", &["x"][..]), ("LPUSH", &["x"]), ("HSET", &["1", "soon", "base", "99999999999999999999"])]
    {
        for name in [&table, &seen] {
            server.run(&["DEL", name]);
            server.run(&[&[kind, name.as_str()], value].concat());
        }
        let news = shared.void(2, &[(Namespace::Products, 1)]).await.unwrap();
        assert!(news.is_some_and(|news| news.raised[0].1 > 1_700_000_000_000_000), "{kind}");
        server.run(&["DEL", &seen]);
    }
}

/// G6, full and read-only: right answers, nothing kept, and all well again afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_full_or_read_only_changes_no_answer() {
    let server = Server::start();
    let faults: [[&[&str]; 2]; 2] = [
        [&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]],
        [&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]],
    ];
    for [fault, repair] in faults {
        let (cache, source) = (process(&server), Source::default());
        server.run(fault);
        assert_eq!(fetch(&cache, &source).await.origin, Origin::Computed, "{fault:?}");
        source.value.store(1, Ordering::SeqCst);
        cache.void(0, &[Namespace::Products]).await;
        assert_eq!(body(&fetch(&cache, &source).await), "1", "{fault:?}");
        server.run(repair);
        meet(&cache).await;
        let other = process(&server);
        meet(&other).await;
        cache.void(0, &[Namespace::Products]).await;
        fetch(&cache, &source).await;
        until_kept(&server).await;
        server.run(&["FLUSHALL"]);
    }
}

/// G6, slow: an answer takes no longer than a few time limits, then the breaker opens and it takes none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_does_not_answer_holds_nobody_up() {
    let server = Server::start();
    let (cache, source, limit) = (cache().0, Source::default(), Duration::from_millis(100));
    assert!(cache.shared.set(shared_with(&server, limit)).is_ok());
    fetch(&cache, &source).await;
    server.pause();
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        let started = tokio::time::Instant::now();
        let asked = about(&number.to_string(), Namespace::Products);
        assert_eq!(cache.fetch(asked, || source.clone().load()).await.unwrap().origin, Origin::Computed);
        slowest = slowest.max(started.elapsed());
    }
    // Two calls before the load; the rest is what a busy machine may add.
    assert!(slowest < 2 * limit + Duration::from_secs(2), "{slowest:?}");
    let shared = cache.shared.get().unwrap();
    assert!(matches!(shared.get(&cache.key(asked())).await, Err(crate::redis::LinkError::Open)));
    server.resume();
    until("it is asked again", async || shared.get(&cache.key(asked())).await.is_ok()).await;
}
