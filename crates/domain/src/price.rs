//! Money: exact, in whole minor units, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::Invalid;

/// An amount from 0.00 to 9,999,999,999.99, kept in hundredths: the range of `DECIMAL(12,2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// 0.00.
    pub const MIN: Self = Self(0);
    /// 9,999,999,999.99.
    pub const MAX: Self = Self(999_999_999_999);
    /// The form [`FromStr`] takes and [`Display`](fmt::Display) gives, as a regular expression.
    pub const PATTERN: &'static str = r"^[0-9]{1,10}(\.[0-9]{1,2})?$";

    /// The price of `minor` hundredths; `None` outside the range.
    pub fn from_minor(minor: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&minor).then_some(Self(minor))
    }

    /// The amount in hundredths.
    pub fn minor(self) -> i64 {
        self.0
    }

    /// The amount as `DECIMAL(12,2)`.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// The price equal to `value`; `None` outside the range or with more than two decimals.
    pub fn from_decimal(value: Decimal) -> Option<Self> {
        let mut cents = value;
        cents.rescale(2);
        (cents == value).then_some(())?;
        i64::try_from(cents.mantissa()).ok().and_then(Self::from_minor)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for Price {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refuse = || {
            Invalid::new("price", "must be a decimal from 0 to 9999999999.99 with at most two decimals, such as 12.50")
        };
        let (whole, cents) = text.split_once('.').map_or((text, "0"), |(whole, cents)| (whole, cents));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 10) || !digits(cents, 2) {
            return Err(refuse());
        }
        let whole: i64 = whole.parse().map_err(|_| refuse())?;
        let minor: i64 = format!("{cents:0<2}").parse().map_err(|_| refuse())?;
        Self::from_minor(whole * 100 + minor).ok_or_else(refuse)
    }
}

/// A currency: three capital letters (the form of ISO 4217 codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The form a currency has, as a regular expression.
    pub const PATTERN: &'static str = "^[A-Z]{3}$";

    /// The code, such as `INR`.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for Currency {
    /// `INR`, the marketplace's own.
    fn default() -> Self {
        Self(*b"INR")
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        <[u8; 3]>::try_from(text.as_bytes())
            .ok()
            .filter(|code| code.iter().all(u8::is_ascii_uppercase))
            .map(Self)
            .ok_or_else(|| Invalid::new("currency", "must be three capital letters (ISO 4217), such as INR"))
    }
}

/// A price filter: both ends are included, either may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PriceRange {
    min: Option<Price>,
    max: Option<Price>,
}

impl PriceRange {
    /// The range from `min` to `max`; refused when it is upside down.
    pub fn new(min: Option<Price>, max: Option<Price>) -> Result<Self, Invalid> {
        match (min, max) {
            (Some(min), Some(max)) if min > max => {
                Err(Invalid::new("minPrice", format!("must not be above maxPrice ({max})")))
            }
            _ => Ok(Self { min, max }),
        }
    }

    /// The lower end as asked for.
    pub fn min(&self) -> Option<Price> {
        self.min
    }

    /// The upper end as asked for.
    pub fn max(&self) -> Option<Price> {
        self.max
    }

    /// Both ends with the open ones closed, so that one SQL shape serves all; `None` if both are open.
    pub fn bounds(&self) -> Option<(Price, Price)> {
        (self.min.is_some() || self.max.is_some())
            .then(|| (self.min.unwrap_or(Price::MIN), self.max.unwrap_or(Price::MAX)))
    }

    /// Whether `price` lies within.
    pub fn contains(&self, price: Price) -> bool {
        self.bounds().is_none_or(|(min, max)| (min..=max).contains(&price))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_what_people_write() {
        for (text, minor) in
            [("0", 0), ("12", 1200), ("12.5", 1250), ("12.05", 1205), ("9999999999.99", 999_999_999_999)]
        {
            assert_eq!(text.parse::<Price>().unwrap().minor(), minor, "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1.234", "NaN", "1,5", " 1", "10000000000", "٣", "0x10"] {
            let error = text.parse::<Price>().unwrap_err();
            assert!(error.to_string().starts_with("price must be a decimal"), "{text:?}: {error}");
        }
        for text in ["", "inr", "INRR", "IN", "I1R", "ÄÖ"] {
            assert!(text.parse::<Currency>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_range_upside_down_names_the_field() {
        let price = |minor| Price::from_minor(minor);
        assert_eq!(PriceRange::new(price(2), price(1)).unwrap_err().field, "minPrice");
        assert_eq!(PriceRange::new(price(2), None).unwrap().bounds(), Some((Price(2), Price::MAX)));
        assert_eq!(PriceRange::default().bounds(), None);
    }

    proptest! {
        #[test]
        fn text_and_decimal_keep_the_amount(minor in 0i64..=999_999_999_999) {
            let price = Price::from_minor(minor).unwrap();
            prop_assert_eq!(price.to_string().parse::<Price>().unwrap(), price);
            prop_assert_eq!(Price::from_decimal(price.to_decimal()), Some(price));
        }
    }
}
