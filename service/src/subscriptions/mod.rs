//! Telling others of changes: from the log to deliveries, and from there to their receivers, who may be anybody.

mod address;
mod client;
mod connector;
mod courier;
mod fan_out;
mod guard;
mod schedule;
mod verdict;

pub use client::{Client, Reply};
pub use courier::{Courier, CourierOptions, Tried};
pub use fan_out::{FanOut, Render};
pub use guard::{Guard, Refused, Resolve, Rules, SystemResolver};
pub use schedule::{Delays, Schedule};
