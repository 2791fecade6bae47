//! Long values, cut into pieces under keys of their own: `<key> <piece, big-endian>`.
//!
//! sled keeps up to 16 values on a page, which it reads and writes as a whole. A page of more than 128 KiB it puts into a
//! file of its own and does not count where it bounds its memory: it would never let go of it again. Pages of pieces
//! stay below that, and to read one column does not read those of the neighbours.
//!
//! Invariant: a value that is cut is written once and never replaced, so that no piece of an older one is left behind
//! it. The last piece is shorter than all others.

use crate::Error;

/// Bytes of a piece. Few, because a whole page is read for a block of rows; with fewer still there would be more pages to
/// keep account of than it saves.
const PIECE: usize = 2 << 10;
/// Bytes of a piece of a small chunk. Where there are many small tables, nearly all that is stored is chunks, and sled
/// holds the last 16,384 pages that were looked at whatever its cache may take: what is looked at should be small.
const SMALL_CHUNK_PIECE: usize = 1 << 10;
/// Bytes of a piece of a large chunk. Large ones come with many rows at once and go soon: fewer pieces are written and
/// removed faster.
const LARGE_CHUNK_PIECE: usize = 4 << 10;
/// From so many bytes on a chunk is large.
const LARGE_CHUNK: usize = 128 << 10;

/// A key and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// A change to the tree: a key, and its new value or none.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// The pieces of a value, by their keys, of so many bytes each.
fn cut(key: &[u8], value: &[u8], size: usize) -> impl Iterator<Item = Entry> {
    let pieces = value.len() / size + 1;
    (0_u32..).zip(0..pieces).map(move |(number, index)| {
        let rest = &value[index * size..];
        (key_of(key, number), rest[..rest.len().min(size)].to_vec())
    })
}

/// Writes a value that is written once.
pub(crate) fn put(changes: &mut Vec<Change>, key: &[u8], value: &[u8]) {
    changes.extend(cut(key, value, PIECE).map(|(key, piece)| (key, Some(piece))));
}

/// Writes a chunk, which is read by [`scan`] alone.
pub(crate) fn put_chunk(changes: &mut Vec<Change>, key: &[u8], value: &[u8]) {
    let size = if value.len() < LARGE_CHUNK { SMALL_CHUNK_PIECE } else { LARGE_CHUNK_PIECE };
    changes.extend(cut(key, value, size).map(|(key, piece)| (key, Some(piece))));
}

/// Removes all values whose keys start with `prefix`.
pub(crate) fn remove(changes: &mut Vec<Change>, tree: &sled::Tree, prefix: &[u8]) -> Result<(), Error> {
    changes.extend(keys(tree, prefix)?.into_iter().map(|key| (key, None)));
    Ok(())
}

/// The value under a key, put together; none when its first piece is missing. Where a later one is, the rest is what
/// no frame holds.
pub(crate) fn get(tree: &sled::Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let mut value: Option<Vec<u8>> = None;
    for piece in 0.. {
        let Some(bytes) = tree.get(key_of(key, piece))? else { break };
        value.get_or_insert_default().extend_from_slice(&bytes);
        if bytes.len() < PIECE {
            break;
        }
    }
    Ok(value)
}

/// The keys of all pieces of all values whose keys start with `prefix`.
pub(crate) fn keys(tree: &sled::Tree, prefix: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    tree.scan_prefix(prefix).keys().map(|found| Ok(found?.to_vec())).collect()
}

/// All values whose keys start with `prefix`, put together, with those keys, in their order.
pub(crate) fn scan(tree: &sled::Tree, prefix: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut values: Vec<Entry> = Vec::new();
    for entry in tree.scan_prefix(prefix) {
        let (found, bytes) = entry?;
        let (key, _) = found.split_last_chunk::<4>().ok_or(Error::Damaged("a key"))?;
        match values.last_mut() {
            Some((last, value)) if last == key => value.extend_from_slice(&bytes),
            Some(_) | None => values.push((key.to_vec(), bytes.to_vec())),
        }
    }
    Ok(values)
}

fn key_of(key: &[u8], piece: u32) -> Vec<u8> {
    [key, &piece.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_comes_back_whole_and_by_its_own_key_alone() {
        let tree = sled::Config::new().temporary(true).open().unwrap();
        let lengths = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 3];
        let value = |length: usize| (0..length).map(|n| (n % 251) as u8).collect::<Vec<u8>>();
        for (number, length) in (0_u8..).zip(lengths) {
            for (key, piece) in cut(&[7, number], &value(length), PIECE) {
                assert!(piece.len() <= PIECE);
                tree.insert(key, piece).unwrap();
            }
        }
        for (number, length) in (0_u8..).zip(lengths) {
            assert_eq!(get(&tree, &[7, number]).unwrap(), Some(value(length)), "{length}");
        }
        assert_eq!(get(&tree, &[7]).unwrap(), None);
        let all: Vec<_> = (0_u8..).zip(lengths).map(|(number, length)| (vec![7, number], value(length))).collect();
        assert_eq!(scan(&tree, &[7]).unwrap(), all);
        for key in keys(&tree, &[7, 6]).unwrap() {
            tree.remove(key).unwrap();
        }
        assert_eq!(get(&tree, &[7, 6]).unwrap(), None);
        assert_eq!(scan(&tree, &[]).unwrap(), all[..6]);
    }

    #[test]
    fn chunks_of_every_size_come_back_whole() {
        let tree = sled::Config::new().temporary(true).open().unwrap();
        let lengths = [0, 1, SMALL_CHUNK_PIECE, LARGE_CHUNK - 1, LARGE_CHUNK, LARGE_CHUNK + LARGE_CHUNK_PIECE + 1];
        let mut written = Vec::new();
        for (number, length) in (0_u8..).zip(lengths) {
            let value: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut changes = Vec::new();
            put_chunk(&mut changes, &[7, number], &value);
            for (key, piece) in changes {
                tree.insert(key, piece.unwrap()).unwrap();
            }
            written.push((vec![7, number], value));
        }
        assert_eq!(scan(&tree, &[7]).unwrap(), written);
    }
}
