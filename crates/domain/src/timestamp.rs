//! A moment in UTC, as precise as both engines can keep it.

use chrono::{DateTime, Utc};

/// A moment in UTC with microsecond precision, between the years 1 and 9999: what MySQL's
/// `DATETIME(6)` and SQLite's 64-bit integer both hold exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    const MIN_MICROS: i64 = -62_135_596_800_000_000;
    /// 9999-12-31T23:59:59.999999Z.
    const MAX_MICROS: i64 = 253_402_300_799_999_999;

    /// The moment `micros` microseconds after the Unix epoch; `None` outside the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN_MICROS..=Self::MAX_MICROS)
            .contains(&micros)
            .then(|| DateTime::from_timestamp_micros(micros).map(Self))
            .flatten()
    }

    /// Microseconds since the Unix epoch.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The same moment as `chrono` type.
    pub fn to_utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Cuts to whole microseconds; a moment outside the years 1 to 9999 becomes the nearest bound.
    fn from(at: DateTime<Utc>) -> Self {
        let micros = at.timestamp_micros().clamp(Self::MIN_MICROS, Self::MAX_MICROS);
        Self(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_microseconds_and_refuses_years_that_a_database_cannot_hold() {
        let at = Timestamp::from_micros(1_700_000_000_123_456).unwrap();
        assert_eq!(at.micros(), 1_700_000_000_123_456);
        assert_eq!(Timestamp::from(at.to_utc()), at);
        assert_eq!(Timestamp::from_micros(Timestamp::MAX_MICROS + 1), None);
        assert_eq!(Timestamp::from_micros(Timestamp::MIN_MICROS - 1), None);
        assert_eq!(Timestamp::from(DateTime::<Utc>::MAX_UTC).micros(), Timestamp::MAX_MICROS);
    }
}
