//! Time: fresh, computed ahead, stale while the database is away, gone.

use super::*;

async fn fails(with: Broken) -> Result<Answer, Broken> {
    Err(with)
}

/// Longer than any lifetime: 300 seconds and a tenth.
const EXPIRED: Duration = Duration::from_secs(331);

#[tokio::test]
async fn an_answer_is_fresh_for_its_time_and_tells_its_age() {
    let ((cache, clock), source) = (cache(), Source::default());
    cache.fetch(asked(), || source.clone().load()).await.unwrap();
    clock.pass(Duration::from_secs(200));
    let hit = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    assert_eq!((hit.origin, hit.age), (Origin::Local, Duration::from_secs(200)));
    clock.pass(EXPIRED);
    let anew = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    assert_eq!((anew.origin, anew.age, source.loads()), (Origin::Computed, Duration::ZERO, 2));
}

#[tokio::test]
async fn shortly_before_its_end_it_is_computed_anew_once_and_nobody_waits() {
    let ((cache, clock), source) = (cache(), Source::default());
    let first = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    clock.pass(first.entry.fresh.mul_f64(0.9));
    source.value.store(1, Ordering::SeqCst);
    for _ in 0..5 {
        let hit = cache.fetch(asked(), || source.clone().load()).await.unwrap();
        assert_eq!((hit.origin, body(&hit).as_str()), (Origin::Local, "0"), "the one that is there");
    }
    until("the new one is there", async || source.loads() == 2 && cache.stats.refreshes() == 1).await;
    until("it is given", async || body(&cache.fetch(asked(), || source.clone().load()).await.unwrap()) == "1").await;
    clock.pass(Duration::from_secs(200));
    assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Local);
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn a_refresh_that_fails_leaves_what_is_there() {
    let ((cache, clock), source) = (cache(), Source::default());
    let first = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    clock.pass(first.entry.fresh.mul_f64(0.9));
    cache.fetch(asked(), || fails(Broken::Other)).await.unwrap();
    until("it was tried", async || cache.stats.refreshes() == 1).await;
    assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Local);
}

#[tokio::test]
async fn while_the_database_is_away_older_answers_are_given_within_their_bound() {
    let ((cache, clock), source) = (cache(), Source::default());
    cache.fetch(asked(), || source.clone().load()).await.unwrap();
    clock.pass(EXPIRED);
    let stale = cache.fetch(asked(), || fails(Broken::Outage)).await.unwrap();
    assert_eq!((stale.origin, body(&stale).as_str()), (Origin::Stale, "0"));
    assert!(stale.age > stale.entry.fresh);
    // For a moment nobody finds out again: `load` would succeed, and is not asked.
    assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Stale);
    clock.pass(Duration::from_secs(2));
    assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Computed);
    clock.pass(EXPIRED + Duration::from_secs(300));
    assert_eq!(cache.fetch(asked(), || fails(Broken::Outage)).await.unwrap_err(), Broken::Outage, "beyond the bound");
}

#[tokio::test]
async fn only_an_outage_is_covered_up() {
    let ((cache, clock), source) = (cache(), Source::default());
    cache.fetch(asked(), || source.clone().load()).await.unwrap();
    clock.pass(EXPIRED);
    assert_eq!(cache.fetch(asked(), || fails(Broken::Other)).await.unwrap_err(), Broken::Other);
    cache.void(1, &[Namespace::Products]).await;
    assert_eq!(
        cache.fetch(asked(), || fails(Broken::Outage)).await.unwrap_err(),
        Broken::Outage,
        "what a write has voided is not given, whatever is away"
    );
}

#[tokio::test]
async fn failures_are_not_kept() {
    let ((cache, _), source) = (cache(), Source::default());
    assert_eq!(cache.fetch(asked(), || fails(Broken::Outage)).await.unwrap_err(), Broken::Outage);
    assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Computed);
}
