//! What the tests of seeding share.
#![allow(dead_code, unused_imports, reason = "each test file takes what it needs")]
#![allow(unreachable_pub, reason = "a module of several test binaries")]

mod quiet;
mod seeder;
mod target;

pub use quiet::Quiet;
pub use seeder::Seeder;
pub use target::Target;

use farmlokal_seed::Plan;

/// A plan whose last batch is not a whole one.
pub const PLAN: Plan = Plan { rows: 1_234, batch: 100, seed: 7 };
