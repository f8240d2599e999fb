//! An account on a server: where it is and who asks, as a URL and as a client.

use std::io::{Seek, Write};
use std::process::{Command, Stdio};

use crate::program;

/// Who may ask which server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Account {
    /// Reads `mysql://user:password@host:port/…`; characters escaped as `%…` are not unescaped.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (login, rest) = url.strip_prefix("mysql://")?.split_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (host, port) = rest.split('/').next()?.split_once(':')?;
        Some(Self {
            user: user.to_owned(),
            password: password.to_owned(),
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }

    pub(super) fn url(&self, database: &str) -> String {
        let Self { user, password, host, port } = self;
        format!("mysql://{user}:{password}@{host}:{port}/{database}")
    }

    /// Runs `sql` in `database` (none when empty) and returns its rows, one a line, tab separated.
    pub(super) fn execute(&self, database: &str, sql: &str) -> Result<String, String> {
        let client = program::find("mariadb").ok_or("mariadb, the client, was not found")?;
        let output = Command::new(client)
            .args(["--no-defaults", "--protocol=tcp", "--default-character-set=utf8mb4"])
            .args(["--batch", "--skip-column-names"])
            .args([format!("--host={}", self.host), format!("--port={}", self.port)])
            .args([format!("--user={}", self.user), format!("--database={database}")])
            // Not an argument: those are for everybody to read.
            .env("MYSQL_PWD", &self.password)
            .stdin(input(sql).map_err(|error| error.to_string())?)
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
    }
}

/// `text` as a standard input. A file, since a pipe would need a thread to fill it.
fn input(text: &str) -> std::io::Result<Stdio> {
    let mut file = tempfile::tempfile()?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_written() {
        let account =
            Account { user: "me".to_owned(), password: "secret".to_owned(), host: "127.0.0.1".to_owned(), port: 3306 };
        let url = "mysql://me:secret@127.0.0.1:3306/shop";
        assert_eq!(account.url("shop"), url);
        assert_eq!(Account::parse(url).as_ref(), Some(&account));
        assert_eq!(Account::parse("mysql://me:secret@127.0.0.1:3306").as_ref(), Some(&account));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "sqlite://a", "mysql://127.0.0.1:3306/", "mysql://me:secret@127.0.0.1/"] {
            assert_eq!(Account::parse(url), None, "{url}");
        }
    }
}
