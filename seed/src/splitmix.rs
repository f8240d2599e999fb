//! The random numbers of the generated data: our own, so that no dependency's upgrade changes a row.

/// SplitMix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    /// The golden ratio as an odd 64-bit integer: the paper's increment.
    const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

    /// The sequence of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence that depends on `seed` and `n` only: seeded with the `n`-th number of `seed`'s.
    pub(crate) fn nth_of(seed: u64, n: u64) -> Self {
        Self(Self(seed.wrapping_add(Self::GAMMA.wrapping_mul(n))).next())
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::GAMMA);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound` - 1, by the high half of a product rather than a division.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Whether it is the one case in `cases`.
    pub(crate) fn one_in(&mut self, cases: u32) -> bool {
        self.below(cases) == 0
    }

    /// One of `items`; none of none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u32) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_reference_sequence() {
        // The first numbers of the authors' reference implementation for the seed 1234567.
        let mut numbers = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| numbers.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn stays_below_its_bound_and_reaches_every_value() {
        let mut numbers = SplitMix64::new(1);
        let mut seen = [false; 7];
        (0..1_000).for_each(|_| seen[numbers.below(7) as usize] = true);
        assert_eq!(seen, [true; 7]);
        assert_eq!(numbers.pick::<u8>(&[]), None);
    }
}
