//! A store, a folder, and a projection between them that can be started and cut off.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::projection::{Projection, State};
use farmlokal_catalog::store::{self, DatabaseUrl, Options, Store};
use farmlokal_catalog::{Catalogue, Limit, NewProduct, Position, Query, Timestamp};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) folder: TempDir,
    pub(crate) url: DatabaseUrl,
}

/// A projection that runs until it is cut off.
pub(crate) struct Running {
    pub(crate) projection: Arc<Projection>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("catalogue.db").display());
        Self::at(folder, &url).await
    }

    pub(crate) async fn at(folder: TempDir, url: &str) -> Self {
        let url: DatabaseUrl = url.parse().unwrap();
        store::migrate(&url).await.unwrap();
        let store = store::open(&url, None, &Options::default()).await.unwrap();
        Self { store, folder, url }
    }

    pub(crate) fn index_dir(&self) -> PathBuf {
        self.folder.path().join("search")
    }

    pub(crate) fn start(&self) -> Running {
        let projection = Projection::new(Arc::clone(&self.store), self.index_dir());
        let stop = CancellationToken::new();
        let task = tokio::spawn(Arc::clone(&projection).run(stop.clone()));
        Running { projection, stop, task }
    }

    /// A projection that never runs, and so has no index.
    pub(crate) fn idle(&self) -> Arc<Projection> {
        Projection::new(Arc::clone(&self.store), self.index_dir())
    }

    /// A running projection that has caught up.
    pub(crate) async fn ready(&self) -> Running {
        let running = self.start();
        running.until("ready", || running.projection.status().state == State::Ready).await;
        running
    }

    pub(crate) async fn create(&self, name: &str, price: i64) -> farmlokal_catalog::Product {
        self.store.create(details(name, price), at()).await.unwrap()
    }
}

impl Running {
    /// Ends it at once, wherever it is.
    pub(crate) async fn cut_off(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    pub(crate) async fn until(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done() {
            assert!(Instant::now() < deadline, "waited in vain: {what}: {:?}", self.projection.status());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The ids that a search for `word` finds in the index; empty while there is none.
    pub(crate) fn found(&self, word: &str) -> Vec<i64> {
        let Some(index) = self.projection.index() else { return Vec::new() };
        let hits = index.search(&search(word, "id"), None, None, 10_000).unwrap();
        hits.ids.iter().map(|(id, _)| id.get()).collect()
    }

    pub(crate) async fn until_found(&self, word: &str, count: usize) {
        self.until(&format!("{count} hits for {word}"), || self.found(word).len() == count).await;
    }
}

pub(crate) fn search(word: &str, order: &str) -> Query {
    Query::new(farmlokal_catalog::Filter::default(), word.parse().ok(), order.parse().ok()).unwrap()
}

pub(crate) fn at() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).unwrap()
}

pub(crate) fn details(name: &str, price: i64) -> NewProduct {
    NewProduct {
        name: name.parse().unwrap(),
        description: "Grown for a test.".parse().unwrap(),
        category: ["Dairy", "Fruits", "Grains"][price.unsigned_abs() as usize % 3].parse().unwrap(),
        price: farmlokal_catalog::Price::from_minor(price).unwrap(),
        currency: "INR".parse().unwrap(),
        unit: "500 g".parse().unwrap(),
        producer: "Sharma Farm".parse().unwrap(),
        stock: 7,
    }
}

/// Every id of `query`, page by page.
pub(crate) async fn walk(catalogue: &Catalogue, query: &Query, limit: i64) -> Vec<i64> {
    let (mut seen, mut after, mut epoch) = (Vec::new(), None::<Position>, None);
    for _ in 0..10_000 {
        let listing = catalogue.list(query, after.as_ref(), epoch, Limit::new(limit).unwrap()).await.unwrap();
        seen.extend(listing.page.products.iter().map(|product| product.id.get()));
        (after, epoch) = (listing.page.next, listing.epoch);
        if after.is_none() {
            return seen;
        }
    }
    panic!("the walk does not end");
}
