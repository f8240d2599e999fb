//! One process: coalescing, callers that go away, stale fills, the bound on memory.

use tokio::sync::Notify;

use super::*;

/// G1: a thousand at once are one computation; those that come later are hits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_identical_misses_are_one_computation() {
    let ((cache, _), source, gate) = (cache(), Source::default(), Arc::new(Notify::new()));
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let (cache, source, gate) = (Arc::clone(&cache), source.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = async move {
                    gate.notified().await;
                    source.load().await
                };
                cache.fetch(asked(), || load).await.unwrap()
            })
        })
        .collect();
    tokio::task::yield_now().await;
    gate.notify_one();
    for caller in callers {
        assert_eq!(body(&caller.await.unwrap()), "0");
    }
    assert_eq!(source.loads(), 1);
    let later = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    assert_eq!((later.origin, source.loads()), (Origin::Local, 1));
}

/// G3: whoever began it goes away, 250 times; one computation goes on to its end.
#[tokio::test]
async fn callers_that_go_away_neither_end_nor_repeat_it() {
    let ((cache, _), source, gate) = (cache(), Source::default(), Arc::new(Notify::new()));
    for _ in 0..250 {
        let (source, gate) = (source.clone(), Arc::clone(&gate));
        let load = async move {
            gate.notified().await;
            source.load().await
        };
        assert!(tokio::time::timeout(Duration::ZERO, cache.fetch(asked(), || load)).await.is_err());
    }
    gate.notify_one();
    let last = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    assert_eq!((body(&last).as_str(), source.loads()), ("0", 1));
}

/// G4: a computation that read the old value and ends after the write is found by nobody who asks after it.
#[tokio::test]
async fn what_was_computed_from_before_a_write_is_not_found_after_it() {
    let ((cache, _), source) = (cache(), Source::default());
    let (read, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (source, read, go_on) = (source.clone(), Arc::clone(&read), Arc::clone(&go_on));
        async move {
            let old = source.load().await;
            read.notify_one();
            go_on.notified().await;
            old
        }
    };
    let early = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { cache.fetch(asked(), || slow).await.unwrap() }
    });
    read.notified().await;
    source.value.store(1, Ordering::SeqCst);
    cache.void(7, &[Namespace::Products]).await;
    // While the old computation is under way nobody joins it, and when it has ended nobody finds it.
    let during = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    go_on.notify_one();
    assert_eq!(body(&early.await.unwrap()), "0", "whoever asked before the write may have what was before");
    let after = cache.fetch(asked(), || source.clone().load()).await.unwrap();
    assert_eq!((body(&during), body(&after)), ("1".to_owned(), "1".to_owned()));
    assert_eq!(source.loads(), 2);
}

/// Only what a write concerns is voided, and a flush of all voids all.
#[tokio::test]
async fn a_write_voids_what_it_concerns() {
    let ((cache, _), source) = (cache(), Source::default());
    let dairy: Namespace = "category:Dairy".parse().unwrap();
    let fruits: Namespace = "category:Fruits".parse().unwrap();
    let product: Namespace = "product:7".parse().unwrap();
    let all = [Namespace::Products, dairy, fruits, product];
    let origins = async || {
        let mut origins = Vec::new();
        for namespace in all {
            origins.push(cache.fetch(about("q", namespace), || source.clone().load()).await.unwrap().origin);
        }
        origins
    };
    use Origin::{Computed, Local};
    assert_eq!(origins().await, [Computed, Computed, Computed, Computed]);
    assert_eq!(origins().await, [Local, Local, Local, Local]);
    cache.void(1, &[Namespace::Products, dairy, product]).await;
    assert_eq!(origins().await, [Computed, Computed, Local, Computed]);
    cache.flush(Namespace::All).await;
    assert_eq!(origins().await, [Computed, Computed, Computed, Computed]);
}

/// Another state of the search index is another question.
#[tokio::test]
async fn an_answer_from_an_older_index_is_not_given_when_the_index_has_gone_on() {
    let ((cache, _), source) = (cache(), Source::default());
    let mut origins = Vec::new();
    for stamp in [None, Some(0), Some(1), Some(1), None] {
        let asked = Asked { stamp, ..asked() };
        origins.push(cache.fetch(asked, || source.clone().load()).await.unwrap().origin);
    }
    use Origin::{Computed, Local};
    assert_eq!(origins, [Computed, Computed, Computed, Local, Local]);
}

/// G8: the memory is bounded in bytes, whatever the sizes.
#[tokio::test]
async fn memory_stays_below_its_bound() {
    let bound = 1 << 20;
    let (cache, _) = cache_with(Settings { local_bytes: bound, ..Settings::default() });
    let mut stored = 0;
    for number in 0_u64.. {
        let size = usize::try_from(xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes()) % 40_000).unwrap();
        let body = "x".repeat(size);
        let asked = about(&number.to_string(), Namespace::Products);
        cache.fetch(asked, || async move { Ok(answer(&body)) }).await.unwrap();
        stored += size as u64;
        if number % 50 == 0 {
            cache.local.run_pending_tasks();
            assert!(cache.local_size().1 <= bound, "{} bytes", cache.local_size().1);
        }
        if stored > 10 * bound {
            break;
        }
    }
}

/// G10: that something is not there is forgotten when it is made.
#[tokio::test]
async fn what_is_made_is_found_after_it_was_not_there() {
    let (cache, clock) = cache();
    let product: Namespace = "product:42".parse().unwrap();
    let ask = async |answer: Answer| cache.fetch(about("42", product), || async { Ok(answer) }).await.unwrap();
    assert_eq!(body(&ask(Answer::Absent).await), "absent");
    assert_eq!(body(&ask(answer("made")).await), "absent", "it is known that there is none");
    cache.void(1, &[Namespace::Products, product]).await;
    assert_eq!(body(&ask(answer("made")).await), "made");
    // And it is not known for long.
    let other = async |answer: Answer| cache.fetch(about("43", product), || async { Ok(answer) }).await.unwrap();
    other(Answer::Absent).await;
    clock.pass(Duration::from_secs(34));
    assert_eq!(body(&other(answer("made elsewhere")).await), "made elsewhere");
}

/// Before it hears of writes, and when it is switched off, nothing is kept.
#[tokio::test]
async fn nothing_is_kept_by_who_does_not_hear_of_writes() {
    let ((cache, _), source) = (cache(), Source::default());
    cache.live.store(false, Ordering::Relaxed);
    let off = cache_with(Settings { ttl: Duration::ZERO, ..Settings::default() }).0;
    for cache in [cache, off] {
        let before = source.loads();
        for _ in 0..2 {
            assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Bypass);
        }
        assert_eq!(source.loads(), before + 2);
    }
}

/// A computation that panics fails its callers, and the next one computes.
#[tokio::test]
async fn a_computation_that_panics_is_a_failure_and_no_more() {
    let ((cache, _), source) = (cache(), Source::default());
    assert_eq!(cache.fetch(asked(), || async { panic!("the test's own") }).await.unwrap_err(), Broken::Other);
    assert_eq!(cache.fetch(asked(), || source.clone().load()).await.unwrap().origin, Origin::Computed);
}

/// The fill that a cache without generations would have given to everybody until it expired.
#[tokio::test]
async fn a_fill_that_came_too_late_is_counted_and_given_to_nobody() {
    let ((cache, _), source) = (cache(), Source::default());
    let voiding = Arc::clone(&cache);
    let late = async move {
        voiding.void(1, &[Namespace::Products]).await;
        Ok(answer("from before"))
    };
    assert_eq!(body(&cache.fetch(asked(), || late).await.unwrap()), "from before", "who asked before the write");
    assert_eq!((cache.stats.local_fills.get(Fill::Outdated), cache.stats.local_fills.get(Fill::Stored)), (1, 0));
    assert_eq!(body(&cache.fetch(asked(), || source.clone().load()).await.unwrap()), "0");
    assert_eq!((cache.stats.local_fills.get(Fill::Outdated), cache.stats.local_fills.get(Fill::Stored)), (1, 1));
}
