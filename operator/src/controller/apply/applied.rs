//! What became of the objects.

use std::collections::BTreeMap;

use crate::controller::kind::Kind;
use crate::controller::live::{ChildName, Live};

/// What there is afterwards. The status is computed from this and not from what was wished.
#[derive(Debug, Default)]
pub struct Applied {
    /// The children.
    pub live: Live,
    /// Those whose names somebody else has taken.
    pub foreign: Vec<ChildName>,
    /// Those that the API server refuses, and what it says.
    pub rejected: Vec<(ChildName, String)>,
    /// What became of objects, and of how many.
    pub changes: BTreeMap<(Kind, Change), u64>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It was made.
    Created,
    /// It was made right again.
    Changed,
    /// It was right.
    Unchanged,
    /// It was deleted.
    Deleted,
    /// The API server refused it.
    Failed,
}

impl Change {
    /// As metrics have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
        }
    }
}
