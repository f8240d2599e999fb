//! A hit in memory beside an endpoint of poem that has nothing to do: same number of bytes, same core, by turns.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;
use poem::listener::TcpListener;
use poem::web::Data;
use poem::{EndpointExt as _, IntoResponse as _, Response, Route, Server, get, handler, post};

use crate::bench::measure::Pace;
use crate::bench::measure::service::{SERVER_CORE, Service};
use crate::bench::measure::turns::{PATH, ROUNDS, Turns};
use farmlokal_testkit::http::Client;

/// How much longer each server is asked than in other measurements.
pub(in crate::bench::measure) const EACH: u32 = 5;
const READY_WITHIN: Duration = Duration::from_secs(20);
/// What came out.
pub(in crate::bench::measure) struct Ceiling {
    turns: Turns<2>,
    pub(super) bytes: usize,
}

/// Their places in the turns.
const BARE: usize = 0;
const HIT: usize = 1;

impl Ceiling {
    pub(super) fn ratio(&self) -> f64 {
        self.turns.ratio(HIT, BARE)
    }

    /// Answers a second of the processor, of the bare endpoint and of hits.
    pub(super) fn by_processor(&self) -> (f64, f64) {
        (self.turns.by_processor(BARE), self.turns.by_processor(HIT))
    }

    /// The same by the clock.
    pub(super) fn by_clock(&self) -> (f64, f64) {
        (self.turns.by_clock(BARE), self.turns.by_clock(HIT))
    }

    /// Has both servers answer as fast as they can, by turns.
    pub(super) fn measure(database: &str, pace: Pace) -> Result<Self, String> {
        let service = Service::start_on_one_core(database, &[("CACHE__TTL_MS", "300000")])?;
        let bytes = Client::new(service.address).get(PATH)?.1.len();
        let endpoint = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let bare = bare_endpoint(endpoint, bytes, SERVER_CORE)?;
        let servers = [(bare.id(), endpoint), (service.id(), service.address)];
        let mut turns = Turns::none();
        turns.measure(servers, bytes, ROUNDS, EACH * pace.duration)?;
        Ok(Self { turns, bytes })
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

/// This program once more on `core`, as the server to compare with.
pub(in crate::bench::measure) fn bare_endpoint(
    address: SocketAddr,
    bytes: usize,
    core: &str,
) -> Result<Process, String> {
    let fail = |error: std::io::Error| format!("the bare endpoint: {error}");
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(env::current_exe().map_err(fail)?);
    command.args(["bare-endpoint", &address.to_string(), &bytes.to_string()]);
    let mut process = Process::start(command, tempfile::tempdir().map_err(fail)?)?;
    process
        .wait_until(READY_WITHIN, || Client::new(address).get(PATH).is_ok_and(|(status, _)| status == 200))
        .map_err(|error| format!("the bare endpoint {error}"))?;
    Ok(process)
}
