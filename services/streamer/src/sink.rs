//! A sink: makes one attempt to deliver one planned batch, and says what is worth trying again.
//!
//! Invariant: no retry, no waiting and no batching here; and what is sent for a plan follows from the plan and its
//! items alone, so that a second attempt carries the same bytes under the same name.

use std::fmt;
use std::time::Duration;

use model::log::{AccountId, Stream};
use model::time::Timestamp;
use model::{audit, traffic};

pub use crate::sinks::Sink;

/// One event on its way to a receiver.
#[derive(Clone, Debug)]
pub struct Item {
    /// The event id: the same in every attempt, so that a receiver can tell what it has.
    pub id: String,
    /// The stream it stands in.
    pub stream: Stream,
    /// The sequence of its message there.
    pub sequence: u64,
    /// Its place in the message, from 0.
    pub index: u32,
    /// Whose it is.
    pub account: AccountId,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Who did what.
    Audit(Box<audit::Event>),
    /// What talked to what.
    Traffic(Box<traffic::Report>),
}

/// The place of an event in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The sequence of its message.
    pub sequence: u64,
    /// Its place in the message, from 0.
    pub index: u32,
}

/// A batch as it was decided and recorded before its first attempt. Its items are all of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The stream that all its items stand in.
    pub stream: Stream,
    /// Its first item.
    pub first: Place,
    /// Its last item.
    pub last: Place,
}

/// How large a batch may get, and how long one may wait to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many items.
    pub items: usize,
    /// The sum of what [`Sink::size`] says of them.
    pub bytes: usize,
    /// How long the first item may wait for more.
    pub wait: Duration,
}

/// Why something was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may work later.
    Retry {
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
        /// The HTTP status, where there was an answer.
        status: Option<u16>,
        /// Why, for people; holds nothing of an answer's body.
        reason: String,
    },
    /// The receiver takes no batch of this size: smaller ones may work, and a single item never will.
    TooLarge,
    /// The receiver does not take this content, and never will: a dead letter.
    Refused {
        /// The HTTP status, where there was an answer.
        status: Option<u16>,
        /// Why, for people.
        reason: String,
    },
    /// Credentials or configuration: nothing works until a person changes something.
    Stop {
        /// The HTTP status, where there was an answer.
        status: Option<u16>,
        /// Why and what to do, for people.
        reason: String,
    },
    /// Not tried, because an item before it did not arrive and the order counts: goes with the next attempt.
    Untried,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every item arrived.
    Delivered,
    /// The batch as a whole failed; an unknown part of it may have arrived.
    Failed(Failure),
    /// These items did not arrive, each for its own reason, by their index in the batch, ascending. All others did.
    Partly(Vec<(usize, Failure)>),
}

impl Kind {
    /// The name of the family: `audit` or `traffic`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Audit(_) => "audit",
            Self::Traffic(_) => "traffic",
        }
    }
}

impl Failure {
    pub(crate) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { after: None, status: None, reason: reason.into() }
    }

    pub(crate) fn stop(reason: impl Into<String>) -> Self {
        Self::Stop { status: None, reason: reason.into() }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { status: None, reason: reason.into() }
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Retry { status, .. } | Self::Refused { status, .. } | Self::Stop { status, .. } => *status,
            Self::TooLarge | Self::Untried => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry { reason, .. } | Self::Refused { reason, .. } | Self::Stop { reason, .. } => {
                formatter.write_str(reason)
            }
            Self::TooLarge => formatter.write_str("too large for the receiver"),
            Self::Untried => formatter.write_str("waits for the one before it"),
        }
    }
}

impl Outcome {
    /// Of one request for all items.
    pub(crate) fn of(result: Result<(), Failure>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Delivered)
    }

    /// Of items that failed one by one; none: all arrived.
    pub(crate) fn partly(mut failures: Vec<(usize, Failure)>) -> Self {
        failures.sort_unstable_by_key(|(index, _)| *index);
        if failures.is_empty() { Self::Delivered } else { Self::Partly(failures) }
    }
}

impl Item {
    /// Whether it is no event of the log but a test of the receiver.
    pub(crate) const fn is_test(&self) -> bool {
        self.sequence == 0
    }

    /// Its place in its stream.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { sequence: self.sequence, index: self.index }
    }
}

/// Stands before everything in the log, so that it is no event's place.
pub(crate) fn test_event(account: &AccountId) -> (Plan, Item) {
    let place = Place { sequence: 0, index: 0 };
    let time = Timestamp::from_micros(runtime::clock::now_micros()).unwrap_or(Timestamp::EPOCH);
    // Of the moment, so that a receiver that knows ids takes the second test as it took the first.
    let id = format!("flowtrail-test-{}", time.micros());
    let event = audit::Event {
        id: id.clone(),
        time,
        time_given: true,
        event_type: "integration.test".to_owned(),
        source: "flowtrail".to_owned(),
        given: audit::Fields { activity: Some("Flowtrail test event".to_owned()), ..audit::Fields::default() },
    };
    let kind = Kind::Audit(Box::new(event));
    let item = Item { id, stream: Stream::Audit, sequence: 0, index: 0, account: account.clone(), time, kind };
    (Plan { stream: Stream::Audit, first: place, last: place }, item)
}
