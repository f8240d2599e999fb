//! Events are kept once, applied once, in whatever order they come, by however many workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::inbox::{NewEvent, Receipt, SourceName, State};
use farmlokal_catalog::store::{Options, Store, StoreError};

use crate::engine::{Mariadb, Shop, conformance, patient};
use crate::sample::{at, id, limit, product};

conformance!(
    an_event_is_kept_once,
    thirty_at_once_are_one,
    an_event_leaves_what_a_write_leaves,
    late_events_undo_nothing,
    an_event_that_comes_before_its_product_waits_for_it,
    what_can_never_be_applied_is_parked_at_once,
    what_nothing_is_done_for_is_ignored,
    workers_make_a_new_product_once,
    a_worker_that_dies_doubles_and_loses_nothing,
    a_try_that_broke_off_counts,
    events_are_listed_newest_first,
    only_what_is_done_is_forgotten,
);

fn source(name: &str) -> SourceName {
    name.parse().unwrap()
}

/// The event `name` of `kind` that happened at `second`, about the product `data` names.
fn event(name: &str, kind: &str, second: i64, data: &str) -> NewEvent {
    NewEvent {
        source: source("farm-hub"),
        id: name.parse().unwrap(),
        kind: kind.parse().unwrap(),
        occurred_at: at(second),
        payload: format!(r#"{{"type": "{kind}", "data": {data}}}"#).into_bytes(),
        traceparent: None,
        state: State::Pending,
    }
}

fn milk(name: &str, second: i64, price: &str) -> NewEvent {
    let details = r#""name": "Milk", "category": "Dairy", "unit": "l", "producer": "Farm", "stock": 1"#;
    event(name, "product.upserted", second, &format!(r#"{{"externalId": "M", "price": "{price}", {details}}}"#))
}

async fn receive(store: &dyn Store, event: &NewEvent) -> u64 {
    match store.receive(event, at(100)).await.unwrap() {
        Receipt::Accepted(event) => event.number,
        other => panic!("{other:?}"),
    }
}

/// Twice, a minute later each time; then parked.
fn twice(_: u64, attempts: u32) -> Option<Timestamp> {
    (attempts <= 2).then(|| at(100 + 60 * i64::from(attempts)))
}

async fn process(store: &dyn Store, number: u64, now: i64) -> Option<State> {
    store.process(number, at(now), &twice).await.unwrap()
}

async fn take(store: &dyn Store, event: &NewEvent) -> Option<State> {
    let number = receive(store, event).await;
    process(store, number, 100).await
}

async fn outcome(store: &dyn Store, name: &str) -> (State, u32, String) {
    let (event, _) = store.event(&source("farm-hub"), &name.parse().unwrap()).await.unwrap().unwrap();
    (event.state, event.attempts, event.outcome)
}

async fn an_event_is_kept_once(shop: &Shop) {
    let sent = NewEvent {
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        ..event("e-1 ünïcode", "x.y", 3, "[]")
    };
    let Receipt::Accepted(accepted) = shop.store.receive(&sent, at(7)).await.unwrap() else { panic!() };
    assert_eq!((accepted.occurred_at, accepted.received_at, accepted.next_at), (at(3), at(7), at(7)));
    let kept = shop.store.event(&sent.source, &sent.id).await.unwrap().unwrap();
    assert_eq!(kept, (accepted.clone(), sent.payload.clone()));
    assert_eq!(shop.store.receive(&sent, at(8)).await.unwrap(), Receipt::Duplicate(accepted));
    let other = NewEvent { payload: b"{}".to_vec(), ..sent.clone() };
    assert_eq!(shop.store.receive(&other, at(9)).await.unwrap(), Receipt::Conflict);
    // Ids are compared letter by letter, and belong to their source.
    for (name, from) in [("E-1 ünïcode", "farm-hub"), ("e-1 unicode", "farm-hub"), ("e-1 ünïcode", "other")] {
        let sent = NewEvent { source: source(from), id: name.parse().unwrap(), ..sent.clone() };
        receive(&*shop.store, &sent).await;
    }
    let unknown = shop.store.event(&sent.source, &"e-2".parse().unwrap()).await.unwrap();
    assert_eq!(unknown, None);
}

/// The numbers of up to `limit` events that are due.
async fn due(store: &dyn Store, seconds: i64, limit: u32) -> Vec<u64> {
    store.due(at(seconds), limit).await.unwrap().into_iter().map(|due| due.number).collect()
}

async fn thirty_at_once_are_one(shop: &Shop) {
    let stores = [Arc::clone(&shop.store), shop.reopen(&patient()).await];
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..30 {
        let store = Arc::clone(&stores[n % 2]);
        senders.spawn(async move {
            let receipt = store.receive(&milk("m-1", 1, "2.00"), at(100)).await.unwrap();
            // Every one of them also tries to apply it, as fast as it can.
            for number in due(&*store, 100, 10).await {
                process(&*store, number, 100).await;
            }
            matches!(receipt, Receipt::Accepted(_))
        });
    }
    let accepted = senders.join_all().await.into_iter().filter(|accepted| *accepted).count();
    assert_eq!(accepted, 1);
    assert_eq!(outcome(&*shop.store, "m-1").await, (State::Processed, 0, "made product 1".into()));
    assert_eq!(shop.database.sql("SELECT COUNT(*) FROM products").await.len(), 1);
    assert_eq!(shop.store.changes(0, &[], 100).await.unwrap().len(), 1);
    assert!(matches!(shop.store.get(id(2)).await, Err(StoreError::NotFound)));
}

async fn an_event_leaves_what_a_write_leaves(shop: &Shop) {
    let store = &*shop.store;
    assert_eq!(take(store, &milk("1", 1, "2.00")).await, Some(State::Processed));
    let made = store.get(id(1)).await.unwrap();
    assert_eq!((made.details.price.to_string().as_str(), made.created_at), ("2.00", at(100)));
    take(store, &event("2", "price.changed", 2, r#"{"externalId": "M", "price": "3.00"}"#)).await;
    take(store, &event("3", "stock.changed", 3, r#"{"id": 1, "stock": 9}"#)).await;
    take(store, &event("4", "stock.changed", 4, r#"{"id": 1, "stock": 9}"#)).await;
    let changed = store.get(id(1)).await.unwrap();
    assert_eq!((changed.details.price.to_string().as_str(), changed.details.stock), ("3.00", 9));
    assert_eq!(changed.version.get(), 3, "what changes nothing is no change");
    assert_eq!(outcome(store, "4").await.2, "found nothing to change in product 1");
    take(store, &event("5", "product.deleted", 5, r#"{"externalId": "M"}"#)).await;
    assert!(matches!(store.get(id(1)).await, Err(StoreError::NotFound)));
    let log = store.changes(0, &[], 100).await.unwrap();
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|change| change.product == Some(id(1)) && change.categories[0].as_str() == "Dairy"));
    assert_eq!(store.categories().await.unwrap(), []);
    assert_eq!(process(store, 1, 100).await, None, "done is done");
    // Another product under the same name, and the same name of another source.
    take(store, &milk("6", 6, "4.00")).await;
    take(store, &NewEvent { source: source("other"), ..milk("6", 6, "5.00") }).await;
    let prices = [2, 3].map(|product| store.get(id(product)));
    let [own, others] = prices;
    assert_eq!(own.await.unwrap().details.price.to_string(), "4.00");
    assert_eq!(others.await.unwrap().details.price.to_string(), "5.00");
}

async fn late_events_undo_nothing(shop: &Shop) {
    let store = &*shop.store;
    take(store, &milk("1", 10, "1.00")).await;
    take(store, &event("2", "price.changed", 30, r#"{"externalId": "M", "price": "3.00"}"#)).await;
    take(store, &event("3", "price.changed", 20, r#"{"externalId": "M", "price": "2.00"}"#)).await;
    assert_eq!(outcome(store, "3").await, (State::Processed, 0, "superseded by newer events".into()));
    take(store, &event("4", "product.deleted", 25, r#"{"externalId": "M"}"#)).await;
    take(store, &milk("5", 29, "2.50")).await;
    assert_eq!(store.get(id(1)).await.unwrap().details.price.to_string(), "3.00");
    take(store, &event("6", "product.deleted", 40, r#"{"externalId": "M"}"#)).await;
    take(store, &milk("7", 35, "3.50")).await;
    take(store, &event("8", "stock.changed", 39, r#"{"externalId": "M", "stock": 4}"#)).await;
    for name in ["7", "8"] {
        assert_eq!(outcome(store, name).await.2, "superseded by newer events", "it stays gone");
    }
    assert_eq!(shop.database.sql("SELECT name FROM products").await, [""; 0]);
    // A deletion that comes before everything else.
    take(store, &event("9", "product.deleted", 9, r#"{"externalId": "N"}"#)).await;
    let early = String::from_utf8(milk("10", 8, "1.00").payload).unwrap().replace("\"M\"", "\"N\"");
    take(store, &NewEvent { payload: early.into_bytes(), ..milk("10", 8, "1.00") }).await;
    assert_eq!(shop.database.sql("SELECT name FROM products").await, [""; 0]);
}

async fn an_event_that_comes_before_its_product_waits_for_it(shop: &Shop) {
    let store = &*shop.store;
    let price = receive(store, &event("p", "price.changed", 2, r#"{"externalId": "M", "price": "2.00"}"#)).await;
    let lost = receive(store, &event("x", "stock.changed", 2, r#"{"id": 77, "stock": 2}"#)).await;
    for number in [price, lost] {
        assert_eq!(process(store, number, 100).await, Some(State::Pending));
        assert_eq!(process(store, number, 159).await, None, "not yet");
    }
    assert_eq!(due(store, 159, 10).await, [0; 0]);
    assert_eq!(due(store, 160, 10).await, [price, lost]);
    assert_eq!(outcome(store, "p").await, (State::Pending, 1, "there is no such product".into()));
    take(store, &milk("m", 1, "1.00")).await;
    assert_eq!(process(store, price, 160).await, Some(State::Processed));
    assert_eq!(store.get(id(1)).await.unwrap().details.price.to_string(), "2.00");

    assert_eq!(process(store, lost, 160).await, Some(State::Pending));
    assert_eq!(process(store, lost, 220).await, Some(State::Parked));
    assert_eq!(outcome(store, "x").await.1, 3);
    assert_eq!(due(store, 9_999, 10).await, [0; 0], "parked is left alone");
    let again = store.replay(&source("farm-hub"), &"x".parse().unwrap(), at(300)).await.unwrap().unwrap();
    assert_eq!((again.state, again.attempts, again.next_at), (State::Pending, 0, at(300)));
    let done = store.replay(&source("farm-hub"), &"p".parse().unwrap(), at(300)).await.unwrap().unwrap();
    assert_eq!(done.state, State::Processed, "what is done is not done again");
    assert_eq!(store.replay(&source("farm-hub"), &"?".parse().unwrap(), at(300)).await.unwrap(), None);
    assert_eq!(shop.database.sql("SELECT external_id FROM external_products").await, ["M"], "nothing is left over");
}

async fn what_can_never_be_applied_is_parked_at_once(shop: &Shop) {
    let store = &*shop.store;
    assert_eq!(take(store, &milk("1", 1, "-2")).await, Some(State::Parked));
    let (_, attempts, outcome) = outcome(store, "1").await;
    assert_eq!(attempts, 1);
    assert!(outcome.starts_with("price must be a decimal"), "{outcome}");
    let long = format!(r#"{{"id": "{}"}}"#, "é".repeat(1_000));
    assert_eq!(take(store, &event("2", "product.deleted", 1, &long)).await, Some(State::Parked));
}

async fn what_nothing_is_done_for_is_ignored(shop: &Shop) {
    let store = &*shop.store;
    assert_eq!(take(store, &event("1", "order.placed", 1, "null")).await, Some(State::Ignored));
    let known = NewEvent { state: State::Ignored, ..event("2", "x", 1, "null") };
    let number = receive(store, &known).await;
    assert_eq!(process(store, number, 100).await, None);
    assert_eq!(due(store, 100, 10).await, [0; 0]);
}

/// Different events about one product that is not there yet, applied by two processes at once.
async fn workers_make_a_new_product_once(shop: &Shop) {
    let stores = [Arc::clone(&shop.store), shop.reopen(&patient()).await];
    for n in 0..20 {
        receive(&*shop.store, &milk(&n.to_string(), n, &format!("{n}.00"))).await;
    }
    let mut workers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = Arc::clone(&stores[n % 2]);
        workers.spawn(async move {
            let deadline = Instant::now() + Duration::from_secs(30);
            loop {
                let due = due(&*store, 100, 10).await;
                if due.is_empty() {
                    return;
                }
                assert!(Instant::now() < deadline, "{due:?} are never done");
                for number in due {
                    match store.process(number, at(100), &twice).await {
                        Ok(_) | Err(StoreError::Busy) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
    }
    workers.join_all().await;
    assert_eq!(shop.database.sql("SELECT name FROM products").await, ["Milk"]);
    assert_eq!(shop.store.get(id(1)).await.unwrap().details.price.to_string(), "19.00");
    let counted = shop.store.categories().await.unwrap();
    assert_eq!(counted.iter().map(|(_, products)| *products).collect::<Vec<_>>(), [1]);
}

/// Drops `call` when it has been waited for `times` times.
async fn abandon<T>(call: impl Future<Output = T>, times: usize) -> Option<T> {
    let (mut call, mut left) = (Box::pin(call), times);
    std::future::poll_fn(move |context| match call.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Killed while it waits for any of its statements.
async fn a_worker_that_dies_doubles_and_loses_nothing(shop: &Shop) {
    let store = shop.reopen(&Options { max_connections: 1, ..patient() }).await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    take(&*store, &event("0", "stock.changed", 0, r#"{"id": 1, "stock": 1000}"#)).await;
    let mut cut_short = 0;
    for n in 1..=40 {
        let data = format!(r#"{{"id": 1, "stock": {n}}}"#);
        let number = receive(&*store, &event(&n.to_string(), "stock.changed", n, &data)).await;
        let _ = abandon(store.process(number, at(100), &twice), n as usize).await;
        if outcome(&*store, &n.to_string()).await.0 == State::Pending {
            cut_short += 1;
            // The dead one's locks are gone once the server has noticed.
            let deadline = Instant::now() + Duration::from_secs(20);
            while process(&*store, number, 100).await.is_none() {
                if outcome(&*store, &n.to_string()).await.0 == State::Processed {
                    break;
                }
                assert!(Instant::now() < deadline, "the event stays locked");
            }
        }
        let product = store.get(id(1)).await.unwrap();
        assert_eq!((i64::from(product.details.stock), product.version.get()), (n, n + 2), "{cut_short} cut short");
        assert_eq!(store.changes(0, &[], 100).await.unwrap().len() as i64, n + 2);
    }
    assert!(cut_short > 0, "nothing was cut short");
}

async fn a_try_that_broke_off_counts(shop: &Shop) {
    let store = &*shop.store;
    let number = receive(store, &milk("1", 1, "1.00")).await;
    for (now, attempts, state) in [(100, 1, State::Pending), (160, 2, State::Pending), (220, 3, State::Parked)] {
        store.broke_off(number, "it panicked", at(now), &twice).await.unwrap();
        assert_eq!(outcome(store, "1").await, (state, attempts, "it panicked".into()));
    }
    store.broke_off(number, "late", at(500), &twice).await.unwrap();
    assert_eq!(outcome(store, "1").await.2, "it panicked", "it has ended already");
}

async fn events_are_listed_newest_first(shop: &Shop) {
    let store = &*shop.store;
    for n in 0..25 {
        receive(store, &event(&format!("e-{n}"), "x", 1, "null")).await;
        receive(store, &NewEvent { source: source("other"), ..event(&format!("e-{n}"), "x", 1, "null") }).await;
    }
    for number in due(store, 100, 6).await {
        process(store, number, 100).await;
    }
    let mut found: HashMap<Option<State>, Vec<String>> = HashMap::new();
    for state in [None, Some(State::Pending), Some(State::Ignored), Some(State::Parked)] {
        let (mut before, mut rounds) = (None, 0);
        loop {
            let (events, more) = store.events(&source("farm-hub"), state, before, limit(10)).await.unwrap();
            before = events.last().map(|event| event.number);
            found.entry(state).or_default().extend(events.iter().map(|event| event.id.to_string()));
            rounds += 1;
            if !more {
                break;
            }
            assert_eq!(events.len(), 10);
        }
        assert!(rounds <= 3);
    }
    let names = |numbers: std::ops::Range<i32>| numbers.rev().map(|n| format!("e-{n}")).collect::<Vec<_>>();
    assert_eq!(found[&None], names(0..25));
    assert_eq!(found[&Some(State::Pending)], names(3..25));
    assert_eq!(found[&Some(State::Ignored)], names(0..3));
    assert!(found[&Some(State::Parked)].is_empty());
}

async fn only_what_is_done_is_forgotten(shop: &Shop) {
    let store = &*shop.store;
    take(store, &milk("processed", 1, "1.00")).await;
    take(store, &event("ignored", "x", 1, "null")).await;
    take(store, &milk("parked", 1, "-1")).await;
    receive(store, &milk("pending", 1, "1.00")).await;
    assert_eq!(store.prune_inbox(at(100)).await.unwrap(), 0, "not yet");
    assert_eq!(store.prune_inbox(at(101)).await.unwrap(), 2);
    let (left, _) = store.events(&source("farm-hub"), None, None, limit(100)).await.unwrap();
    assert_eq!(left.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["pending", "parked"]);
    // Its name may be used again, and is an old event now.
    take(store, &milk("processed", 1, "1.00")).await;
    assert_eq!(outcome(store, "processed").await.2, "found nothing to change in product 1");
}

/// A worker that is stopped in the middle of applying: nobody else takes the event meanwhile, and once it is
/// dead, somebody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_a_claimed_event_is_left_to_its_worker_until_that_dies() {
    let shop = Shop::open::<Mariadb>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let number = receive(&*shop.store, &event("1", "stock.changed", 1, r#"{"id": 1, "stock": 9}"#)).await;
    let held = shop.database.hold().await;
    let worker = shop.reopen(&patient()).await;
    let stuck = tokio::spawn(async move { worker.process(number, at(100), &twice).await });
    let waiting = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST \
                   WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE '%FROM products%FOR UPDATE'";
    let deadline = Instant::now() + Duration::from_secs(20);
    while shop.database.sql(waiting).await == ["0"] {
        assert!(Instant::now() < deadline, "the worker does not come to the product");
    }
    assert_eq!(process(&*shop.store, number, 100).await, None, "it is in the other's hands");
    stuck.abort();
    assert!(stuck.await.unwrap_err().is_cancelled());
    drop(held);
    while process(&*shop.store, number, 100).await.is_none() {
        assert!(Instant::now() < deadline, "nobody takes it");
    }
    assert_eq!(shop.store.get(id(1)).await.unwrap().version.get(), 2);
    assert_eq!(outcome(&*shop.store, "1").await.0, State::Processed);
}
