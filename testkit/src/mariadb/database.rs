//! A database of one test.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use super::account::Account;

/// A fresh, empty database with a name of its own; dropped with this value.
#[derive(Debug)]
pub struct Database {
    account: Account,
    name: String,
}

impl Database {
    /// Creates a database on the server that this test run shares ([`url`](super::url)).
    ///
    /// # Panics
    ///
    /// When there is no such server, or it refuses.
    #[must_use]
    pub fn create() -> Self {
        Self::create_on(&super::url())
    }

    /// Creates a database on the server at `url` (`mysql://user:password@host:port/`).
    ///
    /// # Panics
    ///
    /// When `url` has another form, or the server refuses.
    #[must_use]
    pub fn create_on(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let Some(account) = Account::parse(url) else {
            panic!("{url:?} is not mysql://user:password@host:port/");
        };
        // Test binaries run side by side on one server: the process makes the name unique.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", process::id());
        if let Err(error) = account.execute("", &format!("CREATE DATABASE {name}")) {
            panic!("could not create the database {name}: {error}");
        }
        Self { account, name }
    }

    /// The database's URL: `mysql://user:password@host:port/name`.
    #[must_use]
    pub fn url(&self) -> String {
        self.account.url(&self.name)
    }

    /// Runs `sql`, one or more statements, in a session of its own, and returns the rows: one a
    /// line, the columns separated by tabs, without column names and without a line feed at the end.
    ///
    /// # Panics
    ///
    /// With the server's message, when it refuses.
    pub fn execute(&self, sql: &str) -> String {
        match self.account.execute(&self.name, sql) {
            Ok(rows) => rows,
            Err(error) => panic!("{error}\nin: {sql}"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be gone already, and its databases with it.
        let _ = self.account.execute("", &format!("DROP DATABASE IF EXISTS {}", self.name));
    }
}
