//! Column types of our own: native in psql, compact and STRICT in SQLite.
//!
//! | here        | PostgreSQL    | SQLite                          |
//! |-------------|---------------|---------------------------------|
//! | [`DbUuid`]  | `uuid`        | `BLOB` of 16 bytes              |
//! | [`DbTime`]  | `timestamptz` | `INTEGER`, microseconds of 1970 |
//! | [`DbJsonb`] | `jsonb`       | `TEXT`                          |
//! | [`DbJson`]  | `json`        | `TEXT`, kept character by character |
//!
//! Both databases keep times to the microsecond, so orders and ranges agree.

use std::io::Write;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::result::Error;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, SqlOrd, SqlType, Text};
use diesel::sqlite::Sqlite;
use rr_domain::{Label, Timestamp};
use serde_json::value::RawValue;
use uuid::Uuid;

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct DbUuid;

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct DbTime;

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbJsonb;

#[derive(SqlType, QueryId)]
#[diesel(postgres_type(oid = 114, array_oid = 199))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbJson;

/// A later time is the larger, in both databases.
impl SqlOrd for DbTime {}

/// An id on its way to or from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbUuid)]
pub(crate) struct Id(pub(crate) Uuid);

/// An instant on its way to or from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbTime)]
pub(crate) struct At(pub(crate) Timestamp);

/// JSON text on its way to or from the database.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbJsonb)]
#[diesel(sql_type = DbJson)]
pub(crate) struct JsonText(pub(crate) String);

/// JSON as the database kept it.
pub(crate) fn raw_json(text: JsonText) -> QueryResult<Box<RawValue>> {
    RawValue::from_string(text.0).map_err(|error| Error::DeserializationError(error.into()))
}

/// A label as the database kept it.
pub(crate) fn label(text: &str) -> QueryResult<Label> {
    Label::parse(text).map_err(|error| Error::DeserializationError(error.into()))
}

/// 2000-01-01T00:00:00Z, where PostgreSQL's clock starts, in microseconds of 1970.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// The first byte of a jsonb value on the wire.
const JSONB_VERSION: u8 = 1;

impl ToSql<DbUuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<DbUuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(&self.0.as_bytes()[..]);
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Id(Uuid::from_slice(value.as_bytes())?))
    }
}

impl FromSql<DbUuid, Sqlite> for Id {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Id(Uuid::from_slice(&bytes)?))
    }
}

impl ToSql<DbTime, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(self.0.micros() - POSTGRES_EPOCH).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<DbTime, Sqlite> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.micros());
        Ok(IsNull::No)
    }
}

impl FromSql<DbTime, Pg> for At {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let since_2000 = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        Ok(At(Timestamp::from_micros(since_2000.saturating_add(POSTGRES_EPOCH))?))
    }
}

impl FromSql<DbTime, Sqlite> for At {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(At(Timestamp::from_micros(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)?))
    }
}

impl ToSql<DbJsonb, Pg> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<DbJson, Pg> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<DbJsonb, Sqlite> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self);
        Ok(IsNull::No)
    }
}

impl ToSql<DbJson, Sqlite> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self);
        Ok(IsNull::No)
    }
}

impl<DB: Backend> ToSql<DbJsonb, DB> for JsonText
where
    str: ToSql<DbJsonb, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        ToSql::<DbJsonb, DB>::to_sql(self.0.as_str(), out)
    }
}

impl<DB: Backend> ToSql<DbJson, DB> for JsonText
where
    str: ToSql<DbJson, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        ToSql::<DbJson, DB>::to_sql(self.0.as_str(), out)
    }
}

impl FromSql<DbJsonb, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB_VERSION, text @ ..] => Ok(JsonText(std::str::from_utf8(text)?.to_owned())),
            _ => Err("jsonb of an unknown version".into()),
        }
    }
}

impl FromSql<DbJson, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(JsonText(std::str::from_utf8(value.as_bytes())?.to_owned()))
    }
}

impl FromSql<DbJsonb, Sqlite> for JsonText {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(JsonText(<String as FromSql<Text, Sqlite>>::from_sql(value)?))
    }
}

impl FromSql<DbJson, Sqlite> for JsonText {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(JsonText(<String as FromSql<Text, Sqlite>>::from_sql(value)?))
    }
}
