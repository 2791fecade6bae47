//! Which events a configuration wants delivered: the families that `events` names, and of them what `filter` says.

use super::config::{Config, Value};
use super::rejected::Rejected;
use crate::audit;
use crate::filter::StreamFilter;
use crate::traffic::Report;

/// The families of events that an integration delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Families {
    pub audit: bool,
    pub traffic: bool,
    /// The audit events that record reads, which are not among `audit`.
    pub reads: bool,
}

impl Families {
    /// Those that `events` names; else audit events and traffic reports.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let chosen = text(config, "events").unwrap_or("both");
        let names = |family: &str| chosen.split(',').map(str::trim).any(|name| name == family);
        let both = names("both");
        Self { audit: names("audit") || both, traffic: names("traffic") || both, reads: names("reads") }
    }
}

/// Which events of their streams an integration delivers.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    families: Families,
    /// None: all of these families.
    filter: Option<StreamFilter>,
}

impl Wanted {
    /// What a configuration says.
    ///
    /// # Errors
    /// When `filter` is no expression, or one that the families cannot be asked; with the column.
    pub fn of(config: &Config) -> Result<Self, Rejected> {
        let families = Families::of(config);
        let Families { audit, traffic, reads } = families;
        let filter = text(config, "filter").map(|text| StreamFilter::new(text, audit || reads, traffic)).transpose();
        let filter = filter.map_err(|mistake| Rejected::config("filter", mistake.to_string()))?;
        Ok(Self { families, filter })
    }

    /// Whether an audit event is delivered.
    #[must_use]
    pub fn has_audit(&self, event: &audit::Event) -> bool {
        let is_of_them = if audit::is_read(&event.event_type) { self.families.reads } else { self.families.audit };
        is_of_them && self.filter.as_ref().is_none_or(|filter| filter.matches_audit(event))
    }

    /// Whether a traffic report is delivered.
    #[must_use]
    pub fn has_traffic(&self, report: &Report) -> bool {
        self.families.traffic && self.filter.as_ref().is_none_or(|filter| filter.matches_traffic(report))
    }
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
            let Families { audit, traffic, reads } = Families::of(&config(texts));
            (audit, traffic, reads)
        };
        assert_eq!(families(&[]), (true, true, false));
        for (events, expected) in [
            ("audit", (true, false, false)),
            ("traffic", (false, true, false)),
            ("reads", (false, false, true)),
            ("audit, traffic", (true, true, false)),
            ("both", (true, true, false)),
            ("audit,traffic,reads", (true, true, true)),
        ] {
            assert_eq!(families(&[("events", events)]), expected, "{events}");
        }
    }

    #[test]
    fn records_of_reads_are_a_family_of_their_own() {
        let wanted = |events| Wanted::of(&config(&[("events", events), ("filter", "status:success")])).unwrap();
        let event = |event_type: &str| audit::Event { event_type: event_type.to_owned(), ..audit::Event::nothing() };
        let delivered = |events| {
            ["door.open", "audit.read", "traffic.read", "file.read"].map(|kind| wanted(events).has_audit(&event(kind)))
        };
        assert_eq!(delivered("both"), [true, false, false, true]);
        assert_eq!(delivered("reads"), [false, true, true, false]);
        assert_eq!(delivered("audit,reads"), [true; 4]);
        let reports = Wanted::of(&config(&[("events", "traffic")])).unwrap();
        assert!(!reports.has_audit(&event("door.open")) && !reports.has_audit(&event("audit.read")));
    }

    #[test]
    fn a_filter_is_asked_of_the_families_that_are_delivered() {
        assert!(Wanted::of(&config(&[])).is_ok());
        assert!(Wanted::of(&config(&[("filter", "dst:10.0.0.0/8 OR status:denied")])).is_ok());
        for events in ["audit", "reads"] {
            let texts = [("events", events), ("filter", "status:x dst:10.0.0.0/8")];
            let refused = Wanted::of(&config(&texts)).unwrap_err();
            assert_eq!(refused.to_string(), r#"config.filter: column 10: "dst" is no field"#);
        }
    }
}
