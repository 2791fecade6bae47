//! Listing the dead letters of the views.
//!
//! Invariant: an account sees a letter only where the subject of the message names it. A letter is filed under some
//! account also where nobody knows whose it is, and then the operator alone sees it. A letter that was written again,
//! such as when a view came up empty beside a log that was restored, is listed once, as the first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use bus::{Bus, LoadError, Message, Selection};
use model::dead_letter::{DeadLetter, Letter, List, Listed, Outcome, Redriven, redriven_filter};
use model::envelope::open_structured;
use model::log::{AccountId, Stream};
use model::time::Timestamp;
use serde::de::DeserializeOwned;
use views::View;

/// How many messages are read at once, and how many bytes of them.
const MESSAGES: usize = 500;
const MESSAGE_BYTES: usize = 4 << 20;
/// How long the next messages may take.
const READS_WITHIN: Duration = Duration::from_secs(5);

/// The letters that are asked for.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn list(bus: &Bus, wanted: &List) -> Result<Listed, LoadError> {
    let outcomes = outcomes(bus, wanted.account.as_ref()).await?;
    let mut listed = Listed { total: 0, letters: Vec::new(), more: false, as_of: 0 };
    let (mut newest, mut seen) = (VecDeque::new(), HashSet::new());
    let filter = format!("flowtrail.v1.dead_letter.*.{}", wanted.account.as_ref().map_or("*", AccountId::as_str));
    // The log is read from its beginning, since it cannot be read backwards; only the newest are held.
    each(bus, filter, |message| {
        listed.as_of = message.position.sequence;
        let Some(letter) = letter(message, wanted, &outcomes, &mut seen) else { return };
        listed.total += 1;
        if wanted.before.is_some_and(|before| letter.sequence >= before) {
            return;
        }
        newest.push_back(letter);
        if newest.len() > wanted.limit {
            newest.pop_front();
            listed.more = true;
        }
    })
    .await?;
    listed.letters = newest.into_iter().rev().collect();
    Ok(listed)
}

/// What a letter is about: the view, and the event's stream, sequence, index and time, which differs where a lost log was
/// begun again.
type About = (View, Stream, u64, usize, Timestamp);

/// The letter in a message, if it is one of those that are asked for and was not seen before.
fn letter(
    message: &Message,
    wanted: &List,
    outcomes: &HashMap<u64, Outcome>,
    seen: &mut HashSet<About>,
) -> Option<Letter> {
    let (time, letter): (_, DeadLetter) = read(message)?;
    let view = View::ALL.into_iter().find(|view| view.name() == letter.view)?;
    // Of a stream that is not known nothing can be told apart.
    let about = letter.stream.parse().ok().map(|stream| (view, stream, letter.sequence, letter.index, time));
    if about.is_some_and(|about| !seen.insert(about)) {
        return None;
    }
    let is_theirs = wanted.account.is_none() || letter.account() == wanted.account;
    let sequence = message.position.sequence;
    let outcome = outcomes.get(&sequence).copied();
    if !is_theirs || (wanted.open && outcome.is_some()) {
        return None;
    }
    let DeadLetter { view, stream, sequence: place, index, subject, event_id, reason } = letter;
    let position = format!("{stream}:{place}");
    Some(Letter { sequence, time, view, stream, position, index, subject, event_id, reason, outcome })
}

/// What became of letters, by their sequence.
async fn outcomes(bus: &Bus, account: Option<&AccountId>) -> Result<HashMap<u64, Outcome>, LoadError> {
    let mut outcomes = HashMap::new();
    each(bus, redriven_filter(account), |message| {
        if let Some((_, Redriven { letter, outcome, .. })) = read(message) {
            outcomes.insert(letter, outcome);
        }
    })
    .await?;
    Ok(outcomes)
}

/// Reads all messages that match a filter and are there now.
async fn each(bus: &Bus, filter: String, mut take: impl FnMut(&Message)) -> Result<(), LoadError> {
    let stream = Stream::DeadLetter;
    let total = bus.count_from(stream, &filter, 1).await?;
    let mut consumer = bus.consume_selected(stream, Selection { filter: Some(filter), thrifty: true }, 0);
    let mut seen = 0;
    while seen < total {
        let messages = consumer.next_batch(MESSAGES, MESSAGE_BYTES, READS_WITHIN).await;
        let messages = messages.map_err(|error| LoadError::Unreachable(error.into()))?;
        seen += messages.len() as u64;
        messages.iter().for_each(&mut take);
        // Some of those that were counted may be gone since: at the end nothing more is waited for.
        if messages.is_empty() || consumer.pending() == Some(0) {
            break;
        }
    }
    Ok(())
}

/// The data of an event of this stream, and the event's time.
fn read<D: DeserializeOwned>(message: &Message) -> Option<(Timestamp, D)> {
    let event = open_structured(&message.payload).ok()?;
    Some((event.time.unwrap_or(Timestamp::EPOCH), serde_json::from_slice(&event.data).ok()?))
}
