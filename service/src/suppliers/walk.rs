//! Following a supplier's cursors to the end, and noticing when they lead nowhere.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::page::Page;

/// How many pages in a row may bring nothing new.
const IDLE_PAGES: u32 = 10;
/// More than any catalogue has.
const MAX_PAGES: u64 = 1_000_000;

/// Why a walk ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadPaging {
    /// It would go round for ever.
    #[error("its pages go in a circle: the same cursor came twice")]
    Circle,
    /// It may go on for ever.
    #[error("its pages go on without anything new in {IDLE_PAGES} of them")]
    Idle,
    /// It goes on for ever.
    #[error("it has more than {MAX_PAGES} pages")]
    Endless,
}

/// What was seen so far, as hashes: a million offers take some megabytes.
#[derive(Debug, Default)]
pub(super) struct Walk {
    cursors: HashSet<u64>,
    offers: HashSet<u64>,
    idle: u32,
}

impl Walk {
    /// A walk that goes on at `cursor`.
    pub(super) fn at(cursor: Option<&str>) -> Self {
        Self { cursors: cursor.map(|cursor| xxh3_64(cursor.as_bytes())).into_iter().collect(), ..Self::default() }
    }

    /// Notes `page`, and leaves out of it what was seen before: pages shift while they are walked, and an
    /// offer that comes again is no news.
    pub(super) fn take(&mut self, page: &mut Page) -> Result<(), BadPaging> {
        page.offers.retain(|offer| self.offers.insert(xxh3_64(offer.external.as_str().as_bytes())));
        let Some(next) = &page.next else { return Ok(()) };
        if !self.cursors.insert(xxh3_64(next.as_bytes())) {
            return Err(BadPaging::Circle);
        }
        self.idle = if page.offers.is_empty() { self.idle + 1 } else { 0 };
        if self.idle == IDLE_PAGES {
            return Err(BadPaging::Idle);
        }
        if self.cursors.len() as u64 >= MAX_PAGES { Err(BadPaging::Endless) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], next: &str) -> Page {
        let offers: Vec<_> = ids
            .iter()
            .map(|id| {
                serde_json::json!({"id": id, "name": "Milk", "category": "Dairy", "price": "1", "unit": "l", "producer": "F"})
            })
            .collect();
        Page::read(serde_json::json!({"data": offers, "nextCursor": next}).to_string().as_bytes()).unwrap()
    }

    fn taken(walk: &mut Walk, ids: &[&str], next: &str) -> Result<usize, BadPaging> {
        let mut page = page(ids, next);
        walk.take(&mut page).map(|()| page.offers.len())
    }

    #[test]
    fn what_comes_again_counts_once() {
        let mut walk = Walk::default();
        assert_eq!(taken(&mut walk, &["a", "b", "a"], "2"), Ok(2));
        assert_eq!(taken(&mut walk, &["b", "c"], "3"), Ok(1));
        assert_eq!(taken(&mut walk, &["c"], ""), Ok(0));
    }

    #[test]
    fn circles_are_noticed_the_first_cursor_included() {
        let mut walk = Walk::at(Some("1"));
        assert_eq!(taken(&mut walk, &["a"], "2"), Ok(1));
        assert_eq!(taken(&mut walk, &["b"], "1"), Err(BadPaging::Circle));
    }

    #[test]
    fn pages_without_anything_new_come_to_an_end() {
        let mut walk = Walk::default();
        taken(&mut walk, &["a"], "0").unwrap();
        for idle in 1..10 {
            assert_eq!(taken(&mut walk, &["a"], &idle.to_string()), Ok(0));
        }
        assert_eq!(taken(&mut walk, &["b"], "10"), Ok(1), "something new, and all is well");
        for idle in 11..20 {
            assert_eq!(taken(&mut walk, &[], &idle.to_string()), Ok(0));
        }
        assert_eq!(taken(&mut walk, &["a"], "20"), Err(BadPaging::Idle));
    }
}
