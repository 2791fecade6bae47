//! What a sink is given and what it answers. A sink makes one attempt to deliver a batch, and says what is worth trying
//! again.
//!
//! Invariant: a sink does not retry, wait or batch; and what it sends follows from the items alone, so that a second
//! attempt carries the same bytes under the same name and a receiver can tell it from a new batch.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use model::delivery::EventPlace;
use model::log::{AccountId, Stream};
use model::time::Timestamp;
use model::{audit, traffic};

/// One event on its way to a receiver.
#[derive(Clone, Debug)]
pub struct Item {
    /// The event id: the same in every attempt, so that a receiver can tell what it has.
    pub id: String,
    /// The stream it stands in.
    pub stream: Stream,
    /// The sequence of its message there.
    pub sequence: u64,
    /// Which event of its message, from 0.
    pub index: u32,
    /// The account it belongs to; from its subject.
    pub account: AccountId,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// What its sink makes of it.
    pub rendered: Rendered,
}

/// An event as its sink sends it, made once: to know how much room it takes, and for every attempt.
///
/// Invariant: an item is for one sink under one configuration, so that there is one form of it.
#[derive(Clone, Debug, Default)]
pub struct Rendered(OnceLock<Box<[u8]>>);

impl Rendered {
    /// The bytes, made now where they were not before.
    pub(crate) fn get(&self, make: impl FnOnce() -> Vec<u8>) -> &[u8] {
        self.0.get_or_init(|| make().into_boxed_slice())
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Who did what.
    Audit(Box<audit::Event>),
    /// What talked to what.
    Traffic(Box<traffic::Report>),
}

/// What is sent apart: items of one partition go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    /// Which part of time.
    pub(crate) part: i64,
    /// Which kind of events.
    pub(crate) kind: &'static str,
}

/// How large a batch may get, and how long one may wait to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many items.
    pub items: usize,
    /// The sum of what [`crate::sinks::Sink::size`] says of them.
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
        /// Why, for people; holds nothing of an answer's body but the name of an error.
        reason: String,
    },
    /// The receiver takes no batch of this size: smaller ones may work, and a single item never will.
    TooLarge,
    /// The receiver does not take this content, and never will: a dead letter.
    Refused {
        /// The HTTP status, where there was an answer.
        status: Option<u16>,
        /// Why, for people. Of an answer's body it holds at most what its service calls its message, shortened.
        reason: String,
    },
    /// Credentials or configuration: nothing works until a person changes something.
    Stop {
        /// The HTTP status, where there was an answer.
        status: Option<u16>,
        /// Why and what to do, for people; of an answer's body as little.
        reason: String,
    },
    /// Not taken, for no reason of its own: because an item before it did not arrive and the order counts, or because
    /// the receiver takes no batch with the one that it refused. Goes with the next attempt.
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
    /// All but so many items arrived. The receiver refused those for good and does not say which they are, so nothing
    /// of the batch may be sent again: most of it would arrive twice.
    SomeRefused {
        /// How many; at least one, and fewer than there are items.
        count: usize,
        /// The HTTP status.
        status: Option<u16>,
        /// Why, for people.
        reason: String,
    },
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

    /// With more of what the receiver said, where it refused something for good: that a person has to mend.
    pub(crate) fn explained(mut self, more: &str) -> Self {
        match &mut self {
            Self::Refused { reason, .. } | Self::Stop { reason, .. } => reason.push_str(more.trim_end()),
            Self::Retry { .. } | Self::TooLarge | Self::Untried => {}
        }
        self
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
            Self::Untried => formatter.write_str("waits for another one"),
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
    pub(crate) const fn place(&self) -> EventPlace {
        EventPlace { sequence: self.sequence, index: self.index }
    }
}

/// An event that tests a receiver. Its sequence is 0, which no event of the log has.
pub(crate) fn test_event(account: &AccountId) -> Item {
    let time = Timestamp::from_micros(runtime::clock::now_micros()).unwrap_or(Timestamp::EPOCH);
    // Of the moment, so that a receiver that knows ids takes the second test as it took the first.
    let id = format!("flowtrail-test-{}", time.micros());
    let event = audit::Event {
        id: id.clone(),
        time,
        time_given: true,
        event_type: "integration.test".to_owned(),
        source: "flowtrail".to_owned(),
        given: Box::new(audit::Fields { activity: Some("integration test".to_owned()), ..audit::Fields::default() }),
    };
    let kind = Kind::Audit(Box::new(event));
    let rendered = Rendered::default();
    Item { id, stream: Stream::Audit, sequence: 0, index: 0, account: account.clone(), time, kind, rendered }
}
