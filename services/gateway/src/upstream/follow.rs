//! One account's events as the log gets them, from a place on: of all streams that a view is computed from, in the order in
//! which they are read.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bus::{Bus, ConsumeError};
use feed::erasures::Erased;
use feed::tail::{Placed, Tail};
use futures_util::future::select_all;
use model::delivery::EventPlace;
use model::log::{AccountId, LogPosition, Stream};
use runtime::telemetry::chain;
use tracing::warn;

use crate::render::refusal::Refusal;
use crate::upstream::commands::LOG_UNREACHABLE;

/// A place in each of some streams: what stands before it was seen. As a text it is `<sequence>.<index>` for each stream,
/// with `-` between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places(Box<[EventPlace]>);

/// The text is no [`Places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPlaces;

/// Events of one message, of the stream with this number.
pub(crate) type OfStream = (usize, Vec<Placed>);

/// The way to the log, for who reads it in its order, without who is erased. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    bus: Arc<Bus>,
    erased: Erased,
}

/// Follows one account's events. Made by [`Follow::open`].
pub(crate) struct Follow {
    tails: Vec<Tail>,
    /// The tail that is asked first, so that none waits for another that always has something.
    first: usize,
}

impl Log {
    pub(crate) fn new(bus: Arc<Bus>, erased: Erased) -> Self {
        Self { bus, erased }
    }

    /// The end of streams, as it is now.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub(crate) async fn end_of(&self, streams: &[Stream]) -> Result<Places, Refusal> {
        Places::end_of(&self.bus, streams).await
    }

    /// An account's events from a place on.
    pub(crate) fn follow(&self, streams: &[Stream], account: &AccountId, from: &Places) -> Follow {
        Follow::open((&self.bus, &self.erased), streams, account, from)
    }
}

impl Places {
    /// The beginning of streams, whatever they still hold.
    pub(crate) fn beginning_of(streams: &[Stream]) -> Self {
        Self(streams.iter().map(|_| EventPlace::start_of(0)).collect())
    }

    /// In each of these streams the last message of which everything was seen.
    pub(crate) fn positions(&self, streams: &[Stream]) -> Vec<LogPosition> {
        let position = |(stream, place): (&Stream, &EventPlace)| LogPosition {
            stream: *stream,
            sequence: place.sequence.saturating_sub(1),
        };
        streams.iter().zip(&self.0).map(position).collect()
    }

    /// The end of streams, as it is now.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub(crate) async fn end_of(bus: &Bus, streams: &[Stream]) -> Result<Self, Refusal> {
        let mut places = Vec::with_capacity(streams.len());
        for stream in streams {
            let state = bus.state(*stream).await.map_err(|failure| {
                warn!(%stream, error = %chain(&failure), "the end of the log cannot be found");
                LOG_UNREACHABLE
            })?;
            places.push(EventPlace::start_of(state.last_sequence + 1));
        }
        Ok(Self(places.into()))
    }

    /// How many streams it is of.
    pub(crate) fn streams(&self) -> usize {
        self.0.len()
    }

    /// Whether this is at or behind the other in each stream.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own >= other)
    }

    /// Whether an event that ends at `after` stands before this.
    pub(crate) fn has_passed(&self, stream: usize, after: EventPlace) -> bool {
        self.0.get(stream).is_some_and(|own| *own >= after)
    }

    /// Goes on to a place in a stream, never back.
    pub(crate) fn pass(&mut self, stream: usize, after: EventPlace) {
        if let Some(own) = self.0.get_mut(stream) {
            *own = after.max(*own);
        }
    }

    /// Goes on to the other place in each stream, never back.
    pub(crate) fn pass_all(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (*other).max(*own);
        }
    }
}

impl fmt::Display for Places {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, EventPlace { sequence, index }) in self.0.iter().enumerate() {
            let between = if number == 0 { "" } else { "-" };
            write!(formatter, "{between}{sequence}.{index}")?;
        }
        Ok(())
    }
}

impl FromStr for Places {
    type Err = NoPlaces;

    fn from_str(text: &str) -> Result<Self, NoPlaces> {
        let place = |text: &str| {
            let (sequence, index) = text.split_once('.')?;
            Some(EventPlace { sequence: sequence.parse().ok()?, index: index.parse().ok()? })
        };
        let places: Option<Box<[EventPlace]>> = text.split('-').map(place).collect();
        places.map(Self).ok_or(NoPlaces)
    }
}

impl Follow {
    /// Follows from a place on, which is of these streams.
    pub(crate) fn open(log: (&Bus, &Erased), streams: &[Stream], account: &AccountId, from: &Places) -> Self {
        let open = |(stream, from): (&Stream, &EventPlace)| Tail::open(log, *stream, account, *from);
        Self { tails: streams.iter().zip(&from.0).map(open).collect(), first: 0 }
    }

    /// The events of the next message, once there is one. Can be dropped half-way without losing one.
    ///
    /// # Errors
    /// When the log is gone or another one.
    pub(crate) async fn next(&mut self) -> Result<OfStream, ConsumeError> {
        self.first = (self.first + 1) % self.tails.len().max(1);
        let (later, sooner) = self.tails.split_at_mut(self.first);
        let numbers = (self.first..).take(sooner.len()).chain(0..);
        let next = sooner
            .iter_mut()
            .chain(later)
            .zip(numbers)
            .map(|(tail, number)| Box::pin(async move { tail.next().await.map(|events| (number, events)) }));
        select_all(next).await.0
    }

    /// The events of the next message that was read already.
    pub(crate) fn ready(&mut self) -> Option<OfStream> {
        let ready = |(number, tail): (usize, &mut Tail)| tail.ready().map(|events| (number, events));
        self.tails.iter_mut().enumerate().find_map(ready)
    }

    /// Whether all that the streams hold was read and taken.
    pub(crate) fn is_at_end(&self) -> bool {
        self.tails.iter().all(Tail::is_at_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["12.3", "12.3-4.0-18446744073709551615.4294967295"] {
            assert_eq!(text.parse::<Places>().unwrap().to_string(), text);
        }
        for text in ["", "12", "12.3-", "12.-3", "a.b", "12.3,4.5", "1.4294967296"] {
            assert_eq!(text.parse::<Places>(), Err(NoPlaces), "{text:?}");
        }
    }

    #[test]
    fn a_place_covers_what_is_not_behind_it_in_any_stream_and_never_goes_back() {
        let places = |text: &str| text.parse::<Places>().unwrap();
        let mut own = places("5.0-7.2");
        assert!(own.covers(&places("5.0-7.2")) && own.covers(&places("4.9-7.1")));
        assert!(!own.covers(&places("5.1-7.2")) && !own.covers(&places("1.0-8.0")));
        own.pass(0, EventPlace { sequence: 4, index: 9 });
        own.pass(1, EventPlace { sequence: 8, index: 0 });
        assert_eq!(own, places("5.0-8.0"));
        own.pass_all(&places("6.0-1.0"));
        assert_eq!(own, places("6.0-8.0"));
        assert!(own.has_passed(1, EventPlace::start_of(8)) && !own.has_passed(1, EventPlace { sequence: 8, index: 1 }));
    }
}
