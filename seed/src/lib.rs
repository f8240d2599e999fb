//! The deterministic generator and the bulk loader.

mod generator;
pub mod measured;
pub mod progress;
pub mod run;
mod splitmix;
mod vocabulary;

pub use generator::Generator;
pub use run::{Plan, Report, SeedError, run};
