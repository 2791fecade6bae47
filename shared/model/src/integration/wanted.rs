//! Which events a configuration wants delivered: the families that `events` names, and of them what `filter` says.

use super::config::{Config, Value};
use super::rejected::Rejected;
use crate::filter::StreamFilter;

/// The families of events that an integration delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Families {
    pub audit: bool,
    pub traffic: bool,
}

impl Families {
    /// Those that `events` names, else all.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let chosen = text(config, "events").unwrap_or("both");
        let names = |family: &str| chosen.split(',').map(str::trim).any(|name| name == family || name == "both");
        Self { audit: names("audit"), traffic: names("traffic") }
    }
}

/// What is wanted of these families; none: everything.
///
/// # Errors
/// When `filter` is no expression, or one that these families cannot be asked; with the column.
pub fn filter(config: &Config) -> Result<Option<StreamFilter>, Rejected> {
    let Some(text) = text(config, "filter") else { return Ok(None) };
    let Families { audit, traffic } = Families::of(config);
    StreamFilter::new(text, audit, traffic).map(Some).map_err(|mistake| Rejected::config("filter", mistake.to_string()))
}

fn text<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
    match config.get(key) {
        Some(Value::Text(text)) => Some(text),
        Some(Value::Sealed(_) | Value::Headers(_)) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(texts: &[(&str, &str)]) -> Config {
        texts.iter().map(|(key, text)| ((*key).to_owned(), Value::Text((*text).to_owned()))).collect()
    }

    #[test]
    fn the_families_are_those_that_are_named() {
        let families = |texts: &[(&str, &str)]| {
            let Families { audit, traffic } = Families::of(&config(texts));
            (audit, traffic)
        };
        assert_eq!(families(&[]), (true, true));
        assert_eq!(families(&[("events", "audit")]), (true, false));
        assert_eq!(families(&[("events", "traffic")]), (false, true));
        assert_eq!(families(&[("events", "audit, traffic")]), (true, true));
        assert_eq!(families(&[("events", "both")]), (true, true));
    }

    #[test]
    fn a_filter_is_asked_of_the_families_that_are_delivered() {
        assert_eq!(filter(&config(&[])), Ok(None));
        assert!(filter(&config(&[("filter", "dst:10.0.0.0/8 OR status:denied")])).unwrap().is_some());
        let refused = filter(&config(&[("events", "audit"), ("filter", "status:x dst:10.0.0.0/8")])).unwrap_err();
        assert_eq!(refused.to_string(), r#"config.filter: column 10: "dst" is no field"#);
    }
}
