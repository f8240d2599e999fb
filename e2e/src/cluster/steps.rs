//! The steps of a run: each is announced, timed, and listed at the end with what was seen.

use std::time::{Duration, Instant};

/// Those so far.
#[derive(Debug, Default)]
pub struct Steps {
    done: Vec<Step>,
}

/// One that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// What was seen.
    pub seen: String,
}

impl Steps {
    /// Takes a step, which says what it saw.
    ///
    /// # Errors
    ///
    /// The step's own, after its name.
    pub fn take(&mut self, name: &str, step: impl FnOnce() -> Result<String, String>) -> Result<Duration, String> {
        println!("==> {name}");
        let begun = Instant::now();
        let seen = step().map_err(|error| format!("{name}: {error}"))?;
        let took = begun.elapsed();
        println!("<== {name}: {:.1} s{}{seen}", took.as_secs_f64(), if seen.is_empty() { "" } else { ", " });
        self.done.push(Step { name: name.to_owned(), took, seen });
        Ok(took)
    }

    /// All of them as a table of Markdown, which is readable on a terminal too.
    #[must_use]
    pub fn table(&self) -> String {
        let rows = self.done.iter().map(|step| {
            let Step { name, took, seen } = step;
            format!("| {name} | {:.1} | {seen} |\n", took.as_secs_f64())
        });
        format!("| step | seconds | what was seen |\n| --- | ---: | --- |\n{}", rows.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_what_was_done_and_an_error_where_it_was() {
        let mut steps = Steps::default();
        steps.take("milk", || Ok("two cows".to_owned())).unwrap();
        assert_eq!(steps.take("cheese", || Err("no milk".to_owned())), Err("cheese: no milk".to_owned()));
        let table = steps.table();
        assert!(table.contains("| milk | 0.0 | two cows |\n") && !table.contains("cheese"), "{table}");
    }
}
