//! What waits is counted over all processes, and only what waits.

use farmlokal_catalog::idempotency::Owner;
use farmlokal_catalog::inbox::{NewEvent, Receipt, State};
use farmlokal_catalog::store::Store;
use farmlokal_catalog::store::backlog::{Backlog, Waiting};
use farmlokal_catalog::subscription::{
    DeliveryState, EventKind, NewSubscription, Outgoing, ReceiverEffect, Settled, SharedSecret,
};

use crate::engine::{Shop, conformance};
use crate::sample::{at, id, product};

conformance!(
    an_empty_catalogue_has_nothing_to_do,
    events_wait_until_they_are_done,
    deliveries_wait_until_they_are_made
);

async fn backlog(shop: &Shop) -> Backlog {
    shop.store.backlog().await.unwrap()
}

fn waiting(count: u32, due_since: i64) -> Waiting {
    Waiting { count, due_since: Some(at(due_since)) }
}

async fn an_empty_catalogue_has_nothing_to_do(shop: &Shop) {
    assert_eq!(backlog(shop).await, Backlog::default());
}

async fn receive(store: &dyn Store, name: &str, kind: &str, data: &str, second: i64) -> u64 {
    let event = NewEvent {
        source: "farm-hub".parse().unwrap(),
        id: name.parse().unwrap(),
        kind: kind.parse().unwrap(),
        occurred_at: at(second),
        payload: format!(r#"{{"type": "{kind}", "data": {data}}}"#).into_bytes(),
        traceparent: None,
        state: State::Pending,
    };
    match store.receive(&event, at(second)).await.unwrap() {
        Receipt::Accepted(event) => event.number,
        other => panic!("{other:?}"),
    }
}

async fn events_wait_until_they_are_done(shop: &Shop) {
    let store = &*shop.store;
    let ignored = receive(store, "evt-1", "order.placed", "null", 100).await;
    let missing = receive(store, "evt-2", "stock.changed", r#"{"externalId": "M", "stock": 1}"#, 110).await;
    assert_eq!(backlog(shop).await.events, waiting(2, 100));
    store.process(ignored, at(120), &|_, _| None).await.unwrap();
    assert_eq!(backlog(shop).await.events, waiting(1, 110));
    store.process(missing, at(120), &|_, _| Some(at(500))).await.unwrap();
    assert_eq!(backlog(shop).await.events, waiting(1, 500), "it is due again later");
    store.process(missing, at(500), &|_, _| None).await.unwrap();
    assert_eq!(backlog(shop).await, Backlog { parked: 1, ..Backlog::default() });
}

fn event(number: u64) -> Outgoing {
    let id = format!("evt_{number}").parse().unwrap();
    Outgoing { id, kind: EventKind::ProductChanged, product: self::id(7), payload: Vec::new() }
}

async fn deliveries_wait_until_they_are_made(shop: &Shop) {
    let store = &*shop.store;
    let new = NewSubscription {
        url: "https://shop.example/events".parse().unwrap(),
        kinds: "".parse().unwrap(),
        secret: SharedSecret::new("whsec_hunter2"),
        owner: "shop".to_owned(),
    };
    let subscription = store.subscribe(new, at(0)).await.unwrap().id;
    store.create(product("Milk", "Dairy", "1.00"), at(1)).await.unwrap();
    assert_eq!(backlog(shop).await.unpassed, 1);
    let owner = Owner([1; 16]);
    let position = store.lend_fan_out(owner, at(10), at(10)).await.unwrap().unwrap();
    store.fan_out(owner, position + 1, &[event(1), event(2)], at(10)).await.unwrap();
    assert_eq!((backlog(shop).await.unpassed, backlog(shop).await.deliveries), (0, waiting(2, 10)));
    let (_, due) = store.take_deliveries(subscription, owner, at(20), at(80), 9).await.unwrap().unwrap();
    assert_eq!(backlog(shop).await.deliveries, waiting(2, 80), "they are in somebody's hands until then");
    let settled = |state, receiver| Settled { state, next_at: at(30), status: None, outcome: String::new(), receiver };
    let later = settled(DeliveryState::Pending, Some(ReceiverEffect::LeaveAloneUntil(at(400))));
    assert!(store.settle(&due[0], owner, &later).await.unwrap());
    assert_eq!(backlog(shop).await.deliveries, waiting(2, 400), "who wants to be left alone is not late");
    assert!(store.settle(&due[1], owner, &settled(DeliveryState::Delivered, None)).await.unwrap());
    assert_eq!(backlog(shop).await.deliveries.count, 1);
    let (_, due) = store.take_deliveries(subscription, owner, at(500), at(580), 9).await.unwrap().unwrap();
    let gone = settled(DeliveryState::Failed, Some(ReceiverEffect::Disable("gone".to_owned())));
    assert!(store.settle(&due[0], owner, &gone).await.unwrap());
    assert_eq!(backlog(shop).await, Backlog::default());
}
