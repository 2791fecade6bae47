//! Sets of numbers as bytes.

use roaring::RoaringBitmap;

use crate::Error;

/// A set as bytes.
pub(crate) fn serialize(set: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // Writing into memory does not fail.
    let _ = set.serialize_into(&mut bytes);
    bytes
}

/// What [`serialize`] wrote. `what` names it for the error.
pub(crate) fn deserialize(bytes: &[u8], what: &'static str) -> Result<RoaringBitmap, Error> {
    RoaringBitmap::deserialize_from(bytes).map_err(|_| Error::Damaged(what))
}
