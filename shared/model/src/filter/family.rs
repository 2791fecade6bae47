//! What a family of events says of its fields, so that it can be asked for them.

use std::fmt::Debug;

use super::quantity::Quantity;
use crate::address::split_port;
use crate::json::Json;
use crate::time::Timestamp;

/// What values are given to, until it takes one.
pub(super) type Take<'t> = &'t mut dyn FnMut(Value<'_>) -> bool;

/// A family of events that can be asked by one language.
pub trait Family: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// An event of it.
    type Event<'a>;
    /// One of its fields.
    type Field: Copy + Debug + PartialEq + Send + Sync;

    /// A field by any of its names.
    fn field(name: &str) -> Option<Self::Field>;

    /// All fields, in the order in which they are shown.
    fn fields() -> Vec<Self::Field>;

    /// What is to be said of a field.
    fn describe(field: Self::Field) -> Described;

    /// What a field is, in words: a part of a sentence, with code in backticks.
    fn about(field: Self::Field) -> &'static str {
        Self::describe(field).about
    }

    /// Gives each value of a field, until one is taken; whether one was. What is not there has no value, and neither has
    /// an empty text.
    fn is_any_value(field: Self::Field, event: &Self::Event<'_>, take: &mut dyn FnMut(Value<'_>) -> bool) -> bool;

    /// Gives each text that a word is looked for in, until one is taken; whether one was.
    fn is_any_text(event: &Self::Event<'_>, take: &mut dyn FnMut(&str) -> bool) -> bool;
}

/// What is to be said of a field.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// The others that it has.
    pub other_names: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// What it is; empty: what the schema says of the member of that name. [`Family::about`] has both.
    pub about: &'static str,
}

/// What kind of values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Texts.
    Text,
    /// Numbers.
    Number,
    /// Points in time.
    Time,
    /// Addresses, and names of hosts.
    Address,
    /// IP protocols.
    Protocol,
    /// One of these.
    Choice(&'static [&'static str]),
    /// JSON, in which a path leads on.
    Json,
}

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A text that is the same in any case.
    Text(&'a str),
    /// A text that is the same only as it is written.
    Id(&'a str),
    /// A number.
    Number(Quantity),
    /// A point in time.
    Time(Timestamp),
    /// A host, and its port where it has one.
    Address(&'a str, Option<u16>),
    /// JSON.
    Json(&'a Json),
}

impl Kind {
    /// What it takes, in words.
    #[must_use]
    pub fn takes(self) -> String {
        match self {
            Self::Text => "a text, which may have wildcards".to_owned(),
            Self::Number => "a number such as 250, 1.5k or 2Gi".to_owned(),
            Self::Time => super::when::TAKES.to_owned(),
            Self::Address => "an address, a network such as 10.0.0.0/8, or a host's name".to_owned(),
            Self::Protocol => "a protocol's number, or its name such as tcp".to_owned(),
            Self::Choice(choices) => format!("one of {}", choices.join(", ")),
            Self::Json => "a text, which may have wildcards, or a number to compare with".to_owned(),
        }
    }
}

pub(super) fn text(text: Option<&str>, take: Take<'_>) -> bool {
    text.is_some_and(|text| !text.is_empty() && take(Value::Text(text)))
}

pub(super) fn id(id: Option<&str>, take: Take<'_>) -> bool {
    id.is_some_and(|id| !id.is_empty() && take(Value::Id(id)))
}

pub(super) fn address(address: Option<&str>, take: Take<'_>) -> bool {
    address.filter(|address| !address.is_empty()).is_some_and(|address| {
        let (host, port) = split_port(address);
        take(Value::Address(host, port))
    })
}
