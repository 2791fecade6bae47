//! The values that rows have of a field: where they stand, and which of them count.

use model::address::canonical_host;
use model::filter::{Family as Language, FieldValue, Kind};

use crate::error::Error;

/// Takes values of a row, one by one.
pub type Take<'t> = &'t mut dyn FnMut(&str);

/// Gives the values that rows with a symbol have, and with the symbol of a second column, where there is one.
pub type ValuesOf<'a> = dyn Fn(&[u8], &[u8], Take<'_>) -> Result<(), Error> + 'a;

/// Where the values of a field stand, and how they are read.
pub struct Valued<'a> {
    /// The column.
    pub column: usize,
    /// Another one that it takes to know them.
    pub beside: Option<usize>,
    /// Gives them.
    pub values: Box<ValuesOf<'a>>,
}

impl Valued<'_> {
    /// The same, of which only those values are there that begin like this, in any case.
    pub(crate) fn beginning_with(self, prefix: &str) -> Self {
        let Self { column, beside, values } = self;
        let prefix = prefix.to_lowercase();
        let begin = move |symbol: &[u8], beside: &[u8], take: Take<'_>| {
            values(symbol, beside, &mut |value| {
                if value.to_lowercase().starts_with(&prefix) {
                    take(value);
                }
            })
        };
        Self { column, beside, values: Box::new(begin) }
    }
}

/// Gives the values that count of a field: one of several choices is each of them; of a field that stands for several, such
/// as id and name, it is the first that is there.
pub(crate) fn take_values<L: Language>(field: L::Field, event: &L::Event<'_>, take: Take<'_>) {
    let has_several = matches!(L::describe(field).kind, Kind::Choice(_));
    L::is_any_value(field, event, &mut |value| {
        take_value(value, take);
        !has_several
    });
}

/// Gives one value as a text. An address counts without its port, and in any spelling as one.
pub(crate) fn take_value(value: FieldValue<'_>, take: Take<'_>) {
    match value {
        FieldValue::Text(text) | FieldValue::Id(text) => take(text),
        FieldValue::Address(host, _) => take(&canonical_host(host)),
        FieldValue::Number(number) => take(&number.to_string()),
        FieldValue::Time(time) => take(&time.to_string()),
        FieldValue::Json(json) => take(json.as_str()),
    }
}
