//! A table's state: its parts, and where the rows that are not sealed are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::chunk::Chunk;
use crate::closed::{ClosedKey, Extent};
use crate::dictionary::{Dictionaries, Epochs};
use crate::head_index::{HeadIndex, HeadPlace};
use crate::manifest::Manifest;
use crate::part::{Body, Part};
use crate::row::{RowNumber, Schema};
use crate::update::{Rotated, RowPlace, Update};

/// What is committed.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) dictionaries: Dictionaries,
    /// What is known of the closed dictionaries.
    closed: BTreeMap<ClosedKey, Extent>,
    /// By number.
    pub(crate) chunks: Vec<Part>,
    /// By number.
    pub(crate) segments: Vec<Part>,
    by_id: HeadIndex,
    pub(crate) next_chunk: u32,
    pub(crate) manifest: Manifest,
    /// How often segments went, whose columns an earlier reader may miss.
    pub(crate) removals: u64,
}

impl State {
    /// Without any part.
    pub(crate) fn new(
        manifest: Manifest,
        dictionaries: Dictionaries,
        closed: impl IntoIterator<Item = (ClosedKey, Extent)>,
    ) -> Self {
        Self {
            dictionaries,
            closed: closed.into_iter().collect(),
            chunks: Vec::new(),
            segments: Vec::new(),
            by_id: HeadIndex::default(),
            next_chunk: 0,
            manifest,
            removals: 0,
        }
    }

    /// Whether what was read from disk fits together: each part's dictionaries are there, and have all of its codes. A
    /// filter would take a symbol that is not there for one that no row has.
    pub(crate) fn check(&self, schema: &Schema) -> Result<(), Error> {
        let open = self.dictionaries.epochs();
        let is_known = |part: &Part| match &part.body {
            // Rows that are not sealed are in the codes of open dictionaries.
            Body::Chunk(chunk) => chunk.epochs == *open,
            Body::Segment(segment) => segment.epochs.len() == open.len() && segment.number < self.manifest.next_segment,
        };
        if !self.parts().all(is_known) {
            return Err(Error::Damaged("a table's manifest"));
        }
        for part in self.parts() {
            for (column, dictionary) in schema.symbols.iter().enumerate() {
                let key = (usize::from(*dictionary), part.epochs()[usize::from(*dictionary)]);
                let known = if open[key.0] == key.1 {
                    self.dictionaries.symbols(key.0).len()
                } else {
                    self.closed(key)?.symbols() as usize
                };
                if part.present(column).max().is_some_and(|code| code as usize >= known) {
                    return Err(Error::Damaged("a dictionary"));
                }
            }
        }
        Ok(())
    }

    /// What is known of a closed dictionary.
    pub(crate) fn closed(&self, key: ClosedKey) -> Result<Extent, Error> {
        self.closed.get(&key).cloned().ok_or(Error::Damaged("a closed dictionary"))
    }

    /// The closed dictionaries.
    pub(crate) fn closed_keys(&self) -> impl Iterator<Item = ClosedKey> {
        self.closed.keys().copied()
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        /// A key, and the share of a node.
        const CLOSED: usize = 32;
        let closed: usize = self.closed.values().map(|extent| CLOSED + extent.weight()).sum();
        self.dictionaries.weight() + closed + self.by_id.weight() + self.parts().map(Part::weight).sum::<usize>()
    }

    pub(crate) fn chunk(&self, number: u32) -> Option<&Part> {
        let place = self.chunks.binary_search_by_key(&number, Part::number).ok()?;
        self.chunks.get(place)
    }

    pub(crate) fn segment(&self, number: u32) -> Option<&Part> {
        let place = self.segments.binary_search_by_key(&number, Part::number).ok()?;
        self.segments.get(place)
    }

    /// Every part.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.chunks.iter().chain(&self.segments)
    }

    /// Where an id is among the rows that are not sealed.
    pub(crate) fn head_place(&self, id: &[u8]) -> Option<RowPlace> {
        let place = self.by_id.get(id, |place| id_at(&self.chunks, place))?;
        Some(RowPlace { part: self.chunk(place.chunk)?.clone(), row: place.row })
    }

    /// Adds a chunk; its rows replace those with the same ids in earlier chunks.
    pub(crate) fn add_chunk(&mut self, chunk: &Arc<Chunk>) {
        self.next_chunk = chunk.number + 1;
        // First, so that the index finds the ids of its own rows there too.
        self.chunks.push(Part { body: Body::Chunk(chunk.clone()), superseded: Arc::default() });
        for (id, row) in chunk.columns.ids.iter().zip(RowNumber::all()) {
            let place = HeadPlace { chunk: chunk.number, row };
            let earlier = self.by_id.insert(id, place, |place| id_at(&self.chunks, place));
            if let Some(earlier) = earlier {
                supersede(&mut self.chunks, earlier);
            }
        }
    }

    /// Takes a commit in; gives the segments that are gone.
    pub(crate) fn apply(&mut self, update: Update) -> Vec<u32> {
        self.dictionaries.extend(&update.symbols);
        for (number, superseded) in update.superseded_in_segments {
            if let Ok(place) = self.segments.binary_search_by_key(&number, Part::number) {
                self.segments[place].superseded = superseded;
            }
        }
        self.segments.retain(|segment| !update.removed.contains(&segment.number()));
        self.removals += update.removed.len() as u64;
        self.closed.retain(|key, _| !update.forgotten.contains(key));
        let sealed = update.sealed.into_iter().map(|sealed| Body::Segment(sealed.segment));
        self.segments.extend(sealed.map(|body| Part { body, superseded: Arc::default() }));
        self.manifest = update.manifest;
        let Some(seal) = update.seal else {
            self.chunks.retain(|chunk| !update.merged_chunks.contains(&chunk.number()));
            if let Some(chunk) = update.chunk {
                self.add_chunk(&chunk);
            }
            return update.removed;
        };
        self.chunks.clear();
        self.by_id = seal.by_id;
        if let Some(chunk) = update.chunk {
            self.next_chunk = chunk.number + 1;
            self.chunks.push(Part { body: Body::Chunk(chunk), superseded: Arc::default() });
        }
        let epochs: Epochs = self.manifest.epochs.as_slice().into();
        for Rotated { closed, extent, begun } in seal.rotated {
            self.closed.insert(closed, extent);
            self.dictionaries.replace(closed.0, epochs.clone(), begun);
        }
        update.removed
    }
}

/// The id of a row of chunks; none where its chunk is gone.
fn id_at(chunks: &[Part], place: HeadPlace) -> Option<&[u8]> {
    let index = chunks.binary_search_by_key(&place.chunk, Part::number).ok()?;
    Some(chunks.get(index)?.chunk()?.columns.ids.get(place.row.index()))
}

fn supersede(chunks: &mut [Part], place: HeadPlace) {
    if let Ok(index) = chunks.binary_search_by_key(&place.chunk, Part::number) {
        Arc::make_mut(&mut chunks[index].superseded).insert(place.row.bits());
    }
}
