//! What a field's value is to be, and whether a value is that.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use ipnet::IpNet;
use serde_json::value::RawValue;

use super::expression::{self, Limit, Order};
use super::family::{Kind, Value};
use super::pattern::Pattern;
use super::quantity::Quantity;
use super::{protocol, when};
use crate::address::{ip_of, network_of, split_port};
use crate::json::{Number, as_text};
use crate::time::Timestamp;

/// What a field's value is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Anything: the field is there.
    Present,
    /// Like this.
    Text(AnyCase),
    /// In here.
    Number(Span<Quantity>),
    /// In here, in microseconds since 1970.
    Time(Span<i64>),
    /// An address in a network; with this port, if one is wanted.
    Address(IpNet, Option<u16>),
    /// This at the end of a path through JSON.
    Inside(Vec<String>, Box<Wanted>),
}

/// A pattern, also in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyCase {
    /// As it was written.
    pub exact: Pattern,
    /// For texts that are the same in any case.
    pub lower: Pattern,
}

/// A stretch of numbers or times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<T> {
    /// The first that is in it; none: it has no beginning.
    pub from: Option<T>,
    /// The first behind it; none: it has no end.
    pub until: Option<T>,
}

impl<T: Ord> Span<T> {
    fn contains(&self, value: &T) -> bool {
        self.from.as_ref().is_none_or(|from| value >= from) && self.until.as_ref().is_none_or(|until| value < until)
    }
}

impl Span<Quantity> {
    /// The whole numbers of 64 bits that are in it, from the first to the last; none: there are none.
    #[must_use]
    pub fn whole_numbers(&self) -> Option<RangeInclusive<u64>> {
        let first = self.from.map_or(0, |from| from.ceil().max(0));
        let behind = self.until.map_or(i128::MAX, Quantity::ceil).min(i128::from(u64::MAX) + 1);
        if first >= behind {
            return None;
        }
        Some(u64::try_from(first).ok()?..=u64::try_from(behind - 1).ok()?)
    }
}

/// A value that is none of its kind, as it was written.
pub(super) struct Unfit(pub(super) String);

impl Wanted {
    /// What a text says of a field of a kind. `path` leads through JSON.
    pub(super) fn new(
        kind: Kind,
        path: Vec<String>,
        value: &expression::Value,
        now: Option<Timestamp>,
    ) -> Result<Self, Unfit> {
        let is_any = matches!(value, expression::Value::Is(pattern) if pattern.is_any());
        let number = |text: &str| Quantity::parse(text).map(|number| number..number.next());
        let wanted = match kind {
            _ if is_any => Self::Present,
            Kind::Text => Self::Text(text(value)?),
            Kind::Choice(choices) => Self::Text(choice(choices, value)?),
            Kind::Number => Self::Number(span(value, number)?),
            Kind::Time => Self::Time(span(value, |text| when::parse(text, now))?),
            Kind::Protocol => Self::Number(span(value, protocol)?),
            Kind::Address => address(value)?,
            Kind::Json => match value {
                expression::Value::Is(_) => Self::Text(text(value)?),
                expression::Value::Compare(..) | expression::Value::Range(..) => Self::Number(span(value, number)?),
            },
        };
        Ok(if kind == Kind::Json { Self::Inside(path, Box::new(wanted)) } else { wanted })
    }

    /// Whether a value is that.
    #[must_use]
    pub fn is(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Inside(path, wanted), Value::Json(json)) => wanted.is_inside(path, json.as_str()),
            (Self::Present, _) => true,
            (Self::Text(wanted), Value::Text(text)) => wanted.lower.fits(&text.to_lowercase()),
            (Self::Text(wanted), Value::Id(text)) => wanted.exact.fits(text),
            (Self::Text(wanted), Value::Address(host, port)) => {
                let host = host.to_lowercase();
                wanted.lower.fits(&host) || port.is_some_and(|port| wanted.lower.fits(&format!("{host}:{port}")))
            }
            (Self::Number(span), Value::Number(number)) => span.contains(&number),
            (Self::Time(span), Value::Time(time)) => span.contains(&time.micros()),
            (Self::Address(network, wanted), Value::Address(host, port)) => {
                let is_in = ip_of(host).is_some_and(|ip| network.contains(&ip));
                is_in && (wanted.is_none() || *wanted == port)
            }
            // A field that has several kinds of values is asked for one of them.
            (Self::Text(_) | Self::Number(_) | Self::Time(_) | Self::Address(..) | Self::Inside(..), _) => false,
        }
    }

    /// Whether this stands at the end of a path through JSON, which goes through every element of an array.
    fn is_inside(&self, path: &[String], json: &str) -> bool {
        // Invariant: it is JSON in its compact form.
        if json.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            return elements.iter().any(|element| self.is_inside(path, element.get()));
        }
        if let Some((name, path)) = path.split_first() {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
            return members.get(name).is_some_and(|member| self.is_inside(path, member.get()));
        }
        match self {
            Self::Present => json != "null",
            Self::Text(wanted) => wanted.lower.fits(&as_text(json).to_lowercase()),
            Self::Number(span) => {
                Number::parse(json).is_some_and(|number| span.contains(&Quantity::of_number(&number)))
            }
            Self::Time(_) | Self::Address(..) | Self::Inside(..) => false,
        }
    }
}

impl AnyCase {
    fn new(pattern: &Pattern) -> Self {
        Self { exact: pattern.clone(), lower: pattern.lower() }
    }
}

fn unfit(pattern: &Pattern) -> Unfit {
    Unfit(pattern.as_written().into_owned())
}

/// The pattern, where nothing else may stand.
fn pattern(value: &expression::Value) -> Result<&Pattern, Unfit> {
    match value {
        expression::Value::Is(pattern) => Ok(pattern),
        expression::Value::Compare(order, pattern) => Err(Unfit(format!("{}{}", order.sign(), pattern.as_written()))),
        expression::Value::Range(low, high) => Err(Unfit(format!("{} TO {}", written(low), written(high)))),
    }
}

fn written(limit: &Limit) -> String {
    limit.at.as_ref().map_or_else(|| "*".to_owned(), |pattern| pattern.as_written().into_owned())
}

fn text(value: &expression::Value) -> Result<AnyCase, Unfit> {
    pattern(value).map(AnyCase::new)
}

/// One of the choices, by its name or what stands behind the name's kind: `drop` is `TYPE_DROP`.
fn choice(choices: &[&str], value: &expression::Value) -> Result<AnyCase, Unfit> {
    let pattern = pattern(value)?;
    let is_it = |choice: &&&str, text: &str| {
        let short = ["TYPE_", "DIRECTION_"].iter().find_map(|kind| choice.strip_prefix(kind));
        choice.eq_ignore_ascii_case(text) || short.is_some_and(|short| short.eq_ignore_ascii_case(text))
    };
    let text = pattern.as_literal().ok_or_else(|| unfit(pattern))?;
    let choice = choices.iter().find(|choice| is_it(choice, text)).ok_or_else(|| unfit(pattern))?;
    Ok(AnyCase::new(&Pattern::literal(choice)))
}

fn protocol(text: &str) -> Option<Range<Quantity>> {
    let number = protocol::number(text).map(|number| Quantity::from(u64::from(number)));
    let number = number.or_else(|| Quantity::parse(text))?;
    Some(number..number.next())
}

/// A value stands for all of the span that it names: a day for all of it. A limit that is not included leaves out all of it.
fn span<T: Copy>(value: &expression::Value, parse: impl Fn(&str) -> Option<Range<T>>) -> Result<Span<T>, Unfit> {
    let named = |pattern: &Pattern| pattern.as_literal().and_then(&parse).ok_or_else(|| unfit(pattern));
    Ok(match value {
        expression::Value::Is(pattern) => {
            let Range { start, end } = named(pattern)?;
            Span { from: Some(start), until: Some(end) }
        }
        expression::Value::Compare(order, pattern) => {
            let Range { start, end } = named(pattern)?;
            match order {
                Order::Greater => Span { from: Some(end), until: None },
                Order::GreaterOrEqual => Span { from: Some(start), until: None },
                Order::Less => Span { from: None, until: Some(start) },
                Order::LessOrEqual => Span { from: None, until: Some(end) },
            }
        }
        expression::Value::Range(low, high) => {
            let from = low.at.as_ref().map(named).transpose()?;
            let until = high.at.as_ref().map(named).transpose()?;
            Span {
                from: from.map(|named| if low.included { named.start } else { named.end }),
                until: until.map(|named| if high.included { named.end } else { named.start }),
            }
        }
    })
}

/// An address, a network or an address with a port; anything else is a host's name.
fn address(value: &expression::Value) -> Result<Wanted, Unfit> {
    let pattern = pattern(value)?;
    let Some(text) = pattern.as_literal() else { return Ok(Wanted::Text(AnyCase::new(pattern))) };
    if let Some((network, port)) = network_of(text) {
        return Ok(Wanted::Address(network, port));
    }
    let (host, _) = split_port(text);
    // Whoever writes so means an address, and would find none.
    let is_meant =
        text.contains('/') || (text.contains('.') && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    if is_meant { Err(unfit(pattern)) } else { Ok(Wanted::Text(AnyCase::new(pattern))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_numbers_has_the_whole_ones_that_are_in_it() {
        let number = |text: &str| Quantity::parse(text).unwrap();
        for (from, until, whole) in [
            (None, None, Some(0..=u64::MAX)),
            (Some("3"), Some("5"), Some(3..=4)),
            (Some("2.5"), Some("2.6"), None),
            (Some("2.5"), Some("3.000000001"), Some(3..=3)),
            (Some("-4"), Some("0"), None),
            (Some("-1.5"), Some("0.1"), Some(0..=0)),
            (Some("18446744073709551615"), None, Some(u64::MAX..=u64::MAX)),
            (Some("18446744073709551616"), None, None),
            (None, Some("99999999999999999999"), Some(0..=u64::MAX)),
        ] {
            let span = Span { from: from.map(number), until: until.map(number) };
            assert_eq!(span.whole_numbers(), whole, "{from:?} {until:?}");
        }
    }
}
