//! MariaDB: seeded by us, and filled by itself with the same rows from a file.

use std::time::Instant;

use farmlokal_catalog::store;
use farmlokal_testkit::mariadb::Server;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::seeding::{Database, Filled, seed};

/// Enough for the table and its indexes; files may be written and read anywhere.
const OPTIONS: [&str; 2] = ["--innodb-buffer-pool-size=1G", "--secure-file-priv="];
const NAME: &str = "farmlokal";

/// A server of its own with `rows` products.
pub(super) async fn prepare(rows: u64) -> Result<Database, String> {
    println!("==> MariaDB: farmlokal-seed");
    let (server, url) = start().await?;
    let seeded = seed(&url, rows).await?;
    println!("==> MariaDB: the same rows by LOAD DATA INFILE");
    let mut connection = connect(&url).await?;
    let imported = import(&mut connection, rows).await?;
    let version = text(&mut connection, "SELECT VERSION()").await?;
    let about = format!(
        "MariaDB {version} with `innodb_buffer_pool_size = 1G` and its defaults for the rest, \
         durability included (`innodb_flush_log_at_trx_commit = 1`, no binary log); over TCP"
    );
    Ok(Database { url, about, seeded, imported, _home: Box::new(server) })
}

/// A new server with an empty database.
async fn start() -> Result<(Server, String), String> {
    let server = Server::start_with(&OPTIONS)?;
    let mut connection = connect(&server.url("")).await?;
    let create = format!("CREATE DATABASE {NAME} CHARACTER SET utf8mb4");
    execute(&mut connection, &create).await?;
    let url = server.url(NAME);
    Ok((server, url))
}

/// Loads the rows of `seeded` into a bare table of another server, which so starts as empty as the
/// first did, then builds there what the seeding builds, in its order.
async fn import(seeded: &mut MySqlConnection, rows: u64) -> Result<Filled, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let file = directory.path().join("rows");
    let file = file.display();
    execute(seeded, &format!("SELECT * FROM products INTO OUTFILE '{file}' CHARACTER SET utf8mb4")).await?;
    let deferred = text(seeded, "SELECT deferred FROM seed_run").await?;
    let keys: Vec<String> = serde_json::from_str(&deferred).map_err(|error| format!("seed_run.deferred: {error}"))?;

    let (_server, url) = start().await?;
    store::migrate(&url.parse().map_err(told)?).await.map_err(told)?;
    let mut connection = connect(&url).await?;
    let names = keys.iter().filter_map(|key| key.split('`').nth(1));
    let drops: Vec<_> = names.map(|name| format!("DROP KEY `{name}`")).collect();
    execute(&mut connection, &format!("ALTER TABLE products {}", drops.join(", "))).await?;

    let start = Instant::now();
    let load = format!("LOAD DATA INFILE '{file}' INTO TABLE products CHARACTER SET utf8mb4");
    execute(&mut connection, &load).await?;
    let loaded = start.elapsed();
    let adds: Vec<_> = keys.iter().map(|key| format!("ADD {key}")).collect();
    execute(&mut connection, &format!("ALTER TABLE products {}", adds.join(", "))).await?;
    execute(&mut connection, "ANALYZE TABLE products").await?;
    let filled = Filled { rows: loaded, indexes: start.elapsed() - loaded };
    match text(&mut connection, "SELECT CONCAT(COUNT(*)) FROM products").await? {
        there if there == rows.to_string() => Ok(filled),
        there => Err(format!("LOAD DATA left {there} rows instead of {rows}")),
    }
}

async fn connect(url: &str) -> Result<MySqlConnection, String> {
    MySqlConnection::connect(url).await.map_err(told)
}

async fn execute(connection: &mut MySqlConnection, sql: &str) -> Result<(), String> {
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
    done.map(|_| ()).map_err(told)
}

async fn text(connection: &mut MySqlConnection, sql: &'static str) -> Result<String, String> {
    let row = sqlx::query(sql).fetch_one(connection).await.map_err(told)?;
    row.try_get(0).map_err(told)
}

fn told(error: impl std::error::Error) -> String {
    format!("MariaDB: {error}")
}
