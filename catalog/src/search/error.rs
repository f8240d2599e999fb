//! What can go wrong with the search index.

use std::io;

use tantivy::TantivyError;
use tantivy::directory::error::OpenReadError;

/// Why the search index cannot be opened, read or written. None of these loses a product: the index
/// is made from the catalogue and can be made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// There is no index in the folder.
    #[error("there is no search index in the folder")]
    Missing,
    /// The index was made by another version of this program and must be made again.
    #[error("the search index was made by another version")]
    Outdated,
    /// A file of the index is gone, cut or altered; the text says which.
    #[error("the search index is damaged: {0}")]
    Damaged(String),
    /// A new index is only made in an empty folder.
    #[error("the folder for a new search index is not empty")]
    NotEmpty,
    /// Another writer, in this process or another one, holds the index.
    #[error("the search index already has a writer")]
    Busy,
    /// The position belongs to a scan of another order.
    #[error("the position is not one of the order asked for")]
    Position,
    /// The engine failed, mostly for lack of disk space or memory.
    #[error("the search engine failed: {0}")]
    Engine(TantivyError),
}

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(path)) => {
                Self::Damaged(format!("{} is missing", path.display()))
            }
            TantivyError::OpenReadError(OpenReadError::IncompatibleIndex(_)) | TantivyError::IncompatibleIndex(_) => {
                Self::Outdated
            }
            TantivyError::DataCorruption(what) => Self::Damaged(format!("{what:?}")),
            TantivyError::LockFailure(..) => Self::Busy,
            other => Self::Engine(other),
        }
    }
}

impl From<OpenReadError> for SearchError {
    fn from(error: OpenReadError) -> Self {
        TantivyError::from(error).into()
    }
}

impl From<io::Error> for SearchError {
    fn from(error: io::Error) -> Self {
        TantivyError::from(error).into()
    }
}
