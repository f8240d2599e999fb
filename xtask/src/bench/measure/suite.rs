//! All that is measured on one engine.

use std::time::{Duration, Instant};

use super::ask::Ask;
use super::bare::Bare;
use super::caching::Caching;
use super::cases::{Case, GROUPS};
use super::draw::{Draw, first};
use super::first_start::FirstStart;
use super::load;
use super::pace::Pace;
use super::results::{Measured, Results};
use super::search::Searches;
use super::seeding::Database;
use super::service::Service;
use super::tracing::Tracing;
use super::walk;
use crate::bench::Arguments;

/// Requests that come before those that count.
const WARM_UP: Duration = Duration::from_secs(1);

/// A database, the service before it, and who asks.
pub(super) struct Suite {
    pace: Pace,
    rows: u64,
    engine: &'static str,
    service: Service,
    bare: Bare,
    draw: Draw,
    walked: Duration,
    /// Last, since it is to go last.
    database: Database,
}

impl Suite {
    /// Starts the service on `database` and walks through all of it.
    pub(super) async fn new(arguments: &Arguments, engine: &'static str, database: Database) -> Result<Self, String> {
        println!("==> {engine}: farmlokal");
        let service = Service::start(&database.url, &[])?;
        let start = Instant::now();
        let deep = walk::to_the_end(service.address, arguments.rows)?;
        let walked = start.elapsed();
        println!("    walked to the last page in two orders in {:.1} s", walked.as_secs_f64());
        Ok(Self {
            pace: Pace { rate: arguments.rate.into(), duration: Duration::from_secs(arguments.seconds.into()) },
            rows: arguments.rows,
            engine,
            bare: Bare::connect(&database.url).await?,
            draw: Draw::new(arguments.rows, deep),
            database,
            service,
            walked,
        })
    }

    /// Measures every case.
    pub(super) async fn run(mut self) -> Result<Results, String> {
        let measured = self.groups(GROUPS).await?;
        let first_page = [first(Default::default(), None).map_err(|error| error.to_string())?];
        let busy = load::as_fast_as_it_goes(self.service.address, &first_page, self.pace.duration)?;
        if let Some(why) = busy.example {
            return Err(format!("as fast as it goes, {} answers were wrong: {why}", busy.wrong));
        }
        let memory = self.service.memory()?;
        println!("==> {}: searches", self.engine);
        let searches = Searches::measure(&self.database.url, &mut self.draw, self.pace)?;
        // What replicas share takes a server.
        let caching = match self.engine {
            "MariaDB" => Some(Caching::measure(&self.database.url, &mut self.draw, self.pace)?),
            _ => None,
        };
        let tracing = match caching {
            Some(_) => Some(Tracing::measure(&self.database.url, self.pace)?),
            None => None,
        };
        // A server is seeded by a Job; what starts with nothing is the embedded database.
        let first_start = match self.engine {
            "SQLite" => Some(FirstStart::measure(self.rows)?),
            _ => None,
        };
        Ok(Results {
            engine: self.engine,
            about: self.database.about,
            seeded: self.database.seeded,
            imported: self.database.imported,
            walked: self.walked,
            measured,
            searches,
            caching,
            tracing,
            first_start,
            throughput: busy.count() as f64 / self.pace.duration.as_secs_f64(),
            memory,
        })
    }

    async fn groups(&mut self, groups: &'static [&'static [Case]]) -> Result<Vec<Measured>, String> {
        let mut measured = Vec::new();
        for group in groups {
            for line in self.group(group).await? {
                println!("    {line}");
                measured.push(line);
            }
        }
        Ok(measured)
    }

    /// Measures the bare statements of some cases, then the same requests by turns at a fixed rate.
    async fn group(&mut self, cases: &'static [Case]) -> Result<Vec<Measured>, String> {
        let mut asks = self.draw(cases, self.pace.count())?;
        let mut slowest = 0.0_f64;
        for number in 0..cases.len() {
            slowest = slowest.max(self.bare.probe(&of_case(&asks, number)).await?);
        }
        let pace = Pace { rate: self.pace.bearable(slowest), ..self.pace };
        let rate = pace.rate;
        asks.truncate(pace.count());
        let mut bare = Vec::new();
        for number in 0..cases.len() {
            bare.push(self.bare.measure(&of_case(&asks, number), rate).await?);
        }
        let warm = self.draw(cases, (rate * WARM_UP.as_secs_f64()).ceil() as usize)?;
        load::at_rate(self.service.address, &warm, cases.len(), rate)?;
        let outcomes = load::at_rate(self.service.address, &asks, cases.len(), rate)?;
        let lines = cases.iter().zip(outcomes).zip(bare);
        Ok(lines.map(|((case, answers), bare)| Measured { name: case.name, rate, answers, bare }).collect())
    }

    /// `requests` requests of `cases` by turns.
    fn draw(&mut self, cases: &[Case], requests: usize) -> Result<Vec<(usize, Ask)>, String> {
        (0..requests)
            .map(|number| number % cases.len())
            .map(|case| Ok((case, (cases[case].draw)(&mut self.draw)?)))
            .collect::<Result<_, farmlokal_catalog::Invalid>>()
            .map_err(|error| error.to_string())
    }
}

/// Those of `asks` that are of the case `number`.
fn of_case(asks: &[(usize, Ask)], number: usize) -> Vec<&Ask> {
    asks.iter().filter(|(case, _)| *case == number).map(|(_, ask)| ask).collect()
}
