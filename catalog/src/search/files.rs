//! The folder's files as the engine reads them: whole, into memory of the process's own.
//!
//! The engine itself would map them, and a mapped file that is cut by somebody ends the process (SIGBUS).
//! What is in memory answers on, whatever becomes of the files, until the index is made anew.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::iter::repeat_n;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, WatchCallback, WatchHandle, WritePtr,
};

use super::SearchError;

/// A folder whose files are written once and read as a whole. Clones share what was read.
#[derive(Debug, Clone)]
pub(super) struct Files {
    root: PathBuf,
    /// Does everything but read.
    disk: MmapDirectory,
    held: Arc<Mutex<Held>>,
}

/// The bytes of each file that somebody still uses: searchers, writer and merges share them.
type Held = HashMap<PathBuf, Weak<[u8]>>;

impl Files {
    /// The files of `root`, which must be there.
    pub(super) fn open(root: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self { root: root.to_owned(), disk: MmapDirectory::open(root)?, held: Arc::default() })
    }

    /// Refuses `file` if it is gone, or no longer as long as it was when it was read.
    pub(super) fn check(&self, file: &Path) -> Result<(), SearchError> {
        let found = match fs::metadata(self.root.join(file)) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SearchError::Damaged(format!("{} is missing", file.display())));
            }
            Err(error) => return Err(error.into()),
        };
        match self.held().get(file).and_then(Weak::upgrade) {
            Some(read) if read.len() as u64 != found => {
                Err(SearchError::Damaged(format!("{} has {found} bytes instead of {}", file.display(), read.len())))
            }
            _ => Ok(()),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, file: &Path) -> io::Result<Arc<[u8]>> {
        let mut held = self.held();
        if let Some(bytes) = held.get(file).and_then(Weak::upgrade) {
            return Ok(bytes);
        }
        let bytes = read(&self.root.join(file))?;
        held.retain(|_, bytes| bytes.strong_count() > 0);
        held.insert(file.to_owned(), Arc::downgrade(&bytes));
        Ok(bytes)
    }
}

/// What is in the file `path`, without a copy on the way.
fn read(path: &Path) -> io::Result<Arc<[u8]>> {
    let mut file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes: Arc<[u8]> = repeat_n(0, length).collect();
    // Nobody else has it yet.
    if let Some(bytes) = Arc::get_mut(&mut bytes) {
        file.read_exact(bytes)?;
    }
    Ok(bytes)
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        match self.read(path) {
            Ok(bytes) => Ok(Arc::new(OwnedBytes::new(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(OpenReadError::FileDoesNotExist(path.to_owned()))
            }
            Err(error) => Err(OpenReadError::wrap_io_error(error, path.to_owned())),
        }
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.disk.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.disk.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.disk.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.disk.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.disk.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.disk.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.disk.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.disk.watch(callback)
    }
}
