//! Values as columns of MySQL and SQLite: the traits of sqlx, and no statement.
//!
//! A value read from a row is checked again, since others may write to the tables; what fails the check is a
//! [`sqlx::Error::ColumnDecode`].

use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, MySql, Sqlite, Type};

use crate::inbox::{SourceName, State};
use crate::subscription::{CallbackUrl, DeliveryState, EventKind, Kinds, SharedSecret, SubscriptionId};
use crate::supply::{SyncId, SyncState};
use crate::{
    Category, Currency, Description, EventId, EventType, ExternalId, Invalid, NameKey, Price, Producer, ProductId,
    ProductName, Timestamp, Unit, Version,
};

/// Gives `$type` the column type of `$column`.
macro_rules! column_type {
    ($type:ty as $column:ty) => {
        impl<DB: Database> Type<DB> for $type
        where
            $column: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$column as Type<DB>>::type_info()
            }

            fn compatible(info: &DB::TypeInfo) -> bool {
                <$column as Type<DB>>::compatible(info)
            }
        }
    };
}

/// Stores `$type` as the text `$write`, which `$read` reads.
macro_rules! text_column {
    ($type:ty, |$value:ident| $write:expr, |$text:ident| $read:expr) => {
        column_type!($type as str);

        impl<'q, DB: Database> Encode<'q, DB> for $type
        where
            for<'v> &'v str: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let $value = self;
                <&str as Encode<DB>>::encode($write, buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $type
        where
            &'r str: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let $text = <&str as Decode<DB>>::decode(value)?;
                let read: Result<Self, Invalid> = $read;
                Ok(read?)
            }
        }
    };
    ($($type:ty),+ $(,)?) => {
        $(text_column!($type, |value| value.as_str(), |text| text.parse());)+
    };
}

text_column!(Category, Description, EventId, EventType, ExternalId, Producer, ProductName, Unit);
text_column!(Currency, DeliveryState, EventKind, SourceName, State, SyncState);
text_column!(CallbackUrl, |url| url.url().as_str(), |text| text.parse());
text_column!(Kinds, |kinds| &kinds.to_string(), |text| text.parse());
text_column!(NameKey, |key| key.as_str(), |text| NameKey::from_stored(text).ok_or_else(|| out_of_range("name_key")));
text_column!(SharedSecret, |secret| secret.expose(), |text| Ok(SharedSecret::new(text)));

/// Stores `$type` as the 64-bit integer `$write`, which `$read` reads.
macro_rules! number_column {
    ($type:ty, |$number:ident| $read:expr) => {
        column_type!($type as i64);

        impl<'q, DB: Database> Encode<'q, DB> for $type
        where
            i64: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.get().encode(buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $type
        where
            i64: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let $number = <i64 as Decode<DB>>::decode(value)?;
                Ok($read?)
            }
        }
    };
}

number_column!(ProductId, |id| ProductId::new(id));
number_column!(SubscriptionId, |id| SubscriptionId::new(id));
number_column!(SyncId, |id| SyncId::new(id));
number_column!(Version, |version| Version::new(version).ok_or_else(|| out_of_range("version")));

/// Stores `$type` in `$database` as a `$column`, written as `$write` and read by `$read`.
macro_rules! engine_column {
    ($database:ty, $type:ty, |$value:ident| $write:expr, |$column:ident: $stored:ty| $read:expr) => {
        impl Encode<'_, $database> for $type {
            fn encode_by_ref(
                &self,
                buffer: &mut <$database as Database>::ArgumentBuffer,
            ) -> Result<IsNull, BoxDynError> {
                let $value = *self;
                Encode::<$database>::encode($write, buffer)
            }
        }

        impl<'r> Decode<'r, $database> for $type {
            fn decode(value: <$database as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let $column = <$stored as Decode<$database>>::decode(value)?;
                Ok($read?)
            }
        }
    };
}

/// Gives `$type` in `$database` the column type of `$written`, and lets it read columns that `$stored` reads.
macro_rules! engine_type {
    ($database:ty, $type:ty as $written:ty, $stored:ty) => {
        impl Type<$database> for $type {
            fn type_info() -> <$database as Database>::TypeInfo {
                <$written as Type<$database>>::type_info()
            }

            fn compatible(info: &<$database as Database>::TypeInfo) -> bool {
                <$stored as Type<$database>>::compatible(info)
            }
        }
    };
}

// MySQL stores a time as DATETIME(6). A `DateTime` would be sent as a TIMESTAMP, which in MariaDB ends in 2038.
engine_type!(MySql, Timestamp as NaiveDateTime, DateTime<Utc>);
engine_column!(MySql, Timestamp, |at| at.to_utc().naive_utc(), |at: DateTime<Utc>| {
    Timestamp::from_micros(at.timestamp_micros()).ok_or_else(|| out_of_range("time"))
});
// SQLite stores it as microseconds since 1970: it has no such type, and integers compare exactly.
engine_type!(Sqlite, Timestamp as i64, i64);
engine_column!(Sqlite, Timestamp, |at| at.micros(), |at: i64| {
    Timestamp::from_micros(at).ok_or_else(|| out_of_range("time"))
});

// MySQL stores a price as DECIMAL(12,2), SQLite in hundredths.
engine_type!(MySql, Price as Decimal, Decimal);
engine_column!(MySql, Price, |price| price.to_decimal(), |price: Decimal| {
    Price::from_decimal(price).ok_or_else(|| out_of_range("price"))
});
engine_type!(Sqlite, Price as i64, i64);
engine_column!(Sqlite, Price, |price| price.minor(), |price: i64| {
    Price::from_minor(price).ok_or_else(|| out_of_range("price"))
});

fn out_of_range(field: &'static str) -> Invalid {
    Invalid::new(field, "must be in the range that the catalogue allows")
}
