//! Syncs are one at a time, lent with a fence, and take each page once.

use std::sync::Arc;

use farmlokal_catalog::inbox::SourceName;
use farmlokal_catalog::store::{Options, Store};
use farmlokal_catalog::supply::{Claim, Counts, Offer, Progress, Sync, SyncState};

use crate::engine::{Shop, conformance, patient};
use crate::sample::{at, id, priced, product};

conformance!(
    one_sync_at_a_time,
    many_who_ask_at_once_get_one,
    offers_become_products_once,
    only_what_differs_is_written,
    what_was_removed_here_is_made_again,
    events_and_offers_name_the_same_products,
    who_lost_it_changes_nothing_more,
    a_sync_goes_on_where_it_broke_off,
    a_sync_that_always_breaks_off_fails,
    what_is_given_back_is_taken_at_once,
    suppliers_do_not_wait_for_each_other,
    a_batch_that_fails_leaves_nothing,
);

fn farm() -> SourceName {
    "green-valley".parse().unwrap()
}

fn offer(external: &str, name: &str, price: &str) -> Offer {
    Offer { external: external.parse().unwrap(), details: product(name, "Dairy", price) }
}

async fn begin(store: &dyn Store) -> Claim {
    store.request_sync(&farm(), at(0)).await.unwrap();
    store.claim_sync(&farm(), at(0), at(60)).await.unwrap().unwrap()
}

async fn take(store: &dyn Store, claim: &Claim, offers: &[Offer], next: Option<&str>) -> Option<Sync> {
    let progress = Progress { failed: 0, next: next.map(ToOwned::to_owned) };
    store.take_offers(claim, offers.to_vec(), Some(progress), at(1), at(61)).await.unwrap()
}

fn counts(made: u64, changed: u64, unchanged: u64) -> Counts {
    Counts { made, changed, unchanged, failed: 0 }
}

async fn one_sync_at_a_time(shop: &Shop) {
    let store = &*shop.store;
    assert_eq!(store.last_sync(&farm()).await.unwrap(), None);
    let (sync, new) = store.request_sync(&farm(), at(0)).await.unwrap();
    assert!(new && sync.state == SyncState::Queued && sync.requested_at == at(0));
    assert_eq!(store.request_sync(&farm(), at(1)).await.unwrap(), (sync.clone(), false));
    let claim = store.claim_sync(&farm(), at(2), at(60)).await.unwrap().unwrap();
    assert_eq!((claim.sync.id, claim.sync.state, claim.sync.started_at), (sync.id, SyncState::Running, Some(at(2))));
    assert!(store.claim_sync(&farm(), at(59), at(119)).await.unwrap().is_none(), "it is lent");
    assert!(!store.request_sync(&farm(), at(3)).await.unwrap().1, "it is under way");
    store.end_sync(&claim, None, at(4)).await.unwrap();
    let done = store.sync(&farm(), sync.id).await.unwrap().unwrap();
    assert_eq!((done.state, done.finished_at, done.error.as_str()), (SyncState::Done, Some(at(4)), ""));
    assert!(store.claim_sync(&farm(), at(99), at(199)).await.unwrap().is_none(), "it is done");
    let (next, new) = store.request_sync(&farm(), at(5)).await.unwrap();
    assert!(new && next.id > sync.id);
    assert_eq!(store.last_sync(&farm()).await.unwrap(), Some(next));
    assert_eq!(store.sync(&"other".parse().unwrap(), sync.id).await.unwrap(), None, "a sync is its supplier's");
}

async fn many_who_ask_at_once_get_one(shop: &Shop) {
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&shop.store);
            tokio::spawn(async move { store.request_sync(&farm(), at(0)).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for asked in asked {
        let (sync, is_new) = asked.await.unwrap();
        assert_eq!(sync.id.get(), 1);
        new += u32::from(is_new);
    }
    assert_eq!(new, 1);
    let claimed: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&shop.store);
            tokio::spawn(async move { store.claim_sync(&farm(), at(0), at(60)).await.unwrap().is_some() })
        })
        .collect();
    let mut lent = 0;
    for claimed in claimed {
        lent += u32::from(claimed.await.unwrap());
    }
    assert_eq!(lent, 1);
}

async fn offers_become_products_once(shop: &Shop) {
    let store = &*shop.store;
    let page = [offer("b", "Butter", "2.00"), offer("a", "Apples", "1.00")];
    let claim = begin(store).await;
    let sync = take(store, &claim, &page, None).await.unwrap();
    assert_eq!((sync.counts, sync.pages), (counts(2, 0, 0), 1));
    store.end_sync(&claim, None, at(2)).await.unwrap();

    let claim = begin(store).await;
    let sync = take(store, &claim, &page, None).await.unwrap();
    assert_eq!(sync.counts, counts(0, 0, 2), "the same again changes nothing");
    let there: Vec<_> = store.scan(None, 10).await.unwrap().into_iter().map(|product| product.details).collect();
    assert_eq!(there, [product("Apples", "Dairy", "1.00"), product("Butter", "Dairy", "2.00")]);
    assert_eq!(store.categories().await.unwrap(), [("Dairy".parse().unwrap(), 2)]);
}

async fn only_what_differs_is_written(shop: &Shop) {
    let claim = begin(&*shop.store).await;
    take(&*shop.store, &claim, &[offer("a", "Apples", "1.00"), offer("b", "Butter", "2.00")], Some("2")).await;
    let log = shop.store.log_bounds().await.unwrap().last;
    let dearer = [offer("a", "Apples", "1.00"), offer("b", "Butter", "2.50"), offer("c", "Curd", "3.00")];
    let sync = take(&*shop.store, &claim, &dearer, None).await.unwrap();
    assert_eq!((sync.counts, sync.pages, sync.cursor), (counts(3, 1, 1), 2, None));
    let changes = shop.store.changes(log, &[], 100).await.unwrap();
    let changed: Vec<_> = changes.iter().map(|change| change.product.unwrap().get()).collect();
    assert_eq!(changed, [2, 3], "each write is in the log, and nothing else is");
    assert_eq!(shop.store.get(id(1)).await.unwrap().version.get(), 1);
    assert_eq!(shop.store.get(id(2)).await.unwrap().details.price, "2.50".parse().unwrap());
}

async fn what_was_removed_here_is_made_again(shop: &Shop) {
    let store = &*shop.store;
    let claim = begin(store).await;
    take(store, &claim, &[offer("a", "Apples", "1.00")], Some("2")).await;
    store.delete(id(1), None).await.unwrap();
    for expected in [counts(2, 0, 0), counts(2, 0, 1)] {
        assert_eq!(take(store, &claim, &[offer("a", "Apples", "1.00")], None).await.unwrap().counts, expected);
    }
    assert_eq!(store.scan(None, 10).await.unwrap().len(), 1);
}

async fn events_and_offers_name_the_same_products(shop: &Shop) {
    use farmlokal_catalog::inbox::{NewEvent, Receipt, State};
    let claim = begin(&*shop.store).await;
    take(&*shop.store, &claim, &[offer("a", "Apples", "1.00")], None).await;
    let event = NewEvent {
        source: farm(),
        id: "e-1".parse().unwrap(),
        kind: "stock.changed".parse().unwrap(),
        occurred_at: at(2),
        payload: br#"{"type": "stock.changed", "data": {"externalId": "a", "stock": 99}}"#.to_vec(),
        traceparent: None,
        state: State::Pending,
    };
    let Receipt::Accepted(kept) = shop.store.receive(&event, at(2)).await.unwrap() else { panic!("not accepted") };
    shop.store.process(kept.number, at(2), &|_, _| None).await.unwrap();
    assert_eq!(shop.store.get(id(1)).await.unwrap().details.stock, 99);
}

async fn who_lost_it_changes_nothing_more(shop: &Shop) {
    let store = &*shop.store;
    let slow = begin(store).await;
    let quick = store.claim_sync(&farm(), at(60), at(120)).await.unwrap().unwrap();
    assert!(quick.fence > slow.fence);
    assert_eq!(take(store, &slow, &[offer("a", "Apples", "1.00")], Some("2")).await, None);
    store.end_sync(&slow, Some("slow"), at(61)).await.unwrap();
    store.release_sync(&slow, at(61)).await.unwrap();
    assert_eq!(store.scan(None, 10).await.unwrap(), []);
    assert!(store.claim_sync(&farm(), at(62), at(122)).await.unwrap().is_none(), "the quick one still has it");
    assert!(take(store, &quick, &[offer("a", "Apples", "1.00")], None).await.is_some());
    store.end_sync(&quick, None, at(63)).await.unwrap();
    assert_eq!(take(store, &quick, &[offer("b", "Butter", "1.00")], None).await, None, "it is done");
    let sync = store.last_sync(&farm()).await.unwrap().unwrap();
    assert_eq!((sync.state, sync.counts), (SyncState::Done, counts(1, 0, 0)));
}

async fn a_sync_goes_on_where_it_broke_off(shop: &Shop) {
    let first = begin(&*shop.store).await;
    take(&*shop.store, &first, &[offer("a", "Apples", "1.00")], Some("page 2")).await.unwrap();
    // Its process dies; another one finds it when the lease is over.
    let other = shop.reopen(&patient()).await;
    assert!(other.claim_sync(&farm(), at(60), at(120)).await.unwrap().is_none());
    let second = other.claim_sync(&farm(), at(61), at(121)).await.unwrap().unwrap();
    assert_eq!((second.sync.cursor.as_deref(), second.sync.pages), (Some("page 2"), 1));
    let sync = take(&*other, &second, &[offer("b", "Butter", "1.00")], None).await.unwrap();
    assert_eq!((sync.counts, sync.pages, sync.started_at), (counts(2, 0, 0), 2, Some(at(0))));
}

async fn a_sync_that_always_breaks_off_fails(shop: &Shop) {
    let store = &*shop.store;
    store.request_sync(&farm(), at(0)).await.unwrap();
    for attempt in 0..5 {
        let (now, until) = (at(attempt * 60), at((attempt + 1) * 60));
        assert!(store.claim_sync(&farm(), now, until).await.unwrap().is_some(), "attempt {attempt}");
    }
    assert!(store.claim_sync(&farm(), at(300), at(360)).await.unwrap().is_none());
    let sync = store.last_sync(&farm()).await.unwrap().unwrap();
    assert_eq!((sync.state, sync.finished_at), (SyncState::Failed, Some(at(300))));
    assert!(sync.error.contains("broke off 5 times"), "{}", sync.error);
    assert!(store.request_sync(&farm(), at(301)).await.unwrap().1, "a new one can be asked for");
}

async fn what_is_given_back_is_taken_at_once(shop: &Shop) {
    let store = &*shop.store;
    for _ in 0..10 {
        let claim = begin(store).await;
        store.release_sync(&claim, at(0)).await.unwrap();
    }
    assert!(store.claim_sync(&farm(), at(0), at(60)).await.unwrap().is_some(), "giving back is no breaking off");
}

async fn suppliers_do_not_wait_for_each_other(shop: &Shop) {
    let store = &*shop.store;
    let other: SourceName = "hill-farm".parse().unwrap();
    let claim = begin(store).await;
    assert!(store.request_sync(&other, at(0)).await.unwrap().1);
    let others = store.claim_sync(&other, at(0), at(60)).await.unwrap().unwrap();
    take(store, &claim, &[offer("a", "Apples", "1.00")], None).await.unwrap();
    let sync = take(store, &others, &[offer("a", "Other apples", "1.00")], None).await.unwrap();
    assert_eq!(sync.counts, counts(1, 0, 0), "ids are the supplier's own");
}

async fn a_batch_that_fails_leaves_nothing(shop: &Shop) {
    let store = &*shop.store;
    let claim = begin(store).await;
    take(store, &claim, &[offer("a", "Apples", "1.00")], Some("2")).await.unwrap();
    let before = store.last_sync(&farm()).await.unwrap();
    let busy = Options { statement_timeout: std::time::Duration::from_millis(200), ..patient() };
    let store = shop.reopen(&busy).await;
    let held = shop.database.hold().await;
    let page = [offer("0", "Zucchini", "1.00"), offer("a", "Apples", "9.00")];
    let progress = Some(Progress { failed: 0, next: None });
    store.take_offers(&claim, page.to_vec(), progress, at(1), at(61)).await.unwrap_err();
    drop(held);
    assert_eq!(store.last_sync(&farm()).await.unwrap(), before);
    assert_eq!(store.scan(None, 10).await.unwrap().len(), 1, "nothing of the batch");
    store.update(id(1), priced("1.00"), None, at(9)).await.unwrap();
    assert_eq!(take(&*store, &claim, &page, None).await.unwrap().counts, counts(2, 1, 0), "it can be repeated");
}
