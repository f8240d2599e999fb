//! Searches through the search index, beside the SQL full text that it takes over from.

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

/// A kind of search, by both.
struct Line {
    name: &'static str,
    by_index: Load,
    /// For what SQL can do at all.
    by_sql: Option<Load>,
}

/// Answers at a rate.
struct Load {
    rate: f64,
    answers: Outcome,
}

impl Searches {
    /// Starts a service with a search index on `database`, waits until it is built, and asks it and
    /// `without`, which has none, the same things.
    pub(super) fn measure(without: &Service, database: &str, draw: &mut Draw, pace: Pace) -> Result<Self, String> {
        println!("    building the search index");
        let service = Service::start(database, &[("SEARCH__INDEX", "true")])?;
        let built = Built::wait_for(&service)?;
        let building = service.memory()?;
        println!("    {:.1} s, at most {:.0} MB", built.seconds, building.peak);
        let mut lines = Vec::new();
        for kind in KINDS {
            let by_sql = kind.sql.then(|| Load::of(kind, without, draw, pace)).transpose()?;
            let line = Line { name: kind.name, by_index: Load::of(kind, &service, draw, pace)?, by_sql };
            println!("    {}", line.said());
            lines.push(line);
        }
        Ok(Self { built, building, serving: service.memory()?, lines })
    }

    /// A line for each kind that the index answered wrongly.
    pub(super) fn wrong(&self) -> impl Iterator<Item = String> {
        self.lines.iter().filter_map(|line| line.by_index.answers.complaint(line.name))
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
        line.map_or(f64::NAN, |line| line.by_index.answers.quantile(0.95))
    }
}

impl Load {
    /// Asks `service` for `kind`, at a rate that leaves it idle in between.
    fn of(kind: &Kind, service: &Service, draw: &mut Draw, pace: Pace) -> Result<Self, String> {
        let asks = pace.requests(|| (kind.draw)(draw))?;
        let rate = pace.bearable(load::one_by_one(service.address, &asks)?);
        let slower = Pace { rate, ..pace };
        let asks: Vec<_> = asks.into_iter().take(slower.count()).map(|ask| (0, ask)).collect();
        let mut answers = load::at_rate(service.address, &asks, 1, rate)?;
        Ok(Self { rate, answers: answers.remove(0) })
    }
}
