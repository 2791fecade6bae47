//! How single fields are read: what is null, empty or a float where an integer is meant.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, de};

/// Reads a text of which only a filled one counts: `""` and `null` are both nothing.
///
/// # Errors
/// When it is neither text nor null.
pub fn filled<'de, D: Deserializer<'de>, S: From<String>>(deserializer: D) -> Result<Option<S>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(S::from))
}

/// Puts what a member of an object says into its field. Null, which says nothing, may stand next to a value.
///
/// # Errors
/// When the field has a value already: one of the two would vanish.
pub(crate) fn put_once<T, E: de::Error>(name: &str, field: &mut Option<T>, value: Option<T>) -> Result<(), E> {
    if value.is_none() {
        return Ok(());
    }
    if field.is_some() {
        return Err(E::custom(format_args!("has {name} twice")));
    }
    *field = value;
    Ok(())
}

/// Reads a value of which null is its default.
///
/// # Errors
/// When it is neither null nor such a value.
#[inline]
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    // Binary formats write no mark of whether there is a value.
    if deserializer.is_human_readable() {
        Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
    } else {
        T::deserialize(deserializer)
    }
}

/// Reads an integer that may be written as a float, `200.0`; null is nothing.
///
/// # Errors
/// When it is something else, or out of range.
#[inline]
pub fn integer<'de, D: Deserializer<'de>, T: Integer + Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(IntegerOrNull(PhantomData))
    } else {
        Option::<T>::deserialize(deserializer)
    }
}

/// Reads a count that may be written as a float; null is 0.
///
/// # Errors
/// When it is something else, or out of range.
#[inline]
pub fn count<'de, D: Deserializer<'de>, T: Integer + Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        Ok(deserializer.deserialize_any(IntegerOrNull(PhantomData))?.unwrap_or_default())
    } else {
        T::deserialize(deserializer)
    }
}

/// The integers that events have.
pub trait Integer: TryFrom<u64> + TryFrom<i64> {
    /// What such a one must be.
    const RANGE: &'static str;
}

impl Integer for u8 {
    const RANGE: &'static str = "must be an integer from 0 to 255";
}

impl Integer for u16 {
    const RANGE: &'static str = "must be an integer from 0 to 65535";
}

impl Integer for u64 {
    const RANGE: &'static str = "must be an integer from 0 to 18446744073709551615";
}

impl Integer for i64 {
    const RANGE: &'static str = "must be an integer from -9223372036854775808 to 9223372036854775807";
}

struct IntegerOrNull<T>(PhantomData<T>);

impl<T: Integer> Visitor<'_> for IntegerOrNull<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::RANGE)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        let wrong = |_| E::invalid_value(Unexpected::Unsigned(number), &self);
        T::try_from(number).map(Some).map_err(wrong)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        let wrong = |_| E::invalid_value(Unexpected::Signed(number), &self);
        T::try_from(number).map(Some).map_err(wrong)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        /// Up to here every integer is a double; above, another one may have been written.
        const EXACT_UP_TO: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT_UP_TO {
            #[expect(clippy::cast_possible_truncation, reason = "it is an integer, and in range by the check above")]
            return self.visit_i64(number as i64);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
