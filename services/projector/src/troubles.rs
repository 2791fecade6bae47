//! What is wrong with the log and what is computed from it, for people: named in the log lines, in metrics and to who asks.
//!
//! Invariant: each trouble is logged once when it begins, and once more when it is over or becomes another.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use runtime::metrics::{Audience, Source};
use serde::{Deserialize, Serialize};
use tracing::{error, info};

/// The subject on which troubles are asked for; the request is empty, the answer a list of [`Trouble`]s.
pub const LIST: &str = "flowtrail.control.troubles";

/// Something that a person has to see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The stream, as the server calls it, or the view.
    pub about: String,
    /// What kind of trouble it is.
    pub trouble: Kind,
    /// What is wrong and what to do, in words.
    pub said: String,
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The stream is not there.
    Gone,
    /// Messages are missing from it that nobody took out.
    Damaged,
    /// Somebody took all messages out of it.
    Purged,
    /// A view is not rebuilt, because it would hold less than it does.
    WouldLose,
}

impl Kind {
    /// In metrics.
    const ALL: [(Self, &'static str); 4] =
        [(Self::Gone, "gone"), (Self::Damaged, "damaged"), (Self::Purged, "purged"), (Self::WouldLose, "would_lose")];
}

impl EncodeLabelValue for Kind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        let name = Self::ALL.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| name);
        EncodeLabelValue::encode(&name, encoder)
    }
}

/// The troubles there are. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Troubles(Arc<Mutex<Known>>);

/// What was looked at, and what is wrong with it.
type Known = BTreeMap<(String, Kind), Option<String>>;

impl Troubles {
    /// Notes a trouble, or that there is none of this kind (any more).
    pub(crate) fn note(&self, about: &str, kind: Kind, said: Option<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.insert((about.to_owned(), kind), said.clone()).flatten();
        match said {
            Some(said) if before.as_ref() != Some(&said) => error!(about, "{said}"),
            None if before.is_some() => info!(about, trouble = ?kind, "this trouble is over"),
            Some(_) | None => {}
        }
    }

    /// All there are.
    pub(crate) fn list(&self) -> Vec<Trouble> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = |((about, kind), said): (&(String, Kind), &Option<String>)| {
            Some(Trouble { about: about.clone(), trouble: *kind, said: said.clone()? })
        };
        known.iter().filter_map(trouble).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    about: String,
    trouble: Kind,
}

impl Source for Troubles {
    fn add_to(&self, registry: &mut Registry, _: Audience<'_>) {
        let troubles = Family::<Of, Gauge<u64, AtomicU64>>::default();
        for ((about, trouble), said) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            troubles.get_or_create(&Of { about: about.clone(), trouble: *trouble }).set(said.is_some().into());
        }
        registry.register("troubles", "1 for what a person has to see to", troubles);
    }
}
