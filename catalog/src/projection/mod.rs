//! Keeps the search index a projection of the products table: builds it in the background, beside a seeding if there is
//! one, follows the log of changes, and rebuilds it when it is damaged, outdated, or of another catalogue.

mod build;
mod folder;
mod follow;
mod status;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::search::{SearchError, SearchIndex};
use crate::store::{Store, StoreError};
use folder::{Folder, Owner};

pub use status::{BuildProgress, State, Status};

/// How often the log of changes is asked, and with it how late the index is.
const POLL: Duration = Duration::from_millis(250);
/// How long to wait for the folder while another process has it.
const OWNER_POLL: Duration = Duration::from_secs(1);
/// How often to look whether a seeding under way has brought further products.
const SEEDING_POLL: Duration = Duration::from_millis(50);
/// How long to wait after a failure; the database or the disk may come back.
const BACKOFF: Duration = Duration::from_secs(2);

/// Why the index could not be built or followed up. It is tried again.
#[derive(Debug, thiserror::Error)]
enum ProjectionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error("the index's folder: {0}")]
    Folder(#[from] std::io::Error),
    #[error("a thread of the index broke: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

/// The projection of one catalogue into one folder.
pub struct Projection {
    store: Arc<dyn Store>,
    folder: Folder,
    current: RwLock<Option<SearchIndex>>,
    status: RwLock<Status>,
    rebuild: AtomicBool,
    /// See [`Self::stamp`].
    stamp: AtomicU64,
    wake: Notify,
    /// What computes or waits for the disk; it goes on when the task that asked for it is cut off.
    work: TaskTracker,
}

impl Projection {
    /// A projection of `store` into `folder`, which nobody else uses. Nothing happens before
    /// [`Self::run`].
    pub fn new(store: Arc<dyn Store>, folder: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            store,
            folder: Folder::new(folder),
            current: RwLock::new(None),
            status: RwLock::new(Status::default()),
            rebuild: AtomicBool::new(false),
            stamp: AtomicU64::new(0),
            wake: Notify::new(),
            work: TaskTracker::new(),
        })
    }

    /// Stands for what the index is at least up to: an answer that was computed after this was read knows
    /// all changes behind it, and any replica's index of the same stamp would have given it. `None` without
    /// an index.
    pub fn stamp(&self) -> Option<u64> {
        // Before the question whether there is an index: see `follow`.
        let stamp = self.stamp.load(Ordering::Acquire);
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|_| stamp)
    }

    /// The index to search now; `None` until it is ready, or while it is lost.
    pub fn index(&self) -> Option<SearchIndex> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the projection is doing.
    pub fn status(&self) -> Status {
        let mut status = self.status.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(index) = self.index() {
            status.documents = index.documents();
            status.bytes = index.bytes_on_disk();
            status.position = index.position();
        }
        status
    }

    /// Has the index built anew from the table; the present one serves until then.
    pub fn rebuild(&self) {
        self.rebuild.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Gives up the present index, which failed with `error`, and has it built anew.
    pub fn report_damage(&self, error: &SearchError) {
        tracing::error!("the search index failed and is rebuilt; searches are refused until then: {error}");
        self.publish(None);
        self.rebuild();
    }

    /// Builds and follows until `stop`; once in a projection's life. When it returns, nothing of it
    /// touches the folder any more.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut owner = None;
        let work = async {
            loop {
                match self.cycle(&mut owner).await {
                    Ok(why) => {
                        tracing::info!("building the search index anew: {why}");
                        self.rebuild.store(true, Ordering::Relaxed);
                    }
                    Err(error) => {
                        tracing::warn!("search index: {error}; trying again");
                        self.note(|status| status.error = Some(error.to_string()));
                        sleep(BACKOFF).await;
                    }
                }
            }
        };
        // Cut off at any point: what is on disk is whole or not current.
        stop.run_until_cancelled(work).await;
        self.work.close();
        self.work.wait().await;
        self.publish(None);
        drop(owner);
    }

    /// Once through: own the folder, have an index, follow the log until the index has to be built anew,
    /// and say why.
    async fn cycle(&self, owner: &mut Option<Owner>) -> Result<&'static str, ProjectionError> {
        while owner.is_none() {
            *owner = self.folder.own()?;
            if owner.is_none() {
                self.note(|status| status.state = State::Waiting);
                sleep(OWNER_POLL).await;
            }
        }
        let identity = self.store.identity().await?;
        let (index, covered) = match self.reusable(&identity).await? {
            Some(index) if !self.rebuild.swap(false, Ordering::Relaxed) => {
                let position = index.position();
                (index, position)
            }
            kept => {
                // An index that still serves goes on while the next one is built beside it.
                if self.index().is_none() {
                    self.publish(kept);
                }
                self.rebuild.store(false, Ordering::Relaxed);
                self.build(&identity).await?
            }
        };
        self.publish(Some(index.clone()));
        self.folder.sweep()?;
        self.note(|status| (status.state, status.error) = (State::Ready, None));
        self.follow(index, covered).await
    }

    fn publish(&self, index: Option<SearchIndex>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = index;
    }

    fn note(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Runs `work`, which computes or waits for the disk, where it holds nobody up.
    async fn blocking<T: Send + 'static, E: Into<ProjectionError> + Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, ProjectionError> {
        self.work.spawn_blocking(work).await?.map_err(Into::into)
    }
}
