//! Searches through the search index.

mod document;
mod index;
mod kinds;

use super::Pace;
use super::draw::Draw;
use super::load;
use super::outcome::Outcome;
use super::results::Target;
use super::service::{Memory, Service};
use index::Built;
use kinds::{KINDS, Kind};

/// What came out for searches before one engine.
pub(super) struct Searches {
    built: Built,
    /// Of the service, once the index is built.
    building: Memory,
    /// Of the service, after all searches.
    serving: Memory,
    lines: Vec<Line>,
}

/// A kind of search, and its answers at a rate.
struct Line {
    name: &'static str,
    rate: f64,
    answers: Outcome,
}

impl Searches {
    /// Starts a service on `database`, which builds its search index, and queries it.
    pub(super) fn measure(database: &str, draw: &mut Draw, pace: Pace) -> Result<Self, String> {
        println!("    building the search index");
        let service = Service::start(database, &[])?;
        let built = Built::of(&service)?;
        let building = service.memory()?;
        println!("    {:.1} s, at most {:.0} MB", built.seconds, building.peak);
        let mut lines = Vec::new();
        for kind in KINDS {
            let line = Line::of(kind, &service, draw, pace)?;
            println!("    {}", line.said());
            lines.push(line);
        }
        Ok(Self { built, building, serving: service.memory()?, lines })
    }

    /// A line for each kind that the index answered wrongly.
    pub(super) fn wrong(&self) -> impl Iterator<Item = String> {
        self.lines.iter().filter_map(|line| line.answers.complaint(line.name))
    }

    /// What the index is to reach.
    pub(super) fn targets(&self) -> Vec<Target> {
        let target = |what, is, reached| Target { what, is, reached };
        let [mixed, suggested] = [kinds::MIXED, kinds::SUGGESTIONS].map(|kind| self.p95(kind));
        let Built { seconds, megabytes, .. } = self.built;
        let peak = self.building.peak;
        vec![
            target("P95 of the mixed search load under 5 ms", format!("{mixed:.2} ms"), mixed < 5.0),
            target("P95 of suggestions under 5 ms", format!("{suggested:.2} ms"), suggested < 5.0),
            target("search index under 150 MB on disk", format!("{megabytes:.0} MB"), megabytes < 150.0),
            target("search index built within 60 s", format!("{seconds:.1} s"), seconds <= 60.0),
            target("memory under 250 MB while it is built", format!("at most {peak:.0} MB"), peak < 250.0),
        ]
    }

    fn p95(&self, kind: &str) -> f64 {
        let line = self.lines.iter().find(|line| line.name == kind);
        line.map_or(f64::NAN, |line| line.answers.quantile(0.95))
    }
}

impl Line {
    /// Asks `service` for `kind`, at a rate that leaves it idle in between.
    fn of(kind: &Kind, service: &Service, draw: &mut Draw, pace: Pace) -> Result<Self, String> {
        let asks = pace.requests(|| (kind.draw)(draw))?;
        let rate = pace.bearable(load::one_by_one(service.address, &asks)?);
        let slower = Pace { rate, ..pace };
        let asks: Vec<_> = asks.into_iter().take(slower.count()).map(|ask| (0, ask)).collect();
        let mut answers = load::at_rate(service.address, &asks, 1, rate)?;
        Ok(Self { name: kind.name, rate, answers: answers.remove(0) })
    }
}
