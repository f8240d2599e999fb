//! A database of an earlier release, restored on one engine, and a look into its tables.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use farmlokal_testkit::mariadb;
use flate2::read::GzDecoder;

/// The engine of a fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Mariadb,
}

impl Engine {
    /// Key of the engine's facts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Mariadb => "mariadb",
        }
    }
}

/// A database of one test.
pub(super) enum Database {
    File(PathBuf),
    Server(mariadb::Database),
}

/// Folder of a release's fixtures.
pub(super) fn folder(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/upgrade").join(release)
}

fn unpacked(release: &str, file: &str) -> Vec<u8> {
    let path = folder(release).join(file);
    let packed = fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

impl Database {
    /// An empty one; that of SQLite is a file in `directory`.
    pub(super) fn empty(engine: Engine, directory: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::File(directory.join("upgrade.db")),
            Engine::Mariadb => Self::Server(mariadb::Database::create()),
        }
    }

    /// A copy of the fixture `name` of `release`.
    pub(super) fn restored(release: &str, engine: Engine, name: &str, directory: &Path) -> Self {
        let database = Self::empty(engine, directory);
        match &database {
            Self::File(path) => fs::write(path, unpacked(release, &format!("sqlite-{name}.db.gz"))).unwrap(),
            Self::Server(server) => {
                let dump = unpacked(release, &format!("mariadb-{name}.sql.gz"));
                server.execute(str::from_utf8(&dump).unwrap());
            }
        }
        database
    }

    /// `database.url` of the configuration.
    pub(super) fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Server(server) => server.url(),
        }
    }

    /// Rows of `sql`, one a line, tab separated; those of SQLite as literals of SQL.
    pub(super) fn execute(&self, sql: &str) -> String {
        match self {
            Self::Server(server) => server.execute(sql),
            Self::File(path) => {
                let mut command = Command::new("sqlite3");
                command.args(["-batch", "-quote", "-separator", "\t", "-cmd", ".timeout 10000"]).arg(path).arg(sql);
                let output = command.output().expect("sqlite3 is missing: apt-get install sqlite3");
                assert!(output.status.success(), "{}\nin: {sql}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
            }
        }
    }

    /// The only value of `sql`, a number.
    pub(super) fn number(&self, sql: &str) -> i64 {
        let text = self.execute(sql);
        text.parse().unwrap_or_else(|_| panic!("{sql}: {text:?} is no number"))
    }

    /// Number of rows of `table`.
    pub(super) fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {table}"))
    }

    /// Moves a column of times by `micros`. Times that stand for "never" stay.
    pub(super) fn move_times(&self, table: &str, column: &str, micros: i64) {
        self.execute(&match self {
            Self::File(_) => {
                format!("UPDATE {table} SET {column} = {column} + {micros} WHERE {column} > 1000000000000000")
            }
            Self::Server(_) => format!(
                "UPDATE {table} SET {column} = {column} + INTERVAL {micros} MICROSECOND WHERE {column} > '2001-01-01'"
            ),
        });
    }

    /// Tables, without those of full text and of the migrations.
    pub(super) fn tables(&self) -> Vec<String> {
        let listed = self.execute(match self {
            Self::File(_) => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            Self::Server(_) => "SHOW TABLES",
        });
        let names = listed.lines().map(|line| line.trim_matches('\'').to_owned());
        names.filter(|name| !["product_words", "sqlite_", "_sqlx"].iter().any(|own| name.starts_with(own))).collect()
    }

    /// Definitions of everything in the database, without counters of ids.
    pub(super) fn schema(&self) -> String {
        match self {
            Self::File(_) => self.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"),
            Self::Server(_) => {
                let definitions = |table: &String| self.execute(&format!("SHOW CREATE TABLE {table}"));
                self.tables().iter().map(definitions).map(|sql| without_counter(&sql)).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// Schema, finished migrations and every row.
    pub(super) fn dump(&self) -> String {
        let rows = |table: &String| format!("{table}\n{}", self.execute(&format!("SELECT * FROM {table}")));
        let migrations = self.execute("SELECT version, success FROM _sqlx_migrations ORDER BY version");
        let rows: Vec<_> = self.tables().iter().map(rows).collect();
        [self.schema(), migrations, rows.join("\n")].join("\n")
    }
}

/// `sql` without `AUTO_INCREMENT=7`.
fn without_counter(sql: &str) -> String {
    match sql.split_once(" AUTO_INCREMENT=") {
        Some((before, after)) => format!("{before}{}", after.trim_start_matches(|byte: char| byte.is_ascii_digit())),
        None => sql.to_owned(),
    }
}
