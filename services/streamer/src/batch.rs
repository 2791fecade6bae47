//! A batch: the items of one plan, as its sink takes them, with what is known of each besides.

use std::sync::Arc;

use model::delivery::{Place, Plan};

use crate::lane::Held;
use crate::sink::{self, Item};

/// The items of a plan that are still to be delivered.
pub(crate) struct Batch {
    pub(crate) plan: Plan,
    pub(crate) items: Vec<Item>,
    rest: Vec<Rest>,
    /// Where delivery goes on after this batch.
    pub(crate) after: Place,
}

#[derive(Clone)]
struct Rest {
    subject: Arc<str>,
    after: Place,
    bytes: usize,
}

impl Batch {
    /// A batch of these events, decided under a version of the configuration. None of nothing.
    pub(crate) fn new(held: Vec<Held>, version: u64, letter: Option<u64>) -> Option<Self> {
        let (first, last) = (held.first()?, held.last()?);
        let (stream, after) = (first.item.stream, last.after);
        let plan = Plan { stream, first: (&first.item).into(), last: (&last.item).into(), version, letter };
        let (mut items, mut rest) = (Vec::with_capacity(held.len()), Vec::with_capacity(held.len()));
        for Held { item, subject, after, bytes } in held {
            items.push(item);
            rest.push(Rest { subject, after, bytes });
        }
        Some(Self { plan, items, rest, after })
    }

    /// The plan in the terms of sinks.
    pub(crate) fn sink_plan(&self) -> sink::Plan {
        let place = |place: Place| sink::Place { sequence: place.sequence, index: place.index };
        sink::Plan { stream: self.plan.stream, first: place(self.plan.first), last: place(self.plan.last) }
    }

    /// The subject that an item came on.
    pub(crate) fn subject(&self, index: usize) -> &str {
        self.rest.get(index).map_or("", |rest| &rest.subject)
    }

    /// Keeps these items alone; ascending.
    pub(crate) fn keep(&mut self, indices: &[usize]) {
        let mut wanted = indices.iter().copied().peekable();
        let keep: Vec<bool> = (0..self.items.len()).map(|index| wanted.next_if_eq(&index).is_some()).collect();
        let mut of_items = keep.iter().copied();
        self.items.retain(|_| of_items.next().unwrap_or_default());
        let mut of_rest = keep.iter().copied();
        self.rest.retain(|_| of_rest.next().unwrap_or_default());
    }

    /// Makes a batch of its first half, and gives back the rest.
    pub(crate) fn halve(&mut self) -> Vec<Held> {
        let middle = self.items.len().div_ceil(2);
        let items = self.items.split_off(middle);
        let rest = self.rest.split_off(middle);
        if let (Some(first), Some(last), Some(end)) = (self.items.first(), self.items.last(), self.rest.last()) {
            self.plan.first = first.into();
            self.plan.last = last.into();
            self.after = end.after;
        }
        zipped(items, rest)
    }

    /// The events again.
    pub(crate) fn into_held(self) -> Vec<Held> {
        zipped(self.items, self.rest)
    }
}

fn zipped(items: Vec<Item>, rest: Vec<Rest>) -> Vec<Held> {
    let held = |(item, rest): (Item, Rest)| {
        let Rest { subject, after, bytes } = rest;
        Held { item, subject, after, bytes }
    };
    items.into_iter().zip(rest).map(held).collect()
}
