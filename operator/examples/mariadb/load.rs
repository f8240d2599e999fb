//! Statements that many connections send at once, by MariaDB's own tool for that.

use std::process::Command;

use farmlokal_operator::tune::Observation;
use farmlokal_testkit::mariadb::Database;
use url::Url;

use crate::world::Window;

/// One kind of statement on a database of its own.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    database: Database,
    statement: &'static str,
    /// Statements of a window: some tenths of a second's worth.
    statements: u32,
}

impl Load {
    /// One that contends for a row, and one that only computes.
    pub(crate) fn all() -> [Self; 2] {
        [
            Self::new("Everybody writes one row", "UPDATE stock SET pieces = pieces + 1 WHERE id = 1", 2560),
            Self::new("Everybody adds up a thousand rows", "SELECT SUM(pieces) FROM stock WHERE pieces > 0", 2560),
        ]
    }

    fn new(name: &'static str, statement: &'static str, statements: u32) -> Self {
        let database = Database::create();
        database.execute(
            "CREATE TABLE stock (id INT PRIMARY KEY, pieces INT NOT NULL);
             INSERT INTO stock SELECT seq, seq FROM seq_1_to_1000",
        );
        Self { name, database, statement, statements }
    }

    /// Sends the statements over so many connections.
    pub(crate) fn window(&self, connections: u32, pods: u32) -> Result<Window, String> {
        let statements = self.statements / connections * connections;
        let seconds = self.send(connections, statements)?;
        let served = f64::from(statements) / seconds;
        let seen = Observation {
            pods,
            reporting: pods,
            confirmed: true,
            applied: connections,
            acquires: statements.into(),
            throughput: served,
            in_use: connections.into(),
            // There is always more to do.
            wait_p95: 1.0,
            turned_away: statements.into(),
            ..Observation::default()
        };
        Ok(Window { seen, held: f64::from(connections) / served, served })
    }

    /// The seconds it took.
    fn send(&self, connections: u32, statements: u32) -> Result<f64, String> {
        let url = Url::parse(&self.database.url()).map_err(|error| error.to_string())?;
        let output = Command::new("mariadb-slap")
            .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--csv", "--no-drop"])
            .arg(format!("--port={}", url.port().unwrap_or(3306)))
            .arg(format!("--user={}", url.username()))
            .arg(format!("--create-schema={}", url.path().trim_start_matches('/')))
            .arg(format!("--concurrency={connections}"))
            .arg(format!("--number-of-queries={statements}"))
            .arg(format!("--query={}", self.statement))
            .env("MYSQL_PWD", url.password().unwrap_or_default())
            .output()
            .map_err(|error| format!("mariadb-slap: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        // engine, kind, mean seconds, …
        said.split(',')
            .nth(2)
            .and_then(|it| it.parse().ok())
            .ok_or_else(|| format!("mariadb-slap says no time: {said}{}", String::from_utf8_lossy(&output.stderr)))
    }
}
