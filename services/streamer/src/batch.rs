//! A batch: the items of one plan, as a sink takes them, and for each where it came from.

use std::sync::Arc;

use model::delivery::{EventPlace, Plan};

use crate::lane::Held;
use crate::sink::Item;

/// The items of a plan that are still to be delivered.
pub(crate) struct Batch {
    pub(crate) plan: Plan,
    pub(crate) items: Vec<Item>,
    provenance: Vec<Provenance>,
    /// Where delivery goes on after this batch.
    pub(crate) after: EventPlace,
}

#[derive(Clone)]
struct Provenance {
    subject: Arc<str>,
    after: EventPlace,
    bytes: usize,
}

impl Batch {
    /// A batch of these events, decided under a version of the configuration. None of nothing.
    pub(crate) fn new(held: Vec<Held>, version: u64, letter: Option<u64>) -> Option<Self> {
        let (first, last) = (held.first()?, held.last()?);
        let (stream, after) = (first.item.stream, last.after);
        let plan = Plan { stream, first: first.item.place(), last: last.item.place(), version, letter };
        let (mut items, mut provenance) = (Vec::with_capacity(held.len()), Vec::with_capacity(held.len()));
        for Held { item, subject, after, bytes } in held {
            items.push(item);
            provenance.push(Provenance { subject, after, bytes });
        }
        Some(Self { plan, items, provenance, after })
    }

    /// The subject that an item came on.
    pub(crate) fn subject(&self, index: usize) -> &str {
        self.provenance.get(index).map_or("", |provenance| &provenance.subject)
    }

    /// Keeps these items alone; ascending.
    pub(crate) fn keep(&mut self, indices: &[usize]) {
        let mut wanted = indices.iter().copied().peekable();
        let keep: Vec<bool> = (0..self.items.len()).map(|index| wanted.next_if_eq(&index).is_some()).collect();
        let mut of_items = keep.iter().copied();
        self.items.retain(|_| of_items.next().unwrap_or_default());
        let mut of_provenance = keep.iter().copied();
        self.provenance.retain(|_| of_provenance.next().unwrap_or_default());
    }

    /// Makes a batch of its first half, and gives back the rest.
    pub(crate) fn halve(&mut self) -> Vec<Held> {
        let middle = self.items.len().div_ceil(2);
        let items = self.items.split_off(middle);
        let provenance = self.provenance.split_off(middle);
        if let (Some(first), Some(last), Some(end)) = (self.items.first(), self.items.last(), self.provenance.last()) {
            self.plan.first = first.place();
            self.plan.last = last.place();
            self.after = end.after;
        }
        zipped(items, provenance)
    }

    /// The events again.
    pub(crate) fn into_held(self) -> Vec<Held> {
        zipped(self.items, self.provenance)
    }
}

fn zipped(items: Vec<Item>, provenance: Vec<Provenance>) -> Vec<Held> {
    let held = |(item, provenance): (Item, Provenance)| {
        let Provenance { subject, after, bytes } = provenance;
        Held { item, subject, after, bytes }
    };
    items.into_iter().zip(provenance).map(held).collect()
}
