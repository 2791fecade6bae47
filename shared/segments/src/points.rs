//! Where symbols stand on a line, such as an address among all addresses: sorted, so that those in a range lie together.
//!
//! Of a closed dictionary they are cut in pieces, and only the first point of each is known without reading it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use roaring::RoaringBitmap;

use crate::Error;

/// A place on the line.
pub(crate) type Point = u128;

/// Says at which points a symbol stands: at none, at one, or at several.
pub type Points = fn(&[u8], &mut dyn FnMut(u128));

const WHAT: &str = "the points of a dictionary";
const DAMAGED: Error = Error::Damaged(WHAT);
const POINT_BYTES: usize = size_of::<Point>();
const CODE_BYTES: usize = size_of::<u32>();

/// The points of an open dictionary.
#[derive(Debug)]
pub(crate) struct OpenPoints {
    points_of: Points,
    codes: BTreeSet<(Point, u32)>,
}

impl OpenPoints {
    pub(crate) fn new(points_of: Points) -> Self {
        Self { points_of, codes: BTreeSet::new() }
    }

    pub(crate) fn add(&mut self, code: u32, symbol: &[u8]) {
        (self.points_of)(symbol, &mut |point| {
            self.codes.insert((point, code));
        });
    }

    /// The codes of symbols in a range.
    pub(crate) fn within(&self, range: &RangeInclusive<Point>) -> impl Iterator<Item = u32> {
        let codes = || self.codes.range((*range.start(), 0)..=(*range.end(), u32::MAX));
        (!range.is_empty()).then(codes).into_iter().flatten().map(|(_, code)| *code)
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        /// Of a node that is two thirds full.
        const ENTRY: usize = size_of::<(Point, u32)>() * 3 / 2;
        ENTRY * self.codes.len()
    }
}

/// Cuts entries, which are in order, into pieces of so many: the first point of each, and its value.
pub(crate) fn cut(entries: &[(Point, u32)], size: usize) -> impl Iterator<Item = (Point, Vec<u8>)> {
    entries.chunks(size).map(|entries| {
        let points = entries.iter().flat_map(|(point, _)| point.to_be_bytes());
        let codes = entries.iter().flat_map(|(_, code)| code.to_le_bytes());
        (entries[0].0, points.chain(codes).collect())
    })
}

/// The pieces that have points in a range, of which these are the first.
pub(crate) fn pieces(firsts: &[Point], range: &RangeInclusive<Point>) -> std::ops::Range<usize> {
    // A point may come in several pieces: the one before the first that begins behind the range's start is looked at too.
    let start = firsts.partition_point(|first| first < range.start()).saturating_sub(1);
    let end = firsts.partition_point(|first| first <= range.end());
    start.min(end)..end
}

/// Adds the codes of a piece whose points are in a range.
pub(crate) fn within(piece: &[u8], range: &RangeInclusive<Point>, found: &mut Vec<u32>) -> Result<(), Error> {
    let count = piece.len() / (POINT_BYTES + CODE_BYTES);
    let (points, codes) = piece.split_at_checked(count * POINT_BYTES).ok_or(DAMAGED)?;
    let (points, codes) = (points.as_chunks::<POINT_BYTES>().0, codes.as_chunks::<CODE_BYTES>().0);
    if codes.len() != count || piece.len() != count * (POINT_BYTES + CODE_BYTES) {
        return Err(DAMAGED);
    }
    let start = points.partition_point(|point| Point::from_be_bytes(*point) < *range.start());
    let end = points.partition_point(|point| Point::from_be_bytes(*point) <= *range.end());
    found.extend(codes[start.min(end)..end].iter().map(|code| u32::from_le_bytes(*code)));
    Ok(())
}

/// The set of some codes, in any order and perhaps twice.
pub(crate) fn set_of(mut codes: Vec<u32>) -> RoaringBitmap {
    codes.sort_unstable();
    codes.dedup();
    // They are sorted, so there is nothing that could be wrong with them.
    RoaringBitmap::from_sorted_iter(codes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_give_what_the_open_points_give() {
        fn number(symbol: &[u8], point: &mut dyn FnMut(u128)) {
            point(u128::from(symbol[0]) << 120);
        }
        let mut open = OpenPoints::new(number);
        let symbols: Vec<u8> = (0..2000_u32).map(|code| (code * code % 23) as u8 * 3).collect();
        for (code, symbol) in (0..).zip(&symbols) {
            open.add(code, &[*symbol]);
        }
        let entries: Vec<(u128, u32)> = open.codes.iter().copied().collect();
        let (firsts, values): (Vec<u128>, Vec<Vec<u8>>) = cut(&entries, 512).unzip();
        assert_eq!(values.len(), 4);
        for (least, greatest) in [(0, 255), (0, 0), (9, 9), (10, 11), (4, 40), (66, 255), (200, 201), (30, 12)] {
            let range = u128::from(least as u8) << 120..=u128::from(greatest as u8) << 120;
            let mut found = Vec::new();
            for piece in pieces(&firsts, &range) {
                within(&values[piece], &range, &mut found).unwrap();
            }
            let expected: Vec<u32> = (0..)
                .zip(&symbols)
                .filter(|(_, symbol)| (least..=greatest).contains(&u32::from(**symbol)))
                .map(|(code, _)| code)
                .collect();
            assert_eq!(set_of(found).iter().collect::<Vec<_>>(), expected, "{range:?}");
            assert_eq!(set_of(open.within(&range).collect()).iter().collect::<Vec<_>>(), expected, "{range:?}");
        }
        assert!(within(&values[0][1..], &(0..=1), &mut Vec::new()).is_err());
    }
}
