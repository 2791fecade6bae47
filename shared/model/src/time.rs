//! Points in time: UTC, to the microsecond, which is what every dialect can show.

mod canonical;

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds since 1970-01-01T00:00:00Z. Finer parts of a text are cut off.
///
/// Written as RFC 3339 in UTC in texts such as JSON, as a number in binary formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 time such as 2024-01-31T23:59:59Z")]
pub struct BadTimestamp;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// 0000-01-01T00:00:00Z, before which RFC 3339 can write nothing.
    pub const FIRST: Self = Self(-62_167_219_200_000_000);
    /// 9999-12-31T23:59:59.999999Z, after which it can write nothing.
    pub const LAST: Self = Self(253_402_300_799_999_999);

    /// From microseconds since 1970.
    ///
    /// # Errors
    /// Outside the years that RFC 3339 can write, 0000 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, BadTimestamp> {
        let time = DateTime::from_timestamp_micros(micros).ok_or(BadTimestamp)?;
        Self::in_range(time)
    }

    /// From seconds since 1970, with a fraction, as Zeek writes times.
    ///
    /// # Errors
    /// When it is no finite number or outside the years 0000 to 9999.
    pub fn from_seconds(seconds: f64) -> Result<Self, BadTimestamp> {
        let micros = (seconds * 1e6).round();
        if !micros.is_finite() || micros.abs() > 1e18 {
            return Err(BadTimestamp);
        }
        // In range by the check above.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the check above")]
        Self::from_micros(micros as i64)
    }

    /// Reads RFC 3339, with any offset.
    ///
    /// # Errors
    /// When `text` is something else.
    pub fn parse(text: &str) -> Result<Self, BadTimestamp> {
        if let Some(micros) = canonical::read(text.as_bytes()) {
            return Ok(Self(micros));
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| BadTimestamp)?;
        Self::in_range(time.with_timezone(&Utc))
    }

    fn in_range(time: DateTime<Utc>) -> Result<Self, BadTimestamp> {
        use chrono::Datelike;
        if (0..=9999).contains(&time.year()) { Ok(Self(time.timestamp_micros())) } else { Err(BadTimestamp) }
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// RFC 3339 with six digits of a second, always.
    #[must_use]
    pub fn to_six_digits(self) -> String {
        self.date_time().to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    fn date_time(self) -> DateTime<Utc> {
        // Every constructor has checked the range, so the fallback is never seen.
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// Eight bytes that sort as the times do.
    #[must_use]
    pub fn to_sortable(self) -> [u8; 8] {
        (self.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
    }

    /// What [`Self::to_sortable`] wrote.
    #[must_use]
    pub fn from_sortable(bytes: [u8; 8]) -> Self {
        Self((u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(canonical::Text::new(self.0).as_str())
    }
}

impl std::str::FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(canonical::Text::new(self.0).as_str())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an RFC 3339 time such as 2024-01-31T23:59:59Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
        }

        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text)
        } else {
            i64::deserialize(deserializer).map(Timestamp)
        }
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_reads_as_utc_and_is_cut_to_microseconds() {
        let time = Timestamp::parse("2023-05-05T12:04:37.473542999+02:00").unwrap();
        assert_eq!(time.to_string(), "2023-05-05T10:04:37.473542Z");
    }

    #[test]
    fn the_first_and_the_last_time_are_the_ends_of_what_can_be_written() {
        for (end, beyond) in [(Timestamp::FIRST, -1), (Timestamp::LAST, 1)] {
            assert_eq!(Timestamp::from_micros(end.0), Ok(end));
            assert_eq!(Timestamp::from_micros(end.0 + beyond), Err(BadTimestamp));
        }
    }

    #[test]
    fn sortable_bytes_sort_across_1970() {
        let times = ["1901-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"];
        let times = times.map(|text| Timestamp::parse(text).unwrap());
        assert!(times.windows(2).all(|pair| pair[0].to_sortable() < pair[1].to_sortable()));
        assert!(times.iter().all(|time| Timestamp::from_sortable(time.to_sortable()) == *time));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "2024-01-01", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(text), Err(BadTimestamp), "{text}");
        }
        assert_eq!(Timestamp::from_seconds(f64::NAN), Err(BadTimestamp));
        assert_eq!(Timestamp::from_seconds(1e15), Err(BadTimestamp));
    }

    #[test]
    fn six_digits_are_six_digits() {
        let time = |text: &str| Timestamp::parse(text).unwrap().to_six_digits();
        assert_eq!(time("2024-01-01T00:00:00Z"), "2024-01-01T00:00:00.000000Z");
        assert_eq!(time("0001-01-01T00:00:00.001Z"), "0001-01-01T00:00:00.001000Z");
    }
}
