//! Each change goes to each subscriber who is there, once, by one at a time, through whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;

use farmlokal_catalog::idempotency::{Claim, KeptAnswer, KeyedRequest, Owner, Turn};
use farmlokal_catalog::store::{Options, Store, StoreError};
use farmlokal_catalog::subscription::{
    DeliveryState, Due, EventKind, NewSubscription, Outgoing, ReceiverEffect, Settled, SharedSecret, Standing,
    Subscription, SubscriptionId,
};

use crate::engine::{Shop, conformance, patient};
use crate::sample::{at, id, limit, product};

conformance!(
    a_subscription_is_kept_listed_and_removed,
    a_subscription_and_its_answer_are_one,
    what_came_before_the_tables_is_not_passed_on,
    each_change_is_passed_on_once_to_those_who_want_it,
    one_at_a_time_passes_on,
    a_pass_that_dies_leaves_all_or_nothing,
    what_is_due_is_taken_by_one,
    a_taker_who_was_too_slow_settles_nothing,
    receivers_are_left_alone_and_disabled,
    what_failed_is_tried_again_when_enabled,
    only_what_nobody_waits_for_is_forgotten,
);

fn owner(number: u8) -> Owner {
    Owner([number; 16])
}

fn new(kinds: &str) -> NewSubscription {
    NewSubscription {
        url: "https://shop.example/events?a=%20".parse().unwrap(),
        kinds: kinds.parse().unwrap(),
        secret: SharedSecret::new("whsec_hunter2"),
        owner: "küche".to_owned(),
    }
}

async fn subscribe(store: &dyn Store, kinds: &str) -> SubscriptionId {
    store.subscribe(new(kinds), at(0)).await.unwrap().id
}

fn event(number: u64, kind: EventKind) -> Outgoing {
    let payload = format!("{{\"n\": {number}}}\0").into_bytes();
    Outgoing { id: format!("evt_{number}").parse().unwrap(), kind, product: id(7), payload }
}

fn changed(numbers: std::ops::RangeInclusive<u64>) -> Vec<Outgoing> {
    numbers.map(|number| event(number, EventKind::ProductChanged)).collect()
}

/// Passes `events` on, as the only one who does.
async fn pass_on(store: &dyn Store, events: &[Outgoing], position: u64) {
    assert!(store.lend_fan_out(owner(1), at(10), at(10)).await.unwrap().is_some());
    store.fan_out(owner(1), position, events, at(10)).await.unwrap();
}

async fn take(store: &dyn Store, id: SubscriptionId, by: u8, now: i64, most: u32) -> Vec<Due> {
    let taken = store.take_deliveries(id, owner(by), at(now), at(now + 60), most).await.unwrap();
    taken.map_or_else(Vec::new, |(subscription, due)| {
        assert_eq!((subscription.id, subscription.secret.expose()), (id, "whsec_hunter2"));
        due
    })
}

fn settled(state: DeliveryState, next: i64, receiver: Option<ReceiverEffect>) -> Settled {
    Settled { state, next_at: at(next), status: Some(500), outcome: "HTTP 500".to_owned(), receiver }
}

async fn states(store: &dyn Store, id: SubscriptionId) -> Vec<DeliveryState> {
    store.deliveries(id, limit(100)).await.unwrap().iter().map(|delivery| delivery.state).collect()
}

async fn a_subscription_is_kept_listed_and_removed(shop: &Shop) {
    let store = &*shop.store;
    let made = store.subscribe(new("product.deleted"), at(5)).await.unwrap();
    assert_eq!(store.subscription(made.id).await.unwrap().as_ref(), Some(&made));
    assert_eq!((made.standing.clone(), made.created_at, made.owner.as_str()), (Standing::Active, at(5), "küche"));
    assert!(!format!("{made:?}").contains("hunter2"));
    let mut ids = vec![made.id];
    for _ in 0..4 {
        ids.push(subscribe(store, "").await);
    }
    ids.reverse();
    let page = async |before: Option<SubscriptionId>| {
        let (page, more) = store.subscriptions(before, limit(2)).await.unwrap();
        (page.iter().map(|one: &Subscription| one.id).collect::<Vec<_>>(), more)
    };
    assert_eq!(page(None).await, (ids[..2].to_vec(), true));
    assert_eq!(page(Some(ids[1])).await, (ids[2..4].to_vec(), true));
    assert_eq!(page(Some(ids[3])).await, (ids[4..].to_vec(), false));
    assert!(store.unsubscribe(ids[0]).await.unwrap());
    assert!(!store.unsubscribe(ids[0]).await.unwrap());
    assert_eq!(store.subscription(ids[0]).await.unwrap(), None);
    assert!(subscribe(store, "").await > ids[0], "an id is never given twice");
}

async fn a_subscription_and_its_answer_are_one(shop: &Shop) {
    let store = &*shop.store;
    let request = KeyedRequest::new("client", "POST /v1/subscriptions", "key", b"body");
    let answer = |made: &Subscription| {
        let body = made.secret.expose().as_bytes().to_vec();
        KeptAnswer { status: 201, headers: vec![("Location".to_owned(), made.id.to_string())], body }
    };
    let claim = |number| Claim { request, owner: owner(number) };
    assert_eq!(store.begin(request, owner(1), at(0)).await.unwrap(), Turn::Yours(claim(1)));
    let overtaken = store.subscribe_once(&claim(2), new(""), at(0), &answer).await;
    assert!(matches!(overtaken, Err(StoreError::Overtaken)), "{overtaken:?}");
    assert_eq!(store.subscriptions(None, limit(10)).await.unwrap().0, []);
    let kept = store.subscribe_once(&claim(1), new(""), at(0), &answer).await.unwrap();
    assert_eq!(store.begin(request, owner(3), at(1)).await.unwrap(), Turn::Done(kept));
    assert_eq!(store.subscriptions(None, limit(10)).await.unwrap().0.len(), 1);
}

async fn what_came_before_the_tables_is_not_passed_on(shop: &Shop) {
    assert_eq!(shop.store.lend_fan_out(owner(1), at(0), at(15)).await.unwrap(), Some(0));
    // As a database that was in use before there were subscriptions is brought up to date.
    for _ in 0..3 {
        shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    }
    for table in ["subscriptions", "deliveries", "change_fan_out"] {
        shop.database.sql(&format!("DROP TABLE {table}")).await;
    }
    shop.database.sql("ALTER TABLE product_changes DROP COLUMN traceparent").await;
    shop.database.sql("DELETE FROM _sqlx_migrations WHERE version >= 8").await;
    farmlokal_catalog::store::migrate(&shop.database.url()).await.unwrap();
    assert_eq!(shop.store.lend_fan_out(owner(1), at(0), at(15)).await.unwrap(), Some(3));
}

async fn each_change_is_passed_on_once_to_those_who_want_it(shop: &Shop) {
    let store = &*shop.store;
    let (all, gone) = (subscribe(store, "").await, subscribe(store, "product.deleted").await);
    let mut events = changed(1..=300);
    events.push(event(301, EventKind::ProductDeleted));
    pass_on(store, &events, 301).await;
    // The same again, as after a crash, and one more.
    events.push(event(302, EventKind::ProductChanged));
    pass_on(store, &events, 302).await;
    let late = subscribe(store, "").await;
    assert_eq!(shop.database.sql("SELECT event_id FROM deliveries").await.len(), 303);
    let mut taken = take(store, all, 9, 10, 1_000).await;
    taken.sort_by_key(|due| due.number);
    let order: Vec<String> = taken.iter().map(|due| due.event.to_string()).collect();
    assert_eq!(order, (1..=302).map(|number| format!("evt_{number}")).collect::<Vec<_>>());
    assert_eq!((&taken[0].payload, taken[0].product, taken[0].attempts), (&events[0].payload, id(7), 0));
    let [only] = &store.deliveries(gone, limit(100)).await.unwrap()[..] else { panic!() };
    assert_eq!(
        (only.event.as_str(), only.kind, only.state),
        ("evt_301", EventKind::ProductDeleted, DeliveryState::Pending)
    );
    assert_eq!((only.attempts, only.last_status, only.outcome.as_str(), only.created_at), (0, None, "", at(10)));
    assert_eq!(states(store, late).await, []);
    assert_eq!(store.lend_fan_out(owner(1), at(11), at(11)).await.unwrap(), Some(302));
}

async fn one_at_a_time_passes_on(shop: &Shop) {
    let store = &*shop.store;
    let to = subscribe(store, "").await;
    assert_eq!(store.lend_fan_out(owner(1), at(0), at(15)).await.unwrap(), Some(0));
    assert_eq!(store.lend_fan_out(owner(2), at(14), at(29)).await.unwrap(), None);
    assert_eq!(store.lend_fan_out(owner(1), at(14), at(29)).await.unwrap(), Some(0), "kept");
    assert_eq!(store.lend_fan_out(owner(1), at(14), at(29)).await.unwrap(), Some(0), "and kept as it was");
    store.fan_out(owner(1), 5, &changed(1..=5), at(14)).await.unwrap();
    assert_eq!(store.lend_fan_out(owner(2), at(29), at(44)).await.unwrap(), Some(5), "its time was over");
    let fenced = store.fan_out(owner(1), 6, &changed(6..=6), at(29)).await;
    assert!(matches!(fenced, Err(StoreError::Overtaken)), "{fenced:?}");
    assert_eq!(states(store, to).await.len(), 5);
    assert_eq!(store.lend_fan_out(owner(2), at(30), at(30)).await.unwrap(), Some(5), "given back");
    assert_eq!(store.lend_fan_out(owner(3), at(30), at(45)).await.unwrap(), Some(5));
}

/// Killed while it waits for any of its statements: deliveries and position are both there, or neither.
async fn a_pass_that_dies_leaves_all_or_nothing(shop: &Shop) {
    let store = shop.reopen(&Options { max_connections: 1, ..patient() }).await;
    let to = subscribe(&*store, "").await;
    let (mut position, mut undone) = (0, 0);
    for polls in 1..=25 {
        assert_eq!(store.lend_fan_out(owner(1), at(0), at(15)).await.unwrap(), Some(position));
        let events = changed(position + 1..=position + 2);
        let mut call = Box::pin(store.fan_out(owner(1), position + 2, &events, at(0)));
        let mut left = polls;
        std::future::poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending if left == 0 => Poll::Ready(()),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
        drop(call);
        // What a dead process leaves may still run for a moment; this waits for its lock.
        let now = store.lend_fan_out(owner(1), at(0), at(15)).await.unwrap().unwrap();
        assert_eq!(states(&*store, to).await.len() as u64, now, "after {polls} polls");
        undone += u32::from(now == position);
        position = now;
    }
    assert!(undone > 0 && position > 0, "{undone} undone, {position}");
}

async fn what_is_due_is_taken_by_one(shop: &Shop) {
    let stores = [Arc::clone(&shop.store), shop.reopen(&patient()).await];
    let to = subscribe(&*stores[0], "").await;
    assert_eq!(stores[0].waiting(at(10)).await.unwrap(), []);
    pass_on(&*stores[0], &changed(1..=90), 90).await;
    assert_eq!(stores[0].waiting(at(9)).await.unwrap(), [], "not yet");
    assert_eq!(stores[0].waiting(at(10)).await.unwrap(), [to]);
    let mut takers = tokio::task::JoinSet::new();
    for n in 0..30 {
        let store = Arc::clone(&stores[n % 2]);
        takers.spawn(async move { take(&*store, to, n as u8, 10, 3).await });
    }
    let taken: Vec<u64> = takers.join_all().await.into_iter().flatten().map(|due| due.number).collect();
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len(), "none twice");
    // A taker who finds all it looks at in others' hands goes away with less.
    let rest = take(&*stores[0], to, 99, 10, 1_000).await.len();
    assert_eq!(taken.len() + rest, 90, "and none left out");
    assert_eq!(stores[0].waiting(at(69)).await.unwrap(), []);
    assert_eq!(stores[0].waiting(at(70)).await.unwrap(), [to], "whoever had them is not coming back");
}

async fn a_taker_who_was_too_slow_settles_nothing(shop: &Shop) {
    let store = &*shop.store;
    let to = subscribe(store, "").await;
    pass_on(store, &changed(1..=1), 1).await;
    let [slow] = &take(store, to, 1, 10, 5).await[..] else { panic!() };
    assert_eq!(take(store, to, 2, 69, 5).await, []);
    let [next] = &take(store, to, 2, 70, 5).await[..] else { panic!() };
    let disable = settled(DeliveryState::Failed, 71, Some(ReceiverEffect::Disable("x".to_owned())));
    assert!(!store.settle(slow, owner(1), &disable).await.unwrap());
    assert_eq!(store.subscription(to).await.unwrap().unwrap().standing, Standing::Active);
    let again = settled(DeliveryState::Pending, 100, None);
    assert!(store.settle(next, owner(2), &again).await.unwrap());
    assert!(!store.settle(next, owner(2), &again).await.unwrap(), "once");
    let [delivery] = &store.deliveries(to, limit(5)).await.unwrap()[..] else { panic!() };
    assert_eq!((delivery.attempts, delivery.last_status, delivery.outcome.as_str()), (1, Some(500), "HTTP 500"));
    assert_eq!(take(store, to, 3, 99, 5).await, []);
    let [last] = &take(store, to, 3, 100, 5).await[..] else { panic!() };
    assert_eq!(last.attempts, 1);
    let long = Settled { status: None, outcome: "é".repeat(600), ..settled(DeliveryState::Delivered, 101, None) };
    assert!(store.settle(last, owner(3), &long).await.unwrap());
    let [delivery] = &store.deliveries(to, limit(5)).await.unwrap()[..] else { panic!() };
    assert_eq!((delivery.state, delivery.attempts, delivery.last_status), (DeliveryState::Delivered, 2, None));
    assert_eq!(take(store, to, 4, 10_000, 5).await, []);
}

async fn receivers_are_left_alone_and_disabled(shop: &Shop) {
    let store = &*shop.store;
    let (to, other) = (subscribe(store, "").await, subscribe(store, "").await);
    pass_on(store, &changed(1..=4), 4).await;
    let taken = take(store, to, 1, 10, 3).await;
    let until = |second| Some(ReceiverEffect::LeaveAloneUntil(at(second)));
    let pause = |second| settled(DeliveryState::Pending, 20, until(second));
    assert!(store.settle(&taken[0], owner(1), &pause(200)).await.unwrap());
    assert!(store.settle(&taken[1], owner(1), &pause(100)).await.unwrap(), "the longer one counts");
    assert_eq!(take(store, to, 2, 199, 5).await, []);
    assert_eq!(store.waiting(at(199)).await.unwrap(), [other]);
    assert_eq!(store.waiting(at(200)).await.unwrap(), [to, other]);
    let gone = settled(DeliveryState::Failed, 20, Some(ReceiverEffect::Disable("it is gone".to_owned())));
    assert!(store.settle(&taken[2], owner(1), &gone).await.unwrap());
    let disabled = store.subscription(to).await.unwrap().unwrap();
    assert_eq!(disabled.standing, Standing::Disabled("it is gone".to_owned()));
    assert_eq!(store.waiting(at(999)).await.unwrap(), [other]);
    assert_eq!(take(store, to, 2, 999, 5).await, []);
    pass_on(store, &changed(5..=5), 5).await;
    assert_eq!((states(store, to).await.len(), states(store, other).await.len()), (4, 5));
}

async fn what_failed_is_tried_again_when_enabled(shop: &Shop) {
    let store = &*shop.store;
    let to = subscribe(store, "").await;
    pass_on(store, &changed(1..=3), 3).await;
    let taken = take(store, to, 1, 10, 2).await;
    assert!(store.settle(&taken[0], owner(1), &settled(DeliveryState::Delivered, 11, None)).await.unwrap());
    let gone = settled(DeliveryState::Failed, 11, Some(ReceiverEffect::Disable("it is gone".to_owned())));
    assert!(store.settle(&taken[1], owner(1), &gone).await.unwrap());
    let enabled = store.enable(to, at(50)).await.unwrap().unwrap();
    assert_eq!(enabled.standing, Standing::Active);
    use DeliveryState::{Delivered, Pending};
    assert_eq!(states(store, to).await, [Pending, Pending, Delivered]);
    let again = take(store, to, 2, 50, 5).await;
    assert_eq!(again.iter().map(|due| due.attempts).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(store.enable(to, at(51)).await.unwrap(), Some(enabled), "which changes nothing now");
    assert_eq!(take(store, to, 3, 51, 5).await, [], "not even what is in somebody's hands");
    let unknown = SubscriptionId::new(99).unwrap();
    assert_eq!(store.enable(unknown, at(51)).await.unwrap(), None);
}

async fn only_what_nobody_waits_for_is_forgotten(shop: &Shop) {
    let store = &*shop.store;
    let ids = [subscribe(store, "").await, subscribe(store, "").await, subscribe(store, "").await];
    pass_on(store, &changed(1..=2), 2).await;
    let [done] = &take(store, ids[0], 1, 10, 1).await[..] else { panic!() };
    assert!(store.settle(done, owner(1), &settled(DeliveryState::Delivered, 20, None)).await.unwrap());
    let [bad] = &take(store, ids[1], 1, 10, 1).await[..] else { panic!() };
    let gone = settled(DeliveryState::Failed, 20, Some(ReceiverEffect::Disable("it is gone".to_owned())));
    assert!(store.settle(bad, owner(1), &gone).await.unwrap());
    assert!(store.unsubscribe(ids[2]).await.unwrap());
    assert_eq!(store.prune_deliveries(at(10)).await.unwrap(), 0);
    assert_eq!(store.prune_deliveries(at(11)).await.unwrap(), 5);
    assert_eq!(states(store, ids[0]).await, [DeliveryState::Pending]);
    assert_eq!((states(store, ids[1]).await, states(store, ids[2]).await), (vec![], vec![]));
}
