//! A hit in memory beside an endpoint of poem that has nothing to do: same number of bytes, same core, by turns.
//!
//! Compared is what an answer takes of the server's processor: that is throughput of a core that has nothing
//! else to do, and it stays true when the clients cannot ask any faster.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;
use poem::listener::TcpListener;
use poem::web::Data;
use poem::{EndpointExt as _, IntoResponse as _, Response, Route, Server, get, handler, post};

use crate::bench::measure::Pace;
use crate::bench::measure::service::{SERVER_CORE, Service};
use farmlokal_testkit::http::Client;

/// The core the load comes from.
const CLIENT_CORE: &str = "1";
const CONNECTIONS: usize = 16;
/// How often each has its turn.
pub(in crate::bench::measure) const ROUNDS: usize = 5;
/// The page that is asked for: some 8 KB.
pub(in crate::bench::measure) const PATH: &str = "/v1/products?category=Dairy";
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How many ticks of the processor's clock a second has (`getconf CLK_TCK`: 100 on every Linux).
const TICKS: f64 = 100.0;

/// What came out, answers a second of the server's processor: the median of the rounds.
pub(in crate::bench::measure) struct Ceiling {
    pub(super) bare: f64,
    pub(super) hit: f64,
    /// Answers a second by the clock.
    pub(super) bare_by_clock: f64,
    pub(super) hit_by_clock: f64,
    pub(super) bytes: usize,
}

impl Ceiling {
    pub(super) fn ratio(&self) -> f64 {
        self.hit / self.bare
    }

    /// Has both servers answer as fast as they can, by turns.
    pub(super) fn measure(database: &str, pace: Pace) -> Result<Self, String> {
        let service = Service::start_on_one_core(database, &[("CACHE__TTL_MS", "300000")])?;
        let mut client = Client::new(service.address);
        let (_, body) = client.get(PATH)?;
        let bytes = body.len();
        let endpoint = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let bare = bare_endpoint(endpoint, bytes)?;
        let (mut bares, mut hits) = (Vec::new(), Vec::new());
        beside_the_server(|| {
            for _ in 0..ROUNDS {
                bares.push(round(bare.id(), endpoint, bytes, pace.duration));
                hits.push(round(service.id(), service.address, bytes, pace.duration));
            }
        })?;
        let (bare, bare_by_clock) = median(bares)?;
        let (hit, hit_by_clock) = median(hits)?;
        Ok(Self { bare, hit, bare_by_clock, hit_by_clock, bytes })
    }
}

/// Serves `bytes` bytes at `address` for ever, by poem and nothing else. Takes traces in, too, and forgets them.
pub(crate) fn serve(address: SocketAddr, bytes: usize) -> Result<(), String> {
    #[handler]
    fn answer(body: Data<&bytes::Bytes>) -> Response {
        let Data(body) = body;
        Response::builder().content_type("application/json").body(body.clone()).into_response()
    }
    let body = bytes::Bytes::from(vec![b'x'; bytes]);
    let routes = Route::new().at("/v1/products", get(answer)).at("/v1/traces", post(answer)).data(body);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(Server::new(TcpListener::bind(address)).run(routes)).map_err(|error| error.to_string())
}

/// This program once more, as the server to compare with.
pub(in crate::bench::measure) fn bare_endpoint(address: SocketAddr, bytes: usize) -> Result<Process, String> {
    let fail = |error: std::io::Error| format!("the bare endpoint: {error}");
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(env::current_exe().map_err(fail)?);
    command.args(["bare-endpoint", &address.to_string(), &bytes.to_string()]);
    let mut process = Process::start(command, tempfile::tempdir().map_err(fail)?)?;
    process
        .wait_until(READY_WITHIN, || Client::new(address).get(PATH).is_ok_and(|(status, _)| status == 200))
        .map_err(|error| format!("the bare endpoint {error}"))?;
    Ok(process)
}

/// Runs `load` on another core than that of the servers.
pub(in crate::bench::measure) fn beside_the_server(load: impl FnOnce()) -> Result<(), String> {
    on_core(CLIENT_CORE)?;
    load();
    on_core(&format!("0-{}", thread::available_parallelism().map_or(1, usize::from).max(2) - 1))
}

/// Moves this process to `cores`.
fn on_core(cores: &str) -> Result<(), String> {
    let id = process::id().to_string();
    let moved = Command::new("taskset").args(["-a", "-c", "-p", cores, &id]).stdout(Stdio::null()).status();
    match moved {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("taskset -c {cores}: {other:?}")),
    }
}

/// Answers of the process `id` a second of its processor, and a second of the clock.
pub(in crate::bench::measure) fn round(
    id: u32,
    address: SocketAddr,
    bytes: usize,
    duration: Duration,
) -> Result<(f64, f64), String> {
    let (before, start) = (processor_time(id)?, Instant::now());
    let end = start + duration;
    let counts = thread::scope(|scope| {
        let ask = || -> Result<u64, String> {
            let (mut client, mut count) = (Client::new(address), 0);
            while Instant::now() < end {
                match client.get(PATH)? {
                    (200, body) if body.len() == bytes => count += 1,
                    (status, body) => return Err(format!("{status} with {} bytes", body.len())),
                }
            }
            Ok(count)
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|it| it.join().map_err(|_| "a client ended early".to_owned())?).collect::<Vec<_>>()
    });
    let count = counts.into_iter().sum::<Result<u64, String>>()? as f64;
    let took = start.elapsed().as_secs_f64();
    Ok((count / (processor_time(id)? - before).max(1.0 / TICKS), count / took))
}

/// What the process `id` has had of the processor, in seconds (`man proc_pid_stat`, fields 14 and 15).
fn processor_time(id: u32) -> Result<f64, String> {
    let file = format!("/proc/{id}/stat");
    let stat = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    // Behind the name, which may hold anything, the third field comes first.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<f64>().ok());
    match (ticks(14), ticks(15)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS),
        _ => Err(format!("{file} has no times")),
    }
}

pub(in crate::bench::measure) fn median(rounds: Vec<Result<(f64, f64), String>>) -> Result<(f64, f64), String> {
    let mut rounds = rounds.into_iter().collect::<Result<Vec<_>, _>>()?;
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    rounds.get(rounds.len() / 2).copied().ok_or_else(|| "no round".to_owned())
}
