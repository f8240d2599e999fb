//! A database and the pods that serve from it, on this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use farmlokal_operator::controller::tuner::Fleet;
use farmlokal_telemetry::tuning::Tuning;
use farmlokal_testkit::mariadb::{Database, Server};
use farmlokal_testkit::proxy::Proxy;
use url::Url;

use super::pod::Pod;

/// The pods' account. Nobody else has it, so the database can tell their connections from all others.
const USER: &str = "pods";
/// Enough for the products to be in memory, and far more connections than any budget here.
const OPTIONS: [&str; 2] = ["--innodb-buffer-pool-size=512M", "--max-connections=1000"];

/// What is to be there.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program whose command `farmlokal` is the service.
    pub program: PathBuf,
    /// Products.
    pub rows: u64,
    /// Processes that serve them.
    pub pods: u32,
    /// How much longer each answer of the database takes than it does on this machine: pods and their database are on
    /// different ones.
    pub distance: Duration,
    /// The tuning file that pods begin with.
    pub first: Tuning,
}

/// Everything, ended and removed when dropped.
#[derive(Debug)]
pub struct Site {
    /// Those who serve.
    pub pods: Vec<Pod>,
    /// For writing: the field `Authorization` of a client that may.
    pub authorization: String,
    /// Products there are.
    pub rows: u64,
    /// The database's URL with an account that is not the pods'.
    pub database_url: String,
    _proxy: Proxy,
    _database: Database,
    _server: Server,
}

impl Site {
    /// Starts a database, fills it, and starts the pods.
    ///
    /// # Errors
    ///
    /// When something does not come up; the message says what, and quotes its log.
    pub async fn open(plan: &Plan) -> Result<Self, String> {
        let server = Server::start_with(&OPTIONS)?;
        let database = Database::create_on(&server.url(""));
        let database_url = database.url();
        let nearby = for_pods(&database, &database_url)?;
        let farmlokal = || farmlokal(&plan.program);
        let rows = plan.rows.to_string();
        said(farmlokal().args(["seed", "--rows", &rows]).env("FARMLOKAL_DATABASE__URL", &nearby))?;
        let (proxy, url) = Proxy::away(plan.distance, &nearby).await;
        let start = |number: u32| Pod::start(farmlokal(), &url, &format!("pod-{number}"), &plan.first);
        // Their start blocks, and the proxy needs this thread.
        let pods = tokio::task::block_in_place(|| (1..=plan.pods).map(start).collect::<Result<Vec<_>, _>>())?;
        let first = pods.first().ok_or("there are no pods")?.address;
        let token = tokio::task::block_in_place(|| token(&farmlokal, &nearby, first))?;
        Ok(Self {
            pods,
            authorization: format!("Authorization: Bearer {token}"),
            rows: plan.rows,
            database_url,
            _proxy: proxy,
            _database: database,
            _server: server,
        })
    }

    /// Who is there and what they say, as the operator would see it.
    pub async fn look(&self) -> Fleet {
        let mut samples = Vec::new();
        for pod in &self.pods {
            samples.extend(pod.sample().await.map(|sample| (pod.uid.clone(), sample)));
        }
        Fleet {
            scaling: false,
            existing: self.pods.iter().map(|pod| pod.uid.clone()).collect(),
            ready: u32::try_from(self.pods.len()).unwrap_or(u32::MAX),
            samples,
        }
    }

    /// Has all pods follow `tuning`.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn publish(&self, tuning: &Tuning) -> Result<(), String> {
        self.pods.iter().try_for_each(|pod| pod.publish(tuning))
    }

    /// The pods' account in the database.
    #[must_use]
    pub fn user(&self) -> &'static str {
        USER
    }
}

/// Makes the pods' account: the URL with it.
fn for_pods(database: &Database, url: &str) -> Result<String, String> {
    let mut url = Url::parse(url).map_err(|error| error.to_string())?;
    let password = url.password().unwrap_or_default().to_owned();
    database.execute(&format!(
        "CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}';
         GRANT ALL ON {}.* TO '{USER}'@'%'",
        url.path().trim_start_matches('/')
    ));
    // It has a host, so it can have a user.
    let _ = url.set_username(USER);
    Ok(url.into())
}

/// The service's command, without what the environment of the caller says of it.
fn farmlokal(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("farmlokal");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FARMLOKAL_")) {
        command.env_remove(name);
    }
    command
}

/// A token of a new client that may write.
fn token(farmlokal: &dyn Fn() -> Command, url: &str, pod: SocketAddr) -> Result<String, String> {
    let mut client = farmlokal();
    client.args(["client", "add", "load", "--scope", "catalog:write"]).env("FARMLOKAL_DATABASE__URL", url);
    let printed = said(&mut client)?;
    let word = |name: &str| {
        let word = printed.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '));
        word.map(str::trim).ok_or_else(|| format!("farmlokal client printed no {name}"))
    };
    let mut token = farmlokal();
    token
        .arg("token")
        .env("FARMLOKAL_HTTP__LISTEN", pod.to_string())
        .env("FARMLOKAL_CLIENT_ID", word("client_id")?)
        .env("FARMLOKAL_CLIENT_SECRET", word("client_secret")?);
    Ok(said(&mut token)?.trim().to_owned())
}

/// What `command` prints.
fn said(command: &mut Command) -> Result<String, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let name = format!("farmlokal {}", command.get_args().nth(1).unwrap_or_default().to_string_lossy());
    let output = command.current_dir(directory.path()).output().map_err(|error| format!("{name}: {error}"))?;
    // Nothing of it is for keeping.
    let _ = fs::remove_dir_all(directory.path());
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
