//! What a commit changes in a table.

use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::chunk::Chunk;
use crate::closed::{ClosedKey, Extent};
use crate::dictionary::{Dictionary, NewSymbols};
use crate::head_index::HeadIndex;
use crate::manifest::Manifest;
use crate::part::Part;
use crate::pieces::Change;
use crate::removal::Removing;
use crate::row::RowNumber;
use crate::segment::NewSegment;

/// Where a row is. It holds its part, so that the row can be read even when it is sealed or replaced meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct RowPlace {
    pub(crate) part: Part,
    pub(crate) row: RowNumber,
}

/// What a commit changes.
#[derive(Debug)]
pub(crate) struct Update {
    /// What is to be written first.
    pub(crate) changes: Vec<Change>,
    pub(crate) symbols: NewSymbols,
    /// Of a segment, all rows that are superseded now.
    pub(crate) superseded_in_segments: Vec<(u32, Arc<RoaringBitmap>)>,
    /// The segments that go.
    pub(crate) removed: Vec<u32>,
    /// Given where some do.
    pub(crate) removing: Option<Removing>,
    /// The closed dictionaries that go with them.
    pub(crate) forgotten: Vec<ClosedKey>,
    /// The new segments.
    pub(crate) sealed: Vec<NewSegment>,
    /// The table's manifest from now on.
    pub(crate) manifest: Manifest,
    /// The chunks that go: the new one has their rows.
    pub(crate) merged_chunks: Vec<u32>,
    pub(crate) chunk: Option<Arc<Chunk>>,
    /// Given where the oldest rows were sealed.
    pub(crate) seal: Option<Seal>,
}

/// What sealing the oldest rows changes: no chunk but the update's new one is left.
#[derive(Debug)]
pub(crate) struct Seal {
    /// The chunk's rows.
    pub(crate) by_id: HeadIndex,
    /// The dictionaries that are closed, and those that begin in their place.
    pub(crate) rotated: Vec<Rotated>,
}

/// A dictionary that is closed, and the one of the next epoch that begins with the symbols of the rows that are left.
#[derive(Debug)]
pub(crate) struct Rotated {
    pub(crate) closed: ClosedKey,
    pub(crate) extent: Extent,
    pub(crate) begun: Dictionary,
}
