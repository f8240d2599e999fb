//! A private MariaDB server.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::account::Account;
use crate::process::Process;
use crate::{port, program};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// What every server starts with. The character set is that of Debian's own configuration, which
/// `--no-defaults` leaves out; the rest keeps MariaDB's defaults, durability included.
const OPTIONS: [&str; 6] = [
    "--skip-log-bin",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--innodb-buffer-pool-size=128M",
    "--max-connections=500",
];

/// A MariaDB of its own: data in a temporary directory, a free port of 127.0.0.1, and one account,
/// which may do anything, with a random password. Dropping it stops it and removes its data.
#[derive(Debug)]
pub struct Server {
    account: Account,
    /// Held for its destructor.
    _process: Process,
}

impl Server {
    /// Starts a server and waits until it answers, 30 seconds at most.
    ///
    /// # Errors
    ///
    /// When MariaDB is not installed, or does not come up; the message quotes its log.
    pub fn start() -> Result<Self, String> {
        Self::start_with(&[])
    }

    /// Like [`start`](Self::start), with further options of `mariadbd`, which win over the
    /// defaults: `--innodb-buffer-pool-size=2G`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> Result<Self, String> {
        let mariadbd = program::find("mariadbd").ok_or(
            "mariadbd was not found: apt-get install mariadb-server, \
             or let `cargo xtask test` do it",
        )?;
        let directory = tempfile::Builder::new()
            .prefix("farmlokal-mariadb-")
            .tempdir()
            .map_err(|error| format!("no temporary directory for MariaDB: {error}"))?;
        install(directory.path())?;
        let account = Account {
            user: "farmlokal".to_owned(),
            password: password(),
            host: "127.0.0.1".to_owned(),
            port: port::free(),
        };
        let process = launch(&mariadbd, directory, &account, options)?;
        Ok(Self { account, _process: process })
    }

    /// The URL of a database on this server, or with an empty name of the server alone:
    /// `mysql://user:password@127.0.0.1:port/database`. It need not exist.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.account.url(database)
    }
}

/// Creates the system tables.
fn install(directory: &Path) -> Result<(), String> {
    let fail = |cause: String| format!("mariadb-install-db failed: {cause}");
    let program = program::find("mariadb-install-db").ok_or_else(|| fail("not found".into()))?;
    let output = command(&program, directory)
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .output()
        .map_err(|error| fail(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(fail(String::from_utf8_lossy(&said).into_owned()))
}

/// Starts the server on the installed tables and waits for it.
fn launch(mariadbd: &Path, directory: TempDir, account: &Account, options: &[&str]) -> Result<Process, String> {
    let path = directory.path();
    let accounts = path.join("accounts.sql");
    fs::write(&accounts, only_account(account))
        .map_err(|error| format!("could not write {}: {error}", accounts.display()))?;
    let mut command = command(mariadbd, path);
    command
        .arg(format!("--bind-address={}", account.host))
        .arg(format!("--port={}", account.port))
        .arg(format!("--socket={}", path.join("socket").display()))
        .arg(format!("--pid-file={}", path.join("pid").display()))
        .arg(format!("--init-file={}", accounts.display()))
        .args(OPTIONS)
        .args(options);
    let mut process = Process::start(command, directory)?;
    process
        .wait_until(READY_WITHIN, || {
            // Cheaper than a client that is refused, and the client is what proves the account.
            TcpStream::connect((account.host.as_str(), account.port)).is_ok() && account.execute("", "SELECT 1").is_ok()
        })
        .map_err(|error| format!("MariaDB {error}"))?;
    Ok(process)
}

/// What the installer and the server have in common.
fn command(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", directory.join("data").display()))
        // MariaDB clears its temporary directory of tables when it starts; in a shared one, of
        // those that another server is at work on.
        .arg(format!("--tmpdir={}", directory.display()));
    if program::is_root() {
        // MariaDB refuses to run as root unless told to.
        command.arg("--user=root");
    }
    command
}

/// Replaces the installer's accounts, which have no password. One statement a line.
fn only_account(Account { user, password, host, .. }: &Account) -> String {
    format!(
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';\n\
         FLUSH PRIVILEGES;\n\
         CREATE USER '{user}'@'{host}' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO '{user}'@'{host}' WITH GRANT OPTION;\n"
    )
}

/// 128 random bits as hexadecimal digits: the standard library keys its hash maps from the system's
/// randomness, and that saves a dependency here.
fn password() -> String {
    let word = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", word(), word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mariadb::Database;

    fn start(options: &[&str]) -> Server {
        Server::start_with(options).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn lives_and_leaves_nothing() {
        let server = start(&["--innodb-buffer-pool-size=64M"]);
        let directory = server._process.directory().to_owned();

        let database = Database::create_on(&server.url(""));
        let other = Database::create_on(&server.url(""));
        assert_ne!(database.url(), other.url());
        assert!(database.url().starts_with(&server.url("test_")));
        let rows = database.execute(
            "CREATE TABLE milk (id INT PRIMARY KEY, name TEXT);
             INSERT INTO milk VALUES (1, 'whole'), (2, 'käse');
             SELECT * FROM milk ORDER BY id",
        );
        assert_eq!(rows, "1\twhole\n2\tkäse");
        assert_eq!(other.execute("SHOW TABLES"), "");
        assert_eq!(other.execute("SELECT @@innodb_buffer_pool_size DIV 1048576"), "64");
        assert_eq!(other.execute("SELECT DISTINCT user FROM mysql.user"), "farmlokal\nmariadb.sys");

        drop(database);
        assert_eq!(other.execute("SHOW DATABASES LIKE 'test%'").lines().count(), 1);
        let account = server.account.clone();
        drop(other);
        drop(server);
        assert!(TcpStream::connect((account.host.as_str(), account.port)).is_err());
        assert!(!directory.exists());
    }

    #[test]
    fn an_impossible_option_is_told_with_the_log() {
        let error = Server::start_with(&["--no-such-option"]).map(|_| ()).unwrap_err();
        assert!(error.starts_with("MariaDB ended with"), "{error}");
        assert!(error.contains("unknown option '--no-such-option'"), "{error}");
    }
}
