//! Pulling what suppliers offer.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const SUPPLIER: Label = Label::few("supplier", "the name of a configured supplier");
const SYNCS: &[&str] = &["done", "failed", "left"];
const CALLS: &[&str] = &["answered", "failed"];

/// Syncs that ended here.
pub static SYNCS_ENDED: Metric = Metric::counter(
    "farmlokal.suppliers.syncs",
    "{sync}",
    "Syncs by how they ended in this process; those that are left go on later or elsewhere.",
)
.labelled(&[SUPPLIER, Label::one_of("outcome", SYNCS)], 300);

/// Calls to their APIs.
pub static CALLS_MADE: Metric = Metric::counter(
    "farmlokal.suppliers.calls",
    "{call}",
    "Calls to a supplier's API, with their retries, by what came of them.",
)
.labelled(&[SUPPLIER, Label::one_of("outcome", CALLS)], 200);

/// Suppliers.
pub static GROUP: Group = Group { title: "Suppliers", by: By::Service, metrics: &[&SYNCS_ENDED, &CALLS_MADE] };
