//! Work on the columns of many rows, on all cores there are; on few rows, where to share it out takes longer than to do it.
//!
//! What comes of it is the same on any number of cores.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// So many rows are many.
const MANY_ROWS: usize = 1 << 13;

/// Does both, for so many rows.
pub(crate) fn both<A: Send, B: Send>(
    rows: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if rows < MANY_ROWS { (one(), other()) } else { rayon::join(one, other) }
}

/// What `work` makes of each of `count` columns of so many rows, in their order.
pub(crate) fn each<T: Send>(rows: usize, count: usize, work: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    if rows < MANY_ROWS { (0..count).map(work).collect() } else { (0..count).into_par_iter().map(work).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_and_many_give_the_same() {
        for rows in [0, MANY_ROWS - 1, MANY_ROWS, 1 << 20] {
            assert_eq!(both(rows, || 1, || "other"), (1, "other"));
            assert!(each(rows, 100, |column| column * rows).into_iter().eq((0..100).map(|column| column * rows)));
        }
    }
}
