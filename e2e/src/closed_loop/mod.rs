//! The closed loop of pool tuning on a real database: processes that serve under load, their metrics by HTTP, the
//! operator's law, the tuning file they follow; and beside it the database's own count of their connections.

mod census;
mod compare;
mod document;
mod law;
mod load;
mod pod;
mod site;

pub use census::{Census, Counts};
pub use compare::{Arguments, run};
pub use law::{Controller, Law, Step};
pub use load::{Clients, Load, Served};
pub use pod::Pod;
pub use site::{Plan, Site};
