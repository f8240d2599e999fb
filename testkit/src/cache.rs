//! Where things are kept that are made or fetched once, outside of the source tree.

use std::env;
use std::path::{Path, PathBuf};

/// The user's cache directory for this project: `~/.cache/farmlokal`. It need not exist.
///
/// # Errors
///
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn directory() -> Result<PathBuf, String> {
    let given = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
    given
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .map(|cache| cache.join("farmlokal"))
        .ok_or_else(|| "neither XDG_CACHE_HOME nor HOME says where to keep what is built once".to_owned())
}
