//! What the tests of seeding share.
#![allow(dead_code, unused_imports, reason = "each test file takes what it needs")]
#![allow(unreachable_pub, clippy::unwrap_used, reason = "part of a test, though clippy does not see it")]

mod quiet;
mod seeder;
mod target;

pub use quiet::Quiet;
pub use seeder::Seeder;
pub use target::Target;

use farmlokal_catalog::NewProduct;
use farmlokal_seed::{Generator, Plan};

/// A plan whose last batch is not a whole one.
pub const PLAN: Plan = Plan { rows: 1_234, batch: 100, seed: 7 };

/// A product that no plan makes.
pub fn a_product() -> NewProduct {
    Generator::new(99).product(1).unwrap().details
}
