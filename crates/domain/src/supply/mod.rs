//! What suppliers offer, and the syncs that pull their offers into the catalogue.
//!
//! A supplier calls its products by ids of its own; the table that says which of ours they are is the one
//! of the events' sources, so a supplier may also send events under the same name.

mod offer;
mod sync;

pub use offer::Offer;
pub use sync::{Claim, Counts, Progress, Sync, SyncId, SyncState};
