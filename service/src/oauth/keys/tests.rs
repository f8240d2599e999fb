//! Several replicas on one database, and a clock that the test sets.

use farmlokal_catalog::store::{self, Options, Store};
use tempfile::TempDir;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3_600);

fn at(after: Duration) -> Timestamp {
    later(Timestamp::from_micros(1_767_225_600_000_000).unwrap(), after)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A database, removed with the folder.
async fn database() -> (TempDir, Arc<dyn Store>) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display()).parse().unwrap();
    store::migrate(&url).await.unwrap();
    let store = store::open(&url, None, &Options::default()).await.unwrap();
    (folder, store)
}

fn replica(store: &Arc<dyn Store>, secret: &str) -> Keys {
    let store: Arc<dyn OAuthStore> = Arc::<dyn Store>::clone(store);
    Keys::new(store, Sealer::new(secret).unwrap(), HOUR, MONTH)
}

async fn signer(keys: &Keys, now: Timestamp) -> String {
    keys.to_sign(now).await.unwrap().signing(now).unwrap().kid.clone()
}

async fn knows(keys: &Keys, kid: &str, now: Timestamp) -> bool {
    keys.with(kid, now).await.unwrap().find(kid, now).is_some()
}

#[tokio::test]
async fn replicas_share_one_first_key() {
    let (_folder, store) = database().await;
    let replicas: Vec<_> = (0..5).map(|_| replica(&store, "")).collect();
    let mut kids = Vec::new();
    for keys in &replicas {
        kids.push(signer(keys, at(Duration::ZERO)).await);
    }
    kids.dedup();
    assert_eq!(kids.len(), 1);
    let known = replicas[0].current(at(Duration::ZERO)).await.unwrap();
    let late = Key::generate(1, at(Duration::ZERO), &Sealer::new("").unwrap()).unwrap();
    assert!(!store.add_oauth_key(&late, at(HOUR)).await.unwrap(), "who comes too late learns it");
    assert_eq!(known.live(at(Duration::ZERO)).count(), 1);
}

#[tokio::test]
async fn a_successor_is_known_to_all_before_it_signs_and_the_old_key_outlives_its_tokens() {
    let (_folder, store) = database().await;
    let (a, b) = (replica(&store, ""), replica(&store, ""));
    let first = signer(&a, at(Duration::ZERO)).await;
    assert_eq!(signer(&b, at(MONTH - seconds(1))).await, first);
    // It is time: A makes a successor, and goes on signing with the first one.
    assert_eq!(signer(&a, at(MONTH)).await, first);
    let last = at(MONTH + AHEAD - seconds(1));
    assert_eq!(signer(&a, last).await, first);
    let second = signer(&a, at(MONTH + AHEAD)).await;
    assert_ne!(second, first);
    assert_eq!(signer(&b, at(MONTH + AHEAD)).await, second, "B has made none of its own");
    assert!(knows(&b, &second, last).await);
    // The last token of the first key is good for an hour.
    for keys in [&a, &b] {
        assert!(knows(keys, &first, later(last, HOUR)).await);
        assert!(!knows(keys, &first, at(MONTH + AHEAD + HOUR + seconds(60))).await);
        assert!(knows(keys, &second, at(MONTH + AHEAD + HOUR + seconds(60))).await);
    }
}

#[tokio::test]
async fn a_key_taken_back_at_once_is_gone_everywhere_within_half_a_minute() {
    let (_folder, store) = database().await;
    let (a, b) = (replica(&store, ""), replica(&store, ""));
    let now = at(HOUR);
    let first = signer(&a, now).await;
    assert!(knows(&b, &first, now).await);
    replica(&store, "").rotate(true, now).await.unwrap();
    let soon = at(HOUR + MAX_AGE + seconds(1));
    assert!(!knows(&b, &first, soon).await && !knows(&a, &first, soon).await);
    let second = signer(&a, soon).await;
    assert_ne!(second, first);
    assert_eq!(signer(&b, soon).await, second, "it signs at once, since there is no other");
}

/// Names of keys are made up by anybody: the database is asked once a second at the most.
#[tokio::test]
async fn an_unknown_name_is_looked_up_but_not_each_time() {
    let (_folder, store) = database().await;
    let (a, b) = (replica(&store, ""), replica(&store, ""));
    let start = at(Duration::ZERO);
    assert!(!knows(&b, "made-up", start).await, "B has looked, and there is no key yet");
    let first = signer(&a, start).await;
    assert!(!knows(&b, &first, at(seconds(1))).await, "it does not look again within a second");
    assert!(knows(&b, &first, at(Duration::from_millis(1_001))).await);
}

#[tokio::test]
async fn without_the_secret_a_key_verifies_and_another_one_signs() {
    let (_folder, store) = database().await;
    let (sealed, without) = (replica(&store, "a long secret of ours"), replica(&store, ""));
    let now = at(Duration::ZERO);
    let first = signer(&sealed, now).await;
    let other = signer(&without, now).await;
    assert_ne!(first, other);
    let soon = at(seconds(2));
    assert!(knows(&without, &first, soon).await && knows(&sealed, &other, soon).await);
    let later = at(MAX_AGE + seconds(1));
    assert_eq!((signer(&sealed, later).await, signer(&without, later).await), (first, other), "and that is all");
}
