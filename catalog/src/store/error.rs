//! What can go wrong in the store, and the one place where sqlx errors are understood.

use sqlx::migrate::MigrateError;

use crate::Version;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such product.
    #[error("no such product")]
    NotFound,
    /// The product has another version than the caller expected.
    #[error("the product is at version {}, not at the one expected", .current.get())]
    VersionMismatch {
        /// The version it has.
        current: Version,
    },
    /// Somebody else is doing the request by now, or has done it.
    #[error("the request was overtaken by another try of it")]
    Overtaken,
    /// No connection became free in time: too much work at once.
    #[error("no database connection became free in time")]
    Busy,
    /// The database undid the transaction in favour of another: a deadlock, or a lock that was waited for too long.
    #[error("the database undid the transaction in favour of another: {0}")]
    Conflict(#[source] sqlx::Error),
    /// The statement ran into its time limit.
    #[error("the statement ran into its time limit")]
    TimeLimit,
    /// The database cannot be reached, or its tables are not ready (being migrated or seeded).
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A row holds what no product can have; somebody else has written to the table.
    #[error("row {id} holds a wrong {field}")]
    Corrupt {
        /// The row's id.
        id: i64,
        /// The column.
        field: String,
    },
    /// The URL of the database is not one we can open.
    #[error("{0}")]
    Url(String),
    /// The tables could not be brought up to date.
    #[error("{}", told(.0))]
    Migrate(#[from] MigrateError),
    /// A file beside an embedded database could not be used.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Anything else the database said: a bug of ours.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// What kind of failure of the database it is, in a word of few for metrics and traces; `None` for what it is
    /// meant to answer, such as that there is no such product.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::NotFound | Self::VersionMismatch { .. } | Self::Overtaken => None,
            Self::Busy | Self::Conflict(_) => Some("busy"),
            Self::TimeLimit => Some("time_limit"),
            Self::Unavailable(_) => Some("unavailable"),
            Self::Corrupt { .. } => Some("corrupt"),
            Self::Url(_) | Self::Migrate(_) | Self::File { .. } | Self::Database(_) => Some("database"),
        }
    }

    /// Returns whether the same call may succeed later: the database was busy, slow or unavailable.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Conflict(_) | Self::TimeLimit | Self::Unavailable(_))
    }

    /// A row whose `field` holds what it cannot.
    pub(crate) fn corrupt(id: i64, field: &str) -> Self {
        Self::Corrupt { id, field: field.to_owned() }
    }

    /// The same error, but not one after which a transaction runs again.
    pub(super) fn without_retry(self) -> Self {
        match self {
            Self::Conflict(_) => Self::Busy,
            error => error,
        }
    }

    /// The call came to no end: it panicked, or the process is ending.
    pub(crate) fn broke_off() -> Self {
        Self::Unavailable(sqlx::Error::WorkerCrashed)
    }
}

/// What is to be done where it is not the database's fault.
fn told(error: &MigrateError) -> String {
    match error {
        MigrateError::VersionMissing(version) => format!(
            "the database is newer than this program, which does not know its migration {version}; \
             run the program that made it, or a later one"
        ),
        error => format!("migration failed: {error}"),
    }
}

/// The numbers that MySQL, MariaDB and SQLite give to the errors we tell apart.
mod code {
    /// MySQL `ER_QUERY_TIMEOUT`, MariaDB `ER_STATEMENT_TIMEOUT`, `ER_QUERY_INTERRUPTED`, `SQLITE_INTERRUPT`.
    pub(super) const TIME_LIMIT: [&str; 4] = ["3024", "1969", "1317", "9"];
    /// `ER_LOCK_WAIT_TIMEOUT`, `ER_LOCK_DEADLOCK`.
    pub(super) const CONFLICT: [&str; 2] = ["1205", "1213"];
    /// `SQLITE_BUSY`, `SQLITE_BUSY_SNAPSHOT`.
    pub(super) const BUSY: [&str; 2] = ["5", "517"];
    /// Too many connections: `ER_CON_COUNT_ERROR`, `ER_TOO_MANY_USER_CONNECTIONS`, `ER_USER_LIMIT_REACHED`.
    pub(super) const TOO_MANY: [&str; 3] = ["1040", "1203", "1226"];
    /// `ER_NO_SUCH_TABLE`, `ER_KEY_DOES_NOT_EXITS`, `ER_SERVER_SHUTDOWN`, `ER_CONNECTION_KILLED`, `ER_BAD_DB_ERROR`,
    /// `ER_ACCESS_DENIED_ERROR`, `ER_OPTION_PREVENTS_STATEMENT`.
    pub(super) const UNAVAILABLE: [&str; 7] = ["1146", "1176", "1053", "1927", "1049", "1045", "1290"];
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        match &error {
            Error::RowNotFound => Self::NotFound,
            Error::ColumnDecode { index, .. } => Self::corrupt(0, index),
            Error::PoolTimedOut => Self::Busy,
            Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed | Error::Protocol(_) => {
                Self::Unavailable(error)
            }
            Error::Database(said) => {
                let number = number(said.as_ref());
                let is = |codes: &[&str]| codes.contains(&number.as_str());
                // SQLite has one number for every mistake in a statement; only the text tells a
                // missing index or table, which a seeding in progress has put aside.
                let missing = said.message().starts_with("no such");
                if is(&code::TIME_LIMIT) {
                    Self::TimeLimit
                } else if is(&code::CONFLICT) {
                    Self::Conflict(error)
                } else if is(&code::BUSY) || is(&code::TOO_MANY) {
                    Self::Busy
                } else if is(&code::UNAVAILABLE) || missing {
                    Self::Unavailable(error)
                } else {
                    Self::Database(error)
                }
            }
            _ => Self::Database(error),
        }
    }
}

/// The engine's own error number: MySQL hides it behind the SQLSTATE.
fn number(said: &dyn sqlx::error::DatabaseError) -> String {
    match said.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        Some(mysql) => mysql.number().to_string(),
        None => said.code().unwrap_or_default().into_owned(),
    }
}

/// Whether the server refused a connection because it has too many.
pub(super) fn has_too_many(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|said| code::TOO_MANY.contains(&number(said).as_str()))
}

/// Whether an insert was done: `false` when the key of its row is taken.
pub(super) fn unless_taken<T>(inserted: Result<T, sqlx::Error>) -> Result<bool, StoreError> {
    match inserted {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
