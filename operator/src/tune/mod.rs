//! How large the database pools are to be: from what the pods report to what they are told. Pure: no client, no clock.
//!
//! Once a window the caller scrapes every pod ([`Sample`]), adds up what happened since the scrape before
//! ([`Observation`]) and asks [`decide()`]; it publishes the answer as the tuning file and keeps the [`State`]. How much
//! there is to give is in [`budget`], and in [`grant`] for pods that come and go while it is given away. The reasons
//! for the law, and how it compares, are in `docs/pool-tuning.md`.

pub mod budget;
mod climb;
mod decide;
mod decision;
mod elasticity;
pub mod grant;
mod observation;
mod sample;
mod state;

pub use decide::decide;
pub use decision::{Action, Decision, Reason};
pub use elasticity::Point;
pub use observation::{Observation, Pod};
pub use sample::{Sample, SampleError};
pub use state::{Direction, Mode, Settings, State};
