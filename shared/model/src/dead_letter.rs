//! Dead letters: what could not be projected or delivered, and why; what became of those that were driven again; and
//! how the projector is asked for those of the views.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::{AccountId, Stream, Subject};
use crate::time::Timestamp;

/// The CloudEvents type of [`DeadLetter`].
pub const RECORDED: &str = "flowtrail.dead_letter.recorded.v1";
/// The CloudEvents type of [`Redriven`].
pub const REDRIVEN: &str = "flowtrail.dead_letter.redriven.v1";
/// The subject on which the projector is asked for dead letters: the request is a [`List`], the answer a [`Listed`].
pub const LIST: &str = "flowtrail.query.dead_letters";

/// Stands where the name of a view does, in the subject of what became of letters.
const REDRIVEN_TOKEN: &str = "redriven";

/// The `data` of a dead letter. The message itself stays in its stream, at the place named here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// The view that could not take it in.
    pub view: String,
    /// The stream that holds it.
    pub stream: String,
    /// The sequence of its message in that stream.
    pub sequence: u64,
    /// Its place in a batch, from 0.
    pub index: usize,
    /// The subject it came on.
    pub subject: String,
    /// Its event id, where that much could be read.
    pub event_id: Option<String>,
    /// Why, in words for the publisher.
    pub reason: String,
}

impl DeadLetter {
    /// The account that it belongs to: that of the subject which the message came on. None where that is no subject of
    /// Flowtrail, so that nobody knows whose it is: the operator's.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        Subject::parse(&self.subject).ok().map(|subject| subject.account().clone())
    }
}

/// The `data` of what became of a dead letter of a view when it was driven again. A letter that was refused again and
/// is where it was has none: nothing is written however often it is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redriven {
    /// The letter's own sequence in the stream of dead letters.
    pub letter: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// Where its event stands now, such as `FLOWTRAIL_AUDIT:42`; none where it was not published again.
    pub position: Option<String>,
}

/// What became of a dead letter that was driven again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The event was published again and is in the view.
    Accepted,
    /// The view has the event already: it came in by another way.
    Known,
    /// The event was published again, and the view refused it there: another letter says why.
    Moved,
    /// The log holds the message no longer.
    Gone,
}

impl Outcome {
    /// As JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Known => "known",
            Self::Moved => "moved",
            Self::Gone => "gone",
        }
    }
}

/// The subject of what became of an account's letters.
#[must_use]
pub fn redriven_subject(account: &AccountId) -> Subject {
    Subject::dead_letter(REDRIVEN_TOKEN, account)
}

/// The subjects of what became of letters, as a filter: an account's, or everybody's.
#[must_use]
pub fn redriven_filter(account: Option<&AccountId>) -> String {
    let family = Stream::DeadLetter.family();
    format!("flowtrail.v1.{family}.{REDRIVEN_TOKEN}.{}", account.map_or("*", AccountId::as_str))
}

/// Asks for the dead letters of the views, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// Whose. None: everybody's, and those of which nobody knows whose they are.
    pub account: Option<AccountId>,
    /// Only those that nothing became of yet.
    pub open: bool,
    /// Only letters before this sequence of the stream of dead letters.
    pub before: Option<u64>,
    /// How many at most.
    pub limit: usize,
}

/// Dead letters of the views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// How many there are on all pages.
    pub total: usize,
    /// The newest of those that were asked for, newest first.
    pub letters: Vec<Letter>,
    /// Whether there are more behind the last one.
    pub more: bool,
    /// The last sequence of the stream that was looked at.
    pub as_of: u64,
}

/// A dead letter of a view, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeadLetterOfView")]
pub struct Letter {
    /// The letter's own sequence in the stream of dead letters.
    pub sequence: u64,
    /// When the log received the message.
    pub time: Timestamp,
    /// The view that could not take the event in.
    pub view: String,
    /// The stream that holds the message.
    pub stream: String,
    /// Where the message stands, such as `FLOWTRAIL_AUDIT:42`.
    pub position: String,
    /// The event's place in it, from 0.
    pub index: usize,
    /// The subject it came on.
    pub subject: String,
    /// The event's id, where that much could be read.
    pub event_id: Option<String>,
    /// Why the view does not take it in.
    pub reason: String,
    /// What became of it when it was driven again; null: nothing yet.
    pub outcome: Option<Outcome>,
}
