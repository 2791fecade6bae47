//! Judges one event.

use super::audit::Audit;
use super::compile::{Filter, Node};
use super::family::Family;
use super::traffic::Traffic;
use crate::audit;
use crate::traffic::{Record, Report};

impl Filter<Audit> {
    /// Whether an event is wanted, by what it says: who wants the directory's names to count fills them in before.
    #[must_use]
    pub fn matches(&self, event: &audit::Event) -> bool {
        self.root.matches(event)
    }
}

impl Filter<Traffic> {
    /// Whether a record is wanted, by what it says.
    #[must_use]
    pub fn matches<S: AsRef<str>>(&self, record: &Record<S>) -> bool {
        self.root.matches(&record.with_texts(AsRef::as_ref))
    }

    /// Whether a report is wanted: the record that it alone would make.
    #[must_use]
    pub fn matches_report(&self, report: &Report) -> bool {
        self.matches(&Record::from(report))
    }
}

impl<F: Family> Node<F> {
    // As deep as expressions are, which is bounded.
    fn matches(&self, event: &F::Event<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(event)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(event)),
            Self::Not(part) => !part.matches(event),
            Self::Field(field, wanted) => F::is_any_value(*field, event, &mut |value| wanted.is(value)),
            Self::Found(pattern) => F::is_any_text(event, &mut |text| pattern.fits(&text.to_lowercase())),
        }
    }
}
