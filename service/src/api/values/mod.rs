//! The domain's values as poem-openapi's types: parsed by the domain, described by a schema. Here is how;
//! which values there are is in `domain`.

mod domain;

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use farmlokal_catalog::Invalid;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use domain::{LastId, Search, Stock};

/// Marks what we wrote inside an error text of the framework: start, between field and remedy, end.
const MARKS: [char; 3] = ['\u{2}', '\u{1f}', '\u{3}'];

fn mark(invalid: &Invalid) -> String {
    format!("{}{}{}{}{}", MARKS[0], invalid.field, MARKS[1], invalid.remedy, MARKS[2])
}

/// Field and remedy of the [`Invalid`] inside an error text of the framework.
pub(super) fn unmark(text: &str) -> Option<(&str, &str)> {
    let (_, marked) = text.split_once(MARKS[0])?;
    let (marked, _) = marked.split_once(MARKS[2])?;
    marked.split_once(MARKS[1])
}

/// A domain value that is a string in JSON and in a query.
pub trait Textual: FromStr<Err = Invalid> + Display + Send + Sync {
    /// The schema's name.
    const NAME: &'static str;
    /// The body field or parameter it is.
    const FIELD: &'static str;
    /// Something right.
    const EXAMPLE: &'static str;
    /// What the schema says beside type and example.
    fn constrain(schema: MetaSchema) -> MetaSchema;
}

/// A [`Textual`] value in the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<T>(pub T);

/// A domain value that is an integer in JSON and in a query.
pub trait Numeric: Sized + Copy + Send + Sync {
    /// The schema's name.
    const NAME: &'static str;
    /// The body field or parameter it is.
    const FIELD: &'static str;
    /// The least value.
    const MIN: i64;
    /// The greatest value.
    const MAX: i64;
    /// Something right.
    const EXAMPLE: i64;
    /// The value for `number`.
    fn from_number(number: i64) -> Result<Self, Invalid>;
    /// The number of this value.
    fn number(self) -> i64;
}

/// A [`Numeric`] value in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<T>(pub T);

/// The parts of `Type` that say nothing about a value of ours.
macro_rules! plain_type {
    () => {
        const IS_REQUIRED: bool = true;
        type RawValueType = Self;
        type RawElementValueType = Self;

        fn name() -> Cow<'static, str> {
            T::NAME.into()
        }

        fn as_raw_value(&self) -> Option<&Self> {
            Some(self)
        }

        fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
            Box::new(self.as_raw_value().into_iter())
        }
    };
}

impl<T: Textual> Type for Text<T> {
    plain_type!();

    fn schema_ref() -> MetaSchemaRef {
        let mut schema = T::constrain(MetaSchema::new("string"));
        schema.example = Some(T::EXAMPLE.into());
        MetaSchemaRef::Inline(Box::new(schema))
    }
}

impl<T: Textual> ParseFromParameter for Text<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        value.parse().map(Self).map_err(|invalid| ParseError::custom(mark(&invalid)))
    }
}

impl<T: Textual> ParseFromJSON for Text<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::String(text)) => Self::parse_from_parameter(&text),
            Some(_) => Err(ParseError::custom(mark(&Invalid::new(
                T::FIELD,
                format!("must be a string such as {:?}", T::EXAMPLE),
            )))),
            None => Err(ParseError::custom(mark(&Invalid::new(T::FIELD, "is missing")))),
        }
    }
}

impl<T: Textual> ToJSON for Text<T> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.to_string().into())
    }
}

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Numeric> Number<T> {
    fn read(number: Option<i64>) -> ParseResult<Self> {
        let most = if T::MAX == i64::MAX { "up".to_owned() } else { format!("to {}", T::MAX) };
        let wrong = || Invalid::new(T::FIELD, format!("must be a whole number from {} {most}", T::MIN));
        let value = number.ok_or_else(wrong).and_then(T::from_number);
        value.map(Self).map_err(|invalid| ParseError::custom(mark(&invalid)))
    }
}

impl<T: Numeric> Type for Number<T> {
    plain_type!();

    fn schema_ref() -> MetaSchemaRef {
        let mut schema = MetaSchema::new_with_format("integer", "int64");
        // Both bounds are within the whole numbers that a double holds exactly.
        schema.minimum = Some(T::MIN as f64);
        schema.maximum = (T::MAX < i64::MAX).then_some(T::MAX as f64);
        schema.example = Some(T::EXAMPLE.into());
        MetaSchemaRef::Inline(Box::new(schema))
    }
}

impl<T: Numeric> ParseFromParameter for Number<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        // i64's own parser also takes "+1" and "-0", which no schema of an integer describes as text.
        let plain = value.strip_prefix('-').unwrap_or(value).bytes().all(|byte| byte.is_ascii_digit());
        Self::read(value.parse().ok().filter(|_| plain))
    }
}

impl<T: Numeric> ParseFromJSON for Number<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(value) => Self::read(whole(&value)),
            None => Err(ParseError::custom(mark(&Invalid::new(T::FIELD, "is missing")))),
        }
    }
}

/// The whole number that `value` is; JSON Schema counts `2.0` as one.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}

impl<T: Numeric> ToJSON for Number<T> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.number().into())
    }
}

impl<T: Numeric> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.number())
    }
}

/// A field that may be left out but not be null: JSON null is no value of `T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T: Type> Type for Maybe<T> {
    const IS_REQUIRED: bool = false;
    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_ref().and_then(T::as_raw_value)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        self.0.as_ref().map_or_else(|| Box::new(std::iter::empty()) as _, T::raw_element_iter)
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Maybe<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            None => Ok(Self(None)),
            value => T::parse_from_json(value).map(|value| Self(Some(value))).map_err(ParseError::propagate),
        }
    }
}

impl<T: ToJSON> ToJSON for Maybe<T> {
    fn to_json(&self) -> Option<Value> {
        self.0.as_ref().and_then(T::to_json)
    }
}

#[cfg(test)]
mod tests {
    use farmlokal_catalog::{Limit, Price, ProductId, Unit};

    use super::*;

    #[test]
    fn refusals_keep_field_and_remedy_through_the_framework() {
        let error = Number::<Limit>::parse_from_parameter("-5").unwrap_err().into_message();
        assert_eq!(unmark(&error), Some(("limit", "must be a whole number from 1 to 100")));
        let error = Text::<Price>::parse_from_json(Some(1.into())).unwrap_err().into_message();
        assert_eq!(unmark(&error), Some(("price", "must be a string such as \"249.50\"")));
        assert_eq!(unmark("a text of the framework's own"), None);
    }

    #[test]
    fn numbers_are_plain_digits() {
        for text in ["", "+1", "1e9", " 1", "1.0", "0x1", "99999999999999999999", "--1", "-"] {
            assert!(Number::<ProductId>::parse_from_parameter(text).is_err(), "{text:?}");
        }
        assert_eq!(Number::<Limit>::parse_from_json(Some(2.0.into())).unwrap().0, Limit::new(2).unwrap());
        assert!(Number::<Limit>::parse_from_json(Some(2.5.into())).is_err());
        assert!(Number::<Limit>::parse_from_json(Some("2".into())).is_err(), "a string is not a number");
    }

    #[test]
    fn null_is_not_the_same_as_left_out() {
        assert_eq!(Maybe::<Text<Unit>>::parse_from_json(None).unwrap(), Maybe(None));
        assert!(Maybe::<Text<Unit>>::parse_from_json(Some(Value::Null)).is_err());
    }
}
