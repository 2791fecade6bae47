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
    /// How many events up to there were passed over, and are not counted yet.
    pub(crate) passed: u64,
}

#[derive(Clone)]
struct Provenance {
    subject: Arc<str>,
    after: EventPlace,
    bytes: usize,
    passed: u64,
}

impl Batch {
    /// A batch of these events, decided under a version of the configuration. None of nothing.
    pub(crate) fn new(held: Vec<Held>, version: u64, letter: Option<u64>) -> Option<Self> {
        let (first, last) = (held.first()?, held.last()?);
        let (stream, after) = (first.item.stream, last.after);
        let plan = Plan { stream, first: first.item.place(), last: last.item.place(), version, letter };
        let (mut items, mut provenance) = (Vec::with_capacity(held.len()), Vec::with_capacity(held.len()));
        let mut all_passed = 0;
        for Held { item, subject, after, bytes, passed } in held {
            items.push(item);
            provenance.push(Provenance { subject, after, bytes, passed });
            all_passed += passed;
        }
        Some(Self { plan, items, provenance, after, passed: all_passed })
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

    /// Begins the batch with its first item: the place is moved there. Gives how many events were passed over up to it.
    pub(crate) fn begin_with_first(&mut self) -> u64 {
        let (Some(first), Some(provenance)) = (self.items.first(), self.provenance.first_mut()) else { return 0 };
        self.plan.first = first.place();
        provenance.passed = 0;
        let still: u64 = self.provenance.iter().map(|provenance| provenance.passed).sum();
        std::mem::replace(&mut self.passed, still) - still
    }

    /// Makes a batch of its first half, and gives back the rest.
    pub(crate) fn halve(&mut self) -> Vec<Held> {
        let middle = self.items.len().div_ceil(2);
        let items = self.items.split_off(middle);
        let provenance = self.provenance.split_off(middle);
        self.passed -= provenance.iter().map(|provenance| provenance.passed).sum::<u64>();
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
        let Provenance { subject, after, bytes, passed } = provenance;
        Held { item, subject, after, bytes, passed }
    };
    items.into_iter().zip(provenance).map(held).collect()
}

#[cfg(test)]
mod tests {
    use model::audit;
    use model::log::{AccountId, Stream};
    use model::time::Timestamp;

    use super::*;
    use crate::sink::{Kind, Rendered};

    /// Events at the sequences 10, 20, ..., each after so many that were passed over.
    fn batch(passed: &[u64]) -> Batch {
        let held = |(number, passed): (u64, &u64)| {
            let sequence = number * 10;
            let (id, time) = (format!("e{number}"), Timestamp::EPOCH);
            let (stream, account, kind) = (Stream::Audit, AccountId::escaped("main"), audit::Event::nothing());
            let (kind, rendered) = (Kind::Audit(Box::new(kind)), Rendered::default());
            let item = Item { id, stream, sequence, index: 0, account, time, kind, rendered };
            Held { item, subject: "s".into(), after: EventPlace::start_of(sequence + 1), bytes: 1, passed: *passed }
        };
        Batch::new((1..).zip(passed).map(held).collect(), 1, None).unwrap()
    }

    #[test]
    fn a_batch_counts_what_was_passed_over_up_to_its_end() {
        assert_eq!(batch(&[3, 0, 2]).passed, 5);
        let mut whole = batch(&[3, 0, 2, 4]);
        let rest = whole.halve();
        assert_eq!((whole.passed, rest.iter().map(|held| held.passed).sum::<u64>()), (3, 6));
    }

    #[test]
    fn a_batch_that_begins_later_counts_up_to_there_once() {
        let mut later = batch(&[3, 1, 2, 4]);
        later.keep(&[2, 3]);
        assert_eq!(later.begin_with_first(), 6);
        assert_eq!((later.passed, later.plan.first), (4, EventPlace::start_of(30)));
        assert_eq!(later.begin_with_first(), 0);
        // What was taken out of its middle stays counted at its end.
        let mut middle = batch(&[3, 1, 2]);
        middle.keep(&[0, 2]);
        assert_eq!(middle.passed, 6);
    }
}
