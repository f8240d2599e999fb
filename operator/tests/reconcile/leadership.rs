//! Of several operators one works.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use farmlokal_operator::lease::{DURATION, Elector, GIVE_UP, PERIOD};
use http::StatusCode;
use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use crate::api::{Api, Call};

fn elector(api: &Api, identity: &str) -> Elector {
    Elector::new(&api.client(), "system", "farmlokal-operator", identity.to_owned(), clock)
}

/// A clock that moves with each look: time itself is wound on by the tests.
fn clock() -> Timestamp {
    static LOOKS: AtomicI64 = AtomicI64::new(0);
    Timestamp::from_second(LOOKS.fetch_add(1, Ordering::Relaxed)).unwrap()
}

/// All that a turn asks of the server.
pub(crate) async fn calls_of_a_turn() -> Vec<Call> {
    let api = Api::default();
    let mut first = elector(&api, "first");
    first.acquire().await;
    first.release().await;
    api.take_calls()
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_is_taken_at_once() {
    let api = Api::default();
    let (mut first, mut second) = (elector(&api, "first"), elector(&api, "second"));
    first.acquire().await;
    let began = Instant::now();
    let waiting = tokio::spawn(async move {
        second.acquire().await;
        Instant::now()
    });
    tokio::time::timeout(Duration::from_secs(60), first.keep()).await.unwrap_err();
    first.release().await;
    let given_back = Instant::now();
    let taken = waiting.await.unwrap();
    assert!(taken >= given_back && given_back - began >= Duration::from_secs(60), "not before");
    assert!(taken - given_back <= PERIOD, "{:?}", taken - given_back);
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_is_followed_when_the_lease_has_ended() {
    let api = Api::default();
    let (mut first, mut second) = (elector(&api, "first"), elector(&api, "second"));
    first.acquire().await;
    let began = Instant::now();
    second.acquire().await;
    let waited = began.elapsed();
    assert!(waited >= DURATION && waited <= DURATION + 2 * PERIOD, "{waited:?}");
    // Who was silent finds out at the next look.
    tokio::time::timeout(2 * PERIOD, first.keep()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_stops_before_anybody_may_follow() {
    let api = Api::default();
    let mut first = elector(&api, "first");
    first.acquire().await;
    api.fail(|_| Some(StatusCode::SERVICE_UNAVAILABLE));
    let began = Instant::now();
    first.keep().await;
    assert!(began.elapsed() <= GIVE_UP + PERIOD && began.elapsed() < DURATION, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_short_absence_of_the_server_costs_nobody_the_lease() {
    let api = Api::default();
    let mut first = elector(&api, "first");
    first.acquire().await;
    let failing = api.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        failing.fail(|_| Some(StatusCode::TOO_MANY_REQUESTS));
        tokio::time::sleep(Duration::from_secs(6)).await;
        failing.recover();
    });
    tokio::time::timeout(Duration::from_secs(120), first.keep()).await.unwrap_err();
}

/// Many take part, some end without a word, some give back; there are never two at work.
#[tokio::test(start_paused = true)]
async fn there_are_never_two() {
    let api = Api::default();
    let (at_work, turns) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let all = (0..6_u64).map(|number| {
        let (api, at_work, turns) = (api.clone(), Arc::clone(&at_work), Arc::clone(&turns));
        tokio::spawn(async move {
            for turn in 0..5_u64 {
                let mut elector = elector(&api, &format!("{number}-{turn}"));
                elector.acquire().await;
                assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0, "two at work");
                turns.fetch_add(1, Ordering::SeqCst);
                let work = Duration::from_millis(700 * (number + 1) + 1_900 * turn);
                let _ = tokio::time::timeout(work, elector.keep()).await;
                at_work.fetch_sub(1, Ordering::SeqCst);
                if (number + turn) % 3 != 0 {
                    elector.release().await;
                }
            }
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(turns.load(Ordering::SeqCst), 30);
}
