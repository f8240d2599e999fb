//! Filling the catalogue.

use super::{By, Group};
use crate::metrics::Metric;

/// Products that are there.
pub static DONE: Metric = Metric::gauge("farmlokal.seed.rows.done", "{product}", "Products that are there.");

/// Products there are to be.
pub static WANTED: Metric =
    Metric::gauge("farmlokal.seed.rows.wanted", "{product}", "Products that are to be there in the end.");

/// Seeding.
pub static GROUP: Group = Group { title: "Seeding", by: By::Seed, metrics: &[&DONE, &WANTED] };
