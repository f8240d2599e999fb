//! A request with a key is done once, by one owner, and its answer is kept with what it did.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use farmlokal_catalog::idempotency::{Claim, KeptAnswer, KeyedRequest, Once, Owner, Turn};
use farmlokal_catalog::projection::Projection;
use farmlokal_catalog::store::{Options, Store, StoreError};
use farmlokal_catalog::{Catalogue, Product};

use crate::engine::{Shop, conformance, patient};
use crate::sample::{at, id, limit, product, query};

conformance!(
    the_first_answer_is_kept,
    another_request_under_the_key_is_refused,
    an_owner_that_was_overtaken_leaves_nothing,
    what_was_not_done_may_be_tried_again,
    keys_are_forgotten_after_a_day,
    thirty_at_once_make_one,
    a_try_that_dies_leaves_all_or_nothing,
);

fn request(key: &str, body: &str) -> KeyedRequest {
    KeyedRequest::new("client", "POST /v1/products", key, body.as_bytes())
}

fn owner(number: u8) -> Owner {
    Owner([number; 16])
}

fn answer(product: &Product) -> KeptAnswer {
    let headers = vec![("Location".to_owned(), format!("/{}", product.id)), ("X".to_owned(), "é\"\n".to_owned())];
    KeptAnswer { status: 201, headers, body: format!("{}\0\u{1f9c0}", product.details.name).into_bytes() }
}

async fn begin(store: &dyn Store, key: &str, number: u8, now: i64) -> Turn {
    store.begin(request(key, "body"), owner(number), at(now)).await.unwrap()
}

fn claim(key: &str, number: u8) -> Claim {
    Claim { request: request(key, "body"), owner: owner(number) }
}

async fn create(store: &dyn Store, claim: &Claim) -> Result<KeptAnswer, StoreError> {
    store.create_once(claim, product("Milk", "Dairy", "1.00"), at(1), &answer).await
}

async fn products(store: &dyn Store) -> usize {
    let page = store.list(&query(&Default::default(), ""), None, limit(100)).await.unwrap();
    page.products.len()
}

async fn the_first_answer_is_kept(shop: &Shop) {
    let store = &*shop.store;
    assert_eq!(begin(store, "a", 1, 0).await, Turn::Yours(claim("a", 1)));
    assert_eq!(begin(store, "a", 2, 59).await, Turn::UnderWay);
    let kept = create(store, &claim("a", 1)).await.unwrap();
    assert_eq!(kept, answer(&store.get(id(1)).await.unwrap()));
    assert_eq!(begin(store, "a", 3, 86_399).await, Turn::Done(kept), "for a day, whatever becomes of the lease");
    assert_eq!(begin(store, "b", 3, 1).await, Turn::Yours(claim("b", 3)));
    assert_eq!(products(store).await, 1);
    assert_eq!(store.changes(0, &[], 100).await.unwrap().len(), 1);
}

async fn another_request_under_the_key_is_refused(shop: &Shop) {
    let store = &*shop.store;
    let other = request("a", "other");
    begin(store, "a", 1, 0).await;
    assert_eq!(store.begin(other, owner(2), at(1)).await.unwrap(), Turn::Mismatch, "while the first is under way");
    assert_eq!(store.begin(other, owner(2), at(61)).await.unwrap(), Turn::Mismatch, "and when it is long overdue");
    create(store, &claim("a", 1)).await.unwrap();
    assert_eq!(store.begin(other, owner(2), at(61)).await.unwrap(), Turn::Mismatch, "and when it is done");
}

async fn an_owner_that_was_overtaken_leaves_nothing(shop: &Shop) {
    let store = &*shop.store;
    begin(store, "a", 1, 0).await;
    assert_eq!(begin(store, "a", 2, 60).await, Turn::Yours(claim("a", 2)), "the lease has run out");
    assert_eq!(begin(store, "a", 3, 61).await, Turn::UnderWay, "a new lease has begun");
    let slow = create(store, &claim("a", 1)).await;
    assert!(matches!(slow, Err(StoreError::Overtaken)), "{slow:?}");
    assert_eq!((products(store).await, store.categories().await.unwrap()), (0, vec![]));
    assert_eq!(store.changes(0, &[], 100).await.unwrap(), [], "nothing in the log either");
    store.give_up(&claim("a", 1)).await.unwrap();
    create(store, &claim("a", 2)).await.unwrap();
    let again = create(store, &claim("a", 2)).await;
    assert!(matches!(again, Err(StoreError::Overtaken)), "done is done: {again:?}");
    assert_eq!(products(store).await, 1);
}

async fn what_was_not_done_may_be_tried_again(shop: &Shop) {
    let store = &*shop.store;
    begin(store, "a", 1, 0).await;
    store.give_up(&claim("a", 1)).await.unwrap();
    assert_eq!(begin(store, "a", 2, 1).await, Turn::Yours(claim("a", 2)));
    let kept = create(store, &claim("a", 2)).await.unwrap();
    store.give_up(&claim("a", 2)).await.unwrap();
    assert_eq!(begin(store, "a", 3, 2).await, Turn::Done(kept), "what was done is not given up");
}

async fn keys_are_forgotten_after_a_day(shop: &Shop) {
    let store = &*shop.store;
    begin(store, "old", 1, 0).await;
    create(store, &claim("old", 1)).await.unwrap();
    begin(store, "new", 1, 50_000).await;
    // Also before anybody comes to tidy up.
    assert_eq!(store.begin(request("old", "other"), owner(2), at(86_399)).await.unwrap(), Turn::Mismatch);
    let other = Claim { request: request("old", "other"), owner: owner(2) };
    assert_eq!(store.begin(other.request, owner(2), at(86_400)).await.unwrap(), Turn::Yours(other));
    assert_eq!(store.prune_keys(at(86_401)).await.unwrap(), 0);
    assert_eq!(store.prune_keys(at(50_001 + 86_400)).await.unwrap(), 1);
    assert_eq!(begin(store, "new", 3, 50_002 + 86_400).await, Turn::Yours(claim("new", 3)));
}

async fn thirty_at_once_make_one(shop: &Shop) {
    let catalogues = [Arc::clone(&shop.store), shop.reopen(&patient()).await].map(|store| {
        // It never runs: nothing is searched here.
        let projection = Projection::new(Arc::clone(&store), PathBuf::new());
        Catalogue::new(store, projection)
    });
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..30 {
        let catalogue = catalogues[n % 2].clone();
        tries.spawn(async move {
            loop {
                let asked = (request("a", "body"), owner(n as u8));
                let milk = product("Milk", "Dairy", "1.00");
                match catalogue.create_once(asked, milk, at(1), Box::new(answer)).await.unwrap() {
                    Once::Done(answer) => return (true, answer),
                    Once::Replayed(answer) => return (false, answer),
                    Once::UnderWay => tokio::time::sleep(Duration::from_millis(5)).await,
                    Once::Mismatch => panic!("it is the same request"),
                }
            }
        });
    }
    let answers = tries.join_all().await;
    assert_eq!(answers.iter().filter(|(first, _)| *first).count(), 1);
    assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1));
    assert_eq!(products(&*shop.store).await, 1);
}

/// Killed while it waits for any of its statements: the product and its answer are both there, or neither.
async fn a_try_that_dies_leaves_all_or_nothing(shop: &Shop) {
    let store = shop.reopen(&Options { max_connections: 1, ..patient() }).await;
    let (mut done, mut undone) = (0, 0);
    for n in 1..=25_u8 {
        let key = n.to_string();
        begin(&*store, &key, n, 0).await;
        let claim = claim(&key, n);
        let mut call = Box::pin(create(&*store, &claim));
        let mut left = n;
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
        // What a dead process leaves may still run for a moment; an overtaker waits for its locks.
        match begin(&*store, &key, 200, 60).await {
            Turn::Done(_) => done += 1,
            Turn::Yours(_) => undone += 1,
            // It was at the very end, and is done by now.
            Turn::UnderWay => {
                assert!(matches!(begin(&*store, &key, 201, 60).await, Turn::Done(_)));
                done += 1;
            }
            Turn::Mismatch => panic!("it is the same request"),
        }
        assert_eq!(products(&*store).await, done, "{undone} were not done");
    }
    assert!(undone > 0, "nothing was cut short");
}
