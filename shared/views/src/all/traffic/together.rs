//! Rows of one flow: which they are, and what they say of it together.

use model::paging::RowPosition;
use model::traffic::{Record, Sighting, flows};
use segments::{Instead, Row};

use super::{numbers, row};
use crate::error::Error;

/// Rows that were put together.
pub(crate) struct Together {
    /// Where each of the rows stands in a list.
    pub(crate) positions: Vec<RowPosition>,
    /// The rows of each flow, by their places: at least one, the earliest first. So are the flows.
    pub(crate) flows: Vec<Vec<usize>>,
}

/// Puts rows together that come by time and id, the earliest first.
///
/// # Errors
/// When a row cannot be read.
pub(crate) fn together<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<Together, Error> {
    let (mut sightings, mut positions) = (Vec::new(), Vec::new());
    for row in rows {
        let record = row::read(row)?;
        sightings.push(Sighting::from(&record));
        positions.push(RowPosition { time: record.time(), id: record.key.id().to_string() });
    }
    Ok(Together { positions, flows: flows(&sightings) })
}

/// Takes what other rows of its flow counted into a record; gives who reported it.
///
/// # Errors
/// When a row cannot be read.
pub(crate) fn take_in<'a>(record: &mut Record, others: impl Iterator<Item = &'a Row>) -> Result<Vec<String>, Error> {
    let mut reporters = vec![record.key.reporter_id.clone()];
    for other in others {
        let other = row::read(other)?;
        record.take_in(&other);
        reporters.push(other.key.reporter_id.into_owned());
    }
    Ok(reporters)
}

/// Of some rows, newest first, those that stand for a flow: their ids in the table, and the numbers of their flows.
pub(super) fn told_once(rows: &[Row]) -> Result<Instead, Error> {
    let rows: Vec<&Row> = rows.iter().rev().collect();
    let mut told = Instead::new();
    for flow in together(rows.iter().copied())?.flows {
        let Some((first, others)) = flow.split_first() else { continue };
        let mut record = row::read(rows[*first])?;
        for other in others {
            record.take_in(&row::read(rows[*other])?);
        }
        told.insert(record.key.id().to_bytes().into(), numbers::of(&record).into());
    }
    Ok(told)
}
