//! MariaDB: a private server, and databases of their own for the tests that share it.

mod account;
mod database;
mod server;

use std::env;

pub use database::Database;
pub use server::Server;

/// The environment variable with the shared server's URL.
pub const URL_VARIABLE: &str = "FARMLOKAL_TEST_MARIADB_URL";

/// The URL of the server that this test run shares, with no database:
/// `mysql://user:password@127.0.0.1:port/`.
///
/// # Panics
///
/// When no server is announced in `FARMLOKAL_TEST_MARIADB_URL`.
#[must_use]
pub fn url() -> String {
    match env::var(URL_VARIABLE) {
        Ok(url) => url,
        Err(_) => panic!(
            "{URL_VARIABLE} is not set: run the tests by `cargo xtask test`, \
             or run `cargo xtask servers` and export what it prints"
        ),
    }
}
