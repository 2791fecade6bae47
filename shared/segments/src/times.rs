//! Stretches of time that rows are counted by.

use std::num::NonZeroU64;
use std::ops::Range;

use crate::Error;
use crate::part::Part;

/// Equal stretches of time, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Where the first begins.
    pub first: i64,
    /// How long each is.
    pub width: NonZeroU64,
    /// How many there are.
    pub count: usize,
}

impl Times {
    /// The rows of a range of a part that are in each of them: the stretch's place and the rows, in order. Those that are
    /// in none are left out.
    pub(crate) fn cut(&self, part: &Part, range: &Range<usize>) -> Result<Vec<(usize, Range<usize>)>, Error> {
        let (earliest, latest) = part.span();
        if let Some(place) = self.place(earliest)
            && self.place(latest) == Some(place)
        {
            return Ok(vec![(place, range.clone())]);
        }
        let times = part.times()?;
        let times = times.get(range.clone()).ok_or(Error::Damaged("a column of times"))?;
        let mut pieces = Vec::new();
        // Rows are ordered by time: no more of them are looked at than it takes to find where each stretch ends.
        let mut start = times.partition_point(|time| *time < self.first);
        while let Some(place) = times.get(start).and_then(|time| self.place(*time)) {
            let length = times[start..].partition_point(|time| self.place(*time) == Some(place));
            pieces.push((place, range.start + start..range.start + start + length));
            start += length;
        }
        Ok(pieces)
    }

    /// The stretch that a time is in.
    fn place(&self, time: i64) -> Option<usize> {
        let since = (time >= self.first).then(|| time.abs_diff(self.first))?;
        usize::try_from(since / self.width).ok().filter(|place| *place < self.count)
    }
}
