//! Where the time comes from.

use std::sync::Arc;

use farmlokal_catalog::Timestamp;

/// Tells the time, so that tests can say what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
