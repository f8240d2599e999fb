use std::fs;
use std::path::Path;

use farmlokal_catalog::store::{self, Options, Pool};
use tempfile::TempDir;

use super::*;

/// A tuner of a store that may have 40 connections and starts with 8; the clock is at second 7.
struct Bench {
    tuner: Arc<Tuner>,
    store: Arc<dyn Store>,
    folder: TempDir,
}

impl Bench {
    async fn new(pod_uid: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display()).parse().unwrap();
        let options = Options { max_connections: 8, max_connections_ceiling: 40, ..Options::default() };
        let store = store::open(&url, None, &options).await.unwrap();
        let clock: Clock = Arc::new(|| Timestamp::from_micros(7_000_000).unwrap());
        let file = folder.path().join("tuning.json");
        let tuner = Arc::new(Tuner::new(file, pod_uid.map(str::to_owned), Arc::clone(&store), clock));
        Self { tuner, store, folder }
    }

    fn file(&self) -> &Path {
        &self.tuner.file
    }

    fn limit(&self) -> u32 {
        self.store.pools().iter().find(|status| status.pool == Pool::Primary).unwrap().limit
    }

    /// What holds after a look at a file with `text`: the limit, the generation and the mistake.
    async fn look(&self, text: &str) -> (u32, u64, String) {
        fs::write(self.file(), text).unwrap();
        self.tuner.look().await;
        let status = self.tuner.status();
        (self.limit(), status.generation, status.error.unwrap_or_default())
    }
}

#[tokio::test]
async fn a_right_file_is_applied_and_a_wrong_one_changes_nothing() {
    let bench = Bench::new(None).await;
    bench.tuner.look().await;
    let status = bench.tuner.status();
    assert_eq!((bench.limit(), status.generation, status.applied_at), (8, 0, None));
    assert!(status.error.unwrap().contains("cannot be read"));

    let ok = |limit, generation| (limit, generation, String::new());
    assert_eq!(bench.look(r#"{"generation":3,"poolMax":12}"#).await, ok(12, 3));
    assert_eq!(bench.tuner.status().applied_at, Timestamp::from_micros(7_000_000));
    for (text, names) in [
        ("", "not valid"),
        (r#"{"generation":4,"poolMax":"many"}"#, "not valid"),
        (r#"{"generation":4,"poolMax":0}"#, "poolMax is 0"),
        (r#"{"generation":2,"poolMax":30}"#, "generation is 2, and 3 is applied"),
        (r#"{"generation":3,"poolMax":30}"#, "generation is 3, and 3 is applied"),
    ] {
        let (limit, generation, error) = bench.look(text).await;
        assert_eq!((limit, generation), (12, 3), "{text}");
        assert!(error.contains(names), "{text}: {error}");
    }
    assert_eq!(bench.look(r#"{"generation":3,"poolMax":12}"#).await, ok(12, 3), "what is applied is no mistake");
    assert_eq!(bench.look(r#"{"generation":4,"poolMax":2}"#).await, ok(2, 4));
}

#[tokio::test]
async fn more_than_the_ceiling_is_cut_and_said_as_long_as_it_is_asked_for() {
    let bench = Bench::new(None).await;
    for _ in 0..2 {
        let (limit, generation, error) = bench.look(r#"{"generation":1,"poolMax":500}"#).await;
        assert_eq!((limit, generation), (40, 1));
        assert!(error.contains("500") && error.contains("max_connections_ceiling is 40"), "{error}");
    }
}

#[tokio::test]
async fn a_pod_that_is_not_named_keeps_to_boot() {
    let text = r#"{"generation":1,"poolMax":20,"boot":5,"pods":["named"]}"#;
    for (uid, limit) in [(Some("named"), 20), (Some("other"), 5), (None, 5)] {
        assert_eq!(Bench::new(uid).await.look(text).await, (limit, 1, String::new()), "{uid:?}");
    }
}

/// As Kubernetes does it: the file is a link into a folder that is itself a link, and that one is replaced.
#[tokio::test]
async fn a_link_that_is_swapped_is_seen() {
    let bench = Bench::new(None).await;
    let folder = bench.folder.path();
    std::os::unix::fs::symlink("..data/tuning.json", bench.file()).unwrap();
    for generation in 1..=3 {
        let (version, link) = (folder.join(format!("..{generation}")), folder.join("..data_tmp"));
        fs::create_dir(&version).unwrap();
        let text = format!(r#"{{"generation":{generation},"poolMax":{}}}"#, 10 + generation);
        fs::write(version.join("tuning.json"), text).unwrap();
        std::os::unix::fs::symlink(&version, &link).unwrap();
        fs::rename(&link, folder.join("..data")).unwrap();
        bench.tuner.look().await;
        assert_eq!(u64::from(bench.limit()), 10 + generation);
        assert_eq!(bench.tuner.status().error, None);
    }
}

#[tokio::test]
async fn it_is_looked_at_until_the_end() {
    let bench = Bench::new(None).await;
    tokio::time::pause();
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&bench.tuner).run(stop.clone()));
    for generation in 1..4u64 {
        fs::write(bench.file(), format!(r#"{{"generation":{generation},"poolMax":9}}"#)).unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while bench.tuner.status().generation < generation {
            assert!(tokio::time::Instant::now() < deadline, "the file is not looked at");
            tokio::time::advance(Duration::from_millis(100)).await;
            tokio::task::spawn_blocking(|| ()).await.unwrap();
        }
    }
    stop.cancel();
    running.await.unwrap();
}
