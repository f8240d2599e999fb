//! How the database's throughput answers to the number of connections, learnt from the windows in which all were busy.
//!
//! The elasticity of throughput is d ln X / d ln T: 1 where twice the connections do twice the work, 0 at the peak,
//! negative beyond it. It is estimated by a line through ln X over ln T, fitted by least squares; windows count the
//! less the longer ago they are and the farther their size is from the present one, since the curve bends and drifts.

use serde::{Deserialize, Serialize};

/// How many windows are remembered: with [`MEMORY`] the last of them weighs a fifth.
pub(super) const CAPACITY: usize = 32;
/// What a window's weight is multiplied by with each younger one: half is gone after 14.
const MEMORY: f64 = 0.95;
/// The distance in ln T at which a window's weight has fallen to 61 %: two steps of 15 %, less than it takes the curve
/// to bend much.
const REACH: f64 = 0.25;
/// The spread of ln X that is there whatever the windows show: two points are always on a line, and a curve is off its
/// line however often it is measured.
const LEAST_SPREAD: f64 = 0.03;
/// The least weighted sum of squares of ln T that a slope is drawn from: below it, all windows had one size.
const LEAST_LEVERAGE: f64 = 1e-9;

/// A window in which every connection was busy, so that its throughput is what that many connections achieve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Connections of all pods.
    pub connections: u32,
    /// Statements' turns completed, a second.
    pub throughput: f64,
}

/// The line at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// The elasticity and its standard error; `None` while all windows had one size.
    pub(super) slope: Option<Slope>,
    /// ln X to be expected at that size.
    pub(super) expected: f64,
    /// The standard deviation of ln X around the line.
    pub(super) spread: f64,
    /// The windows' weights, summed: how many recent ones at this size they are worth.
    pub(super) weight: f64,
}

/// An elasticity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slope {
    pub(super) elasticity: f64,
    pub(super) error: f64,
}

/// The line through `points`, the youngest first, as seen from the size `at`; `None` without points.
pub(super) fn fit(points: &[Point], at: u32) -> Option<Line> {
    let origin = f64::from(at.max(1)).ln();
    let mut age = 1.0 / MEMORY;
    let weighted: Vec<[f64; 3]> = points
        .iter()
        .map(|point| {
            age *= MEMORY;
            let z = f64::from(point.connections.max(1)).ln() - origin;
            let nearness = (-0.5 * (z / REACH).powi(2)).exp();
            [age * nearness, z, point.throughput.max(f64::MIN_POSITIVE).ln()]
        })
        .collect();
    let sum = |of: &dyn Fn(f64, f64, f64) -> f64| weighted.iter().map(|&[w, z, y]| of(w, z, y)).sum::<f64>();
    let weight = sum(&|w, _, _| w);
    if weight <= 0.0 {
        return None;
    }
    let (z_mean, y_mean) = (sum(&|w, z, _| w * z) / weight, sum(&|w, _, y| w * y) / weight);
    let leverage = sum(&|w, z, _| w * (z - z_mean).powi(2));
    let known = leverage > LEAST_LEVERAGE;
    let elasticity = if known { sum(&|w, z, y| w * (z - z_mean) * (y - y_mean)) / leverage } else { 0.0 };
    let residuals = sum(&|w, z, y| w * (y - y_mean - elasticity * (z - z_mean)).powi(2));
    // Kish's effective number of windows, less the two that a line always meets.
    let windows = weight * weight / sum(&|w, _, _| w * w);
    let variance = residuals / weight * windows / (windows - 2.0).max(1.0);
    let spread = (variance + LEAST_SPREAD.powi(2)).sqrt();
    Some(Line {
        slope: known.then(|| Slope { elasticity, error: spread / leverage.sqrt() }),
        expected: y_mean - elasticity * z_mean,
        spread,
        weight,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(of: &[(u32, f64)]) -> Vec<Point> {
        of.iter().map(|&(connections, throughput)| Point { connections, throughput }).collect()
    }

    fn slope(of: &[(u32, f64)], at: u32) -> Slope {
        fit(&points(of), at).and_then(|line| line.slope).unwrap()
    }

    #[test]
    fn a_power_of_the_size_is_its_elasticity() {
        for power in [1.0, 0.4, 0.0, -0.7] {
            let of: Vec<_> = [20, 16, 24, 18].map(|size| (size, 100.0 * f64::from(size).powf(power))).into();
            assert!((slope(&of, 20).elasticity - power).abs() < 1e-9);
            let line = fit(&points(&of), 20).unwrap();
            assert!((line.expected.exp() / (100.0 * 20_f64.powf(power)) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn one_size_tells_nothing_but_what_to_expect() {
        let line = fit(&points(&[(16, 90.0), (16, 110.0), (16, 100.0)]), 16).unwrap();
        assert_eq!(line.slope, None);
        assert!((line.expected.exp() - 100.0).abs() < 1.0);
        assert_eq!(fit(&[], 16), None);
    }

    #[test]
    fn noise_and_nearness_of_sizes_make_the_error() {
        let calm = slope(&[(16, 100.0), (20, 101.0), (16, 100.5), (20, 100.5)], 18).error;
        let noisy = slope(&[(16, 100.0), (20, 120.0), (16, 115.0), (20, 95.0)], 18).error;
        let wide = slope(&[(14, 100.0), (26, 101.0), (14, 100.5), (26, 100.5)], 18).error;
        assert!(wide < calm && calm < noisy, "{wide} {calm} {noisy}");
    }

    #[test]
    fn the_near_and_the_young_decide() {
        // Steep far below, flat here.
        let near = slope(&[(40, 100.0), (46, 100.0), (5, 12.0), (6, 15.0)], 42);
        assert!(near.elasticity.abs() < 0.05, "{near:?}");
        // Flat once, steep now.
        let mut drifted = vec![(20, 140.0), (16, 100.0), (20, 140.0), (16, 100.0)];
        drifted.extend([(20, 200.0), (16, 200.0)].repeat(10));
        let young = slope(&drifted, 18).elasticity;
        drifted.reverse();
        assert!(young > slope(&drifted, 18).elasticity + 0.1);
    }
}
