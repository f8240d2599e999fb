//! What recording traces costs: hits in memory with none, a tenth and all of the requests recorded, by turns.
//!
//! The spans go over OTLP to a collector that forgets them, on the clients' core: what is measured is what they take of the
//! server's processor.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use farmlokal_testkit::port;

use super::Pace;
use super::caching::ceiling::{EACH, bare_endpoint};
use super::document::reached;
use super::outcome::Outcome;
use super::results::Target;
use super::service::Service;
use super::turns::{CLIENT_CORE, PATH, ROUNDS, Turns};
use farmlokal_testkit::http::Client;

/// How often the services are started anew: where in memory a process happens to have things makes one of them some
/// percent faster than another that does the same (Mytkowicz et al., *Producing Wrong Data Without Doing Anything
/// Obviously Wrong!*, ASPLOS 2009).
const STARTS: usize = 5;
/// How often the numbers are asked for, at each start.
const SCRAPES: usize = 40;

/// What came out.
pub(super) struct Tracing {
    turns: Turns<3>,
    scrapes: Outcome,
    bytes: usize,
}

impl Tracing {
    /// Has three services answer as fast as they can, by turns.
    pub(super) fn measure(database: &str, pace: Pace) -> Result<Self, String> {
        println!("==> traces");
        let collector = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let _collector = bare_endpoint(collector, 0, CLIENT_CORE)?;
        let endpoint = format!("http://{collector}");
        let start = |ratio: &str| {
            let variables = [
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*format!("{endpoint}/v1/traces")),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", ratio),
            ];
            Service::start_traced(database, &[("CACHE__TTL_MS", "300000")], &variables)
        };
        let (mut turns, mut scrapes, mut scraped) = (Turns::none(), Outcome::new()?, 0);
        for _ in 0..STARTS {
            let services = [start("0")?, start("0.1")?, start("1")?];
            let bytes = Client::new(services[0].address).get(PATH)?.1.len();
            let servers = services.each_ref().map(|service| (service.id(), service.address));
            turns.measure(servers, bytes, ROUNDS / STARTS, EACH * pace.duration)?;
            scraped = scrape(services[2].admin, &mut scrapes)?;
        }
        let tracing = Self { turns, scrapes, bytes: scraped };
        let (some, every) = tracing.ratios();
        println!("    {:.0} % with a tenth recorded, {:.0} % with all", 100.0 * some, 100.0 * every);
        Ok(tracing)
    }

    /// Throughput with a tenth recorded, and with all.
    fn ratios(&self) -> (f64, f64) {
        (self.turns.ratio(1, 0), self.turns.ratio(2, 0))
    }

    /// Targets and figures.
    pub(super) fn section(&self, seconds: u32) -> String {
        let Self { turns, scrapes, bytes } = self;
        let [none, tenth, all] = [0, 1, 2].map(|server| turns.by_processor(server));
        let ((some, every), slowest) = (self.ratios(), scrapes.quantile(0.95));
        let turn = f64::from(EACH * seconds) / ROUNDS as f64;
        let target = |what, is, reached| Target { what, is, reached };
        let targets = [
            target(
                "at least 95 % of the throughput with a tenth recorded",
                format!("{:.0} %", 100.0 * some),
                some >= 0.95,
            ),
            target("at least 80 % with all recorded", format!("{:.0} %", 100.0 * every), every >= 0.8),
            target("P95 of a scrape of the metrics under 20 ms", format!("{slowest:.1} ms"), slowest < 20.0),
        ];
        format!(
            "\n## Traces and metrics\n\n{}\n\
             Hits in memory, answers a second of the server's processor: {none:.0} with no trace recorded, {tenth:.0} with \
             a tenth, {all:.0} with all (medians of {ROUNDS} turns of {turn:.2} s, over {STARTS} starts of the services; what is compared is turns of one round; the \
             spans sent over OTLP to a collector on the other core; what its queue has no room for is dropped). A scrape has {bytes} bytes.\n",
            reached(&targets),
        )
    }
}

/// Notes how long the numbers take; how many bytes they are.
fn scrape(admin: SocketAddr, outcome: &mut Outcome) -> Result<usize, String> {
    let (mut client, mut bytes) = (Client::new(admin), 0);
    for _ in 0..SCRAPES {
        let start = Instant::now();
        let (status, body) = client.get("/metrics")?;
        bytes = body.len();
        let checked = if status == 200 { Ok(()) } else { Err(format!("/metrics: {status}")) };
        outcome.note(start.elapsed(), checked);
        // Scrapes come one by one; the time between them is not measured.
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(bytes)
}
