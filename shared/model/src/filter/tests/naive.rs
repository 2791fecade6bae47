//! The language told once more, as plainly as can be: what is asked is a tree of its own, which writes itself as text,
//! and what it is asked of is an event's JSON.

use serde_json::Value;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    All(Vec<Ask>),
    Any(Vec<Ask>),
    Not(Box<Ask>),
    /// A field, of which one of these holds, or all of them.
    Field(&'static str, Vec<Is>, bool),
    Word(Vec<Glob>),
}

/// What a value is to be.
#[derive(Clone, Debug)]
pub(super) enum Is {
    There,
    Like(Vec<Glob>),
    /// `>=` or `>`, and `<` or `<=`, each with whether the limit itself is in it.
    Between(Option<(Point, bool)>, Option<(Point, bool)>),
    Exactly(Point),
    In(&'static str, u8),
}

/// A part of a text with wildcards.
#[derive(Clone, Debug)]
pub(super) enum Glob {
    Text(&'static str),
    Star,
    Question,
}

/// A number or a time: as it is written, and the half-open stretch that it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point(pub(super) &'static str, pub(super) f64, pub(super) f64);

/// A value of an event.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Text(String),
    Id(String),
    /// A number, or microseconds.
    Number(f64),
    Host(String),
    Json(Value),
}

impl Ask {
    pub(super) fn text(&self) -> String {
        match self {
            Self::All(parts) => format!("({})", parts.iter().map(Self::text).collect::<Vec<_>>().join(" ")),
            Self::Any(parts) => format!("({})", parts.iter().map(Self::text).collect::<Vec<_>>().join(" OR ")),
            Self::Not(part) => match &**part {
                Self::Word(_) | Self::Field(..) => format!("-{}", part.text()),
                _ => format!("NOT {}", part.text()),
            },
            Self::Field(name, values, is_any) => {
                let texts: Vec<String> = values.iter().map(Is::text).collect();
                match texts.as_slice() {
                    [one] => format!("{name}:{one}"),
                    _ => format!("{name}:({})", texts.join(if *is_any { " OR " } else { " AND " })),
                }
            }
            Self::Word(globs) => written(globs),
        }
    }

    /// Whether it holds of an event with these values of fields and texts to be searched.
    pub(super) fn holds(&self, values: &dyn Fn(&str) -> Vec<Held>, searched: &[String]) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(values, searched)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(values, searched)),
            Self::Not(part) => !part.holds(values, searched),
            Self::Field(name, wanted, is_any) => {
                let values = values(name);
                let mut held = wanted.iter().map(|wanted| values.iter().any(|value| wanted.holds(value)));
                if *is_any { held.any(|held| held) } else { held.all(|held| held) }
            }
            Self::Word(globs) => {
                let anywhere: Vec<Glob> =
                    [Glob::Star].into_iter().chain(globs.iter().cloned()).chain([Glob::Star]).collect();
                is_star(globs) || searched.iter().any(|text| fits(&lower(&anywhere), &chars(&text.to_lowercase())))
            }
        }
    }
}

impl Is {
    fn text(&self) -> String {
        match self {
            Self::There => "*".to_owned(),
            Self::Like(globs) => written(globs),
            Self::Exactly(Point(text, ..)) => quoted(text),
            Self::Between(Some((Point(low, ..), included)), None) => {
                format!("{}{}", if *included { ">=" } else { ">" }, quoted(low))
            }
            Self::Between(None, Some((Point(high, ..), included))) => {
                format!("{}{}", if *included { "<=" } else { "<" }, quoted(high))
            }
            Self::Between(low, high) => {
                let limit =
                    |limit: &Option<(Point, bool)>| limit.map_or("*".to_owned(), |(Point(text, ..), _)| quoted(text));
                let is_in = |limit: &Option<(Point, bool)>| limit.is_none_or(|(_, included)| included);
                let (open, close) = (if is_in(low) { "[" } else { "{" }, if is_in(high) { "]" } else { "}" });
                format!("{open}{} TO {}{close}", limit(low), limit(high))
            }
            Self::In(address, length) => format!("{address}/{length}"),
        }
    }

    fn holds(&self, value: &Held) -> bool {
        if matches!(self, Self::Like(globs) if is_star(globs)) {
            return Self::There.holds(value);
        }
        if let Held::Json(json) = value {
            return match json {
                Value::Array(elements) => elements.iter().any(|element| self.holds(&Held::Json(element.clone()))),
                Value::Null => matches!(self, Self::Like(globs) if is_like(globs, "null")),
                Value::String(text) => {
                    matches!(self, Self::There) || matches!(self, Self::Like(globs) if is_like(globs, text))
                }
                other => match self {
                    Self::There => true,
                    Self::Like(globs) => is_like(globs, &other.to_string()),
                    Self::Between(..) => other.as_f64().is_some_and(|number| self.is_number(number)),
                    Self::Exactly(_) | Self::In(..) => false,
                },
            };
        }
        match (self, value) {
            (Self::There, _) => true,
            (Self::Like(globs), Held::Text(text)) => is_like(globs, text),
            (Self::Like(globs), Held::Id(text)) => fits(globs_of(globs).as_slice(), &chars(text)),
            (Self::Like(globs), Held::Host(text)) => is_like(globs, text) || is_like(globs, &host_and_port(text).0),
            (Self::Exactly(_) | Self::Between(..), Held::Number(number)) => self.is_number(*number),
            (Self::In(network, length), Held::Host(text)) => {
                let host = host_and_port(text).0;
                let same = |one: &str, other: &str| {
                    bits(one).zip(bits(other)).is_some_and(|(one, other)| {
                        one.len() == other.len() && one[..usize::from(*length)] == other[..usize::from(*length)]
                    })
                };
                same(network, host.trim_start_matches('[').trim_end_matches(']'))
            }
            _ => false,
        }
    }

    fn is_number(&self, number: f64) -> bool {
        match self {
            Self::Exactly(Point(_, start, end)) => number >= *start && number < *end,
            Self::Between(low, high) => {
                let low =
                    low.is_none_or(|(Point(_, start, end), included)| number >= if included { start } else { end });
                let high =
                    high.is_none_or(|(Point(_, start, end), included)| number < if included { end } else { start });
                low && high
            }
            Self::There | Self::Like(_) | Self::In(..) => false,
        }
    }
}

/// Several stars are one.
fn is_star(globs: &[Glob]) -> bool {
    written(globs).trim_matches('*').is_empty()
}

/// A host without the digits behind its last colon, and these.
pub(super) fn host_and_port(text: &str) -> (String, Option<f64>) {
    let is_ipv6 = !text.starts_with('[') && text.matches(':').count() > 1;
    match text.rsplit_once(':') {
        Some((host, port)) if !is_ipv6 && !port.is_empty() && port.chars().all(|one| one.is_ascii_digit()) => {
            (host.to_owned(), port.parse().ok())
        }
        _ => (text.to_owned(), None),
    }
}

/// The bits of an address, each a character.
fn bits(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
        return Some(format!("{:032b}", u32::from(address)));
    }
    let address = text.parse::<std::net::Ipv6Addr>().ok()?;
    Some(format!("{:0128b}", u128::from(address)))
}

fn quoted(text: &str) -> String {
    if text.contains(' ') { format!("\"{text}\"") } else { text.to_owned() }
}

fn written(globs: &[Glob]) -> String {
    let one = |glob: &Glob| match glob {
        Glob::Text(text) => text.chars().flat_map(|one| ['\\', one]).collect(),
        Glob::Star => "*".to_owned(),
        Glob::Question => "?".to_owned(),
    };
    globs.iter().map(one).collect()
}

/// A character, one of any kind, or any number of them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    Is(char),
    One,
    Many,
}

fn globs_of(globs: &[Glob]) -> Vec<Sign> {
    let one = |glob: &Glob| match glob {
        Glob::Text(text) => text.chars().map(Sign::Is).collect(),
        Glob::Star => vec![Sign::Many],
        Glob::Question => vec![Sign::One],
    };
    globs.iter().flat_map(one).collect()
}

fn lower(globs: &[Glob]) -> Vec<Sign> {
    let one = |glob: &Glob| match glob {
        Glob::Text(text) => text.to_lowercase().chars().map(Sign::Is).collect(),
        Glob::Star => vec![Sign::Many],
        Glob::Question => vec![Sign::One],
    };
    globs.iter().flat_map(one).collect()
}

fn is_like(globs: &[Glob], text: &str) -> bool {
    fits(&lower(globs), &chars(&text.to_lowercase()))
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// By a table of which beginnings fit which.
fn fits(signs: &[Sign], text: &[char]) -> bool {
    let mut row: Vec<bool> = (0..=text.len()).map(|length| length == 0).collect();
    for sign in signs {
        let mut next = vec![false; text.len() + 1];
        for length in 0..=text.len() {
            next[length] = match sign {
                Sign::Many => row[length] || (length > 0 && next[length - 1]),
                Sign::One => length > 0 && row[length - 1],
                Sign::Is(one) => length > 0 && row[length - 1] && text[length - 1] == *one,
            };
        }
        row = next;
    }
    row[text.len()]
}
