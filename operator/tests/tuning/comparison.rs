//! The law against the others, on databases that it was not made with. The tables are in `docs/pool-tuning.md`.

use crate::laws::all;
use crate::scenario::{held_out, known};

const DATABASES: u32 = 12;
/// Neither the seed of the documented table nor one the constants were chosen with.
const SEED: u64 = 20;
/// What another law may be ahead by, in percent: those that know nothing may be lucky with a dozen databases.
const LUCK: f64 = 0.3;
/// Of 240 windows, at most so many may change the size, even with a noise of 9 %.
const CHANGES: u32 = 130;

#[test]
fn no_other_law_serves_more_under_any_condition() {
    for case in held_out() {
        let scenarios: Vec<_> = (0..DATABASES).map(|index| case.scenario(SEED, index)).collect();
        let outcomes = all().map(|(name, law)| {
            let runs = scenarios.iter().zip(0_u64..).map(|(it, seed)| it.run(&mut *law(), seed));
            let (mut achieved, mut changes) = (0.0, 0);
            for outcome in runs {
                achieved += 100.0 * outcome.achieved / f64::from(DATABASES);
                changes += outcome.changes;
            }
            (name, achieved, changes / DATABASES)
        });
        let (ours, changes) = outcomes
            .iter()
            .find(|(name, ..)| *name == "ours")
            .map(|&(_, achieved, changes)| (achieved, changes))
            .unwrap();
        assert!(changes <= CHANGES, "{}: {changes} changes", case.name);
        for (name, achieved, _) in outcomes {
            assert!(achieved <= ours + LUCK, "{}: {name} serves {achieved:.2} %, ours {ours:.2} %", case.name);
        }
    }
}

#[test]
fn the_law_is_near_the_best_wherever_it_was_made() {
    for scenario in known() {
        let [.., (_, law)] = all();
        let outcome = scenario.run(&mut *law(), SEED);
        assert!(outcome.achieved > 0.97, "{}: {:.1} %", scenario.name, 100.0 * outcome.achieved);
    }
}

/// The climb included: a dozen windows after a start that is far too small it has served more than any other law.
#[test]
fn the_law_makes_up_for_a_bad_start_soon() {
    let demanding = ["knee at 141, load 0.9", "knee at 141, load 1.2"];
    for scenario in known().into_iter().filter(|it| demanding.contains(&it.name.as_str())) {
        let scenario = scenario.shortened(12);
        let outcomes = all().map(|(name, law)| (name, scenario.run(&mut *law(), SEED).achieved));
        let [.., (_, ours)] = outcomes;
        for (name, achieved) in outcomes {
            assert!(achieved <= ours, "{}: {name} {achieved:.3}, ours {ours:.3}", scenario.name);
        }
    }
}
