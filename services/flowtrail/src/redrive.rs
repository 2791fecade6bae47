//! `flowtrail redrive`: brings events in again that the views could not take in, once the cause is mended.
//!
//! An event is published again only where it can be read now and the view does not know its id, on the subject on which
//! it came. What became of a letter is written behind it; of one that is refused again and did not move, nothing is
//! written, so trying again and again makes nothing grow.
//!
//! Invariant: nothing is doubled. To the broker, the view and the receivers it is the event with the id it always had.

use std::io::{Write, stdout};

use anyhow::{Context, bail, ensure};
use bus::Bus;
use feed::again::{Again, again};
use feed::write::{NewEvent, write};
use model::audit;
use model::dead_letter::{DeadLetter, Letter, Outcome, REDRIVEN, Redriven, redriven_subject};
use model::envelope::open_structured;
use model::event::Event;
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::time::Timestamp;
use runtime::clock;
use runtime::settings::Settings;
use views::audit::ById;

use crate::cli::Redrive;
use crate::client;
use crate::dead_letters::{id, open, place};
use crate::terminal::visible;

/// What became of a letter.
enum Became {
    /// The event is in its view, and stands here now.
    Accepted(LogPosition),
    Known,
    Gone,
    /// Still refused, with the reason; the letter stays open.
    Refused(String),
    /// Published here, and refused there.
    Moved(LogPosition, String),
}

/// How many letters came to each end.
#[derive(Default)]
struct Counts {
    accepted: u64,
    known: u64,
    gone: u64,
    refused: u64,
}

/// Says of each open letter what became of it; true: some were refused again.
pub(crate) async fn run(settings: &Settings, command: &Redrive) -> anyhow::Result<bool> {
    let bus = client::connect(settings).await?;
    let mut counts = Counts::default();
    for letter in open(&bus, command.account.as_ref()).await? {
        let became = drive(&bus, &letter).await.with_context(|| format!("drive {} again", place(&letter)))?;
        note(&bus, &letter, &became).await?;
        tell(&letter, &became, &mut counts).context("print the answer")?;
    }
    let Counts { accepted, known, gone, refused } = counts;
    writeln!(stdout(), "{accepted} accepted, {known} known already, {gone} gone from the log, {refused} refused again")
        .context("print the answer")?;
    Ok(refused > 0)
}

async fn drive(bus: &Bus, letter: &Letter) -> anyhow::Result<Became> {
    let position: LogPosition = letter.position.parse().context("read the letter's position")?;
    if !is_taken_again(position.stream) {
        let reason = format!(
            "events of this stream count in their order: only `flowtrail rebuild {}` reads them again",
            letter.view
        );
        return Ok(Became::Refused(reason));
    }
    let every = format!("flowtrail.v1.{}.>", position.stream.family());
    let found = bus.first_from(position.stream, &every, position.sequence).await?;
    let Some(message) = found.filter(|message| message.position == position) else { return Ok(Became::Gone) };
    let Again { account, event, outgoing } = match again(&message, letter.index) {
        Ok(again) => again,
        Err(unreadable) => return Ok(Became::Refused(unreadable.to_string())),
    };
    if let Event::Audit(event) = event
        && let Some(known) = client::ask(bus, ById { account: account.clone(), id: event.id.clone() }).await?
    {
        return Ok(as_known(&event, known));
    }
    let letters = Subject::dead_letter(&letter.view, &account);
    let last_letter = bus.last_on(&letters).await?.map_or(0, |message| message.position.sequence);
    let now_at = bus.publish(outgoing).await?.position;
    ensure!(client::shown_within(bus, now_at).await, "it was published as {now_at}, but the views do not keep up");
    match reason_at(bus, &letters, last_letter + 1, now_at).await? {
        Some(reason) => Ok(Became::Moved(now_at, reason)),
        None => Ok(Became::Accepted(now_at)),
    }
}

/// Whether an event of the stream may come in later than it did. Of integrations, accounts and saved
/// searches, each event is decided on those before it.
fn is_taken_again(stream: Stream) -> bool {
    match stream {
        Stream::Audit | Stream::Traffic | Stream::Directory => true,
        Stream::Integration | Stream::Access | Stream::Search | Stream::Delivery | Stream::DeadLetter => false,
    }
}

/// The view has the id: is it this event?
fn as_known(event: &audit::Event, mut known: audit::Event) -> Became {
    // An answer has names out of the directory where the event has none.
    let (given, shown) = (&event.given, &mut known.given);
    shown.actor_name.take_if(|_| given.actor_name.is_none());
    shown.actor_email.take_if(|_| given.actor_email.is_none());
    if known.says_the_same_as(event) {
        return Became::Known;
    }
    Became::Refused("id: is known already, with other content; the first stands".to_owned())
}

/// Why the view refused the message at a position, if it did: the reason of the letter about it.
async fn reason_at(
    bus: &Bus,
    letters: &Subject,
    mut from: u64,
    position: LogPosition,
) -> anyhow::Result<Option<String>> {
    while let Some(message) = bus.first_from(Stream::DeadLetter, &letters.to_string(), from).await? {
        from = message.position.sequence + 1;
        let event = open_structured(&message.payload)?;
        let letter: DeadLetter = serde_json::from_slice(&event.data)?;
        if letter.stream == position.stream.name() && letter.sequence == position.sequence {
            return Ok(Some(letter.reason));
        }
    }
    Ok(None)
}

/// Writes down what became of a letter, where that is an end.
async fn note(bus: &Bus, letter: &Letter, became: &Became) -> anyhow::Result<()> {
    let (outcome, position) = match became {
        Became::Accepted(position) => (Outcome::Accepted, Some(position)),
        Became::Known => (Outcome::Known, None),
        Became::Gone => (Outcome::Gone, None),
        Became::Moved(position, _) => (Outcome::Moved, Some(position)),
        Became::Refused(_) => return Ok(()),
    };
    let data = Redriven { letter: letter.sequence, outcome, position: position.map(ToString::to_string) };
    let Some(account) = account_of(letter) else { bail!("the letter's subject names no account") };
    let time = Timestamp::from_micros(clock::now_micros()).context("read the clock")?;
    let event = NewEvent {
        subject: redriven_subject(&account),
        id: &format!("redriven:{}", letter.sequence),
        source: "flowtrail/redrive",
        event_type: REDRIVEN,
        time,
        data: &data,
    };
    bus.publish(write(event)?).await.context("write down what became of it")?;
    Ok(())
}

/// The account that a letter is filed under.
fn account_of(letter: &Letter) -> Option<AccountId> {
    letter.subject.split('.').nth(3).map(AccountId::escaped)
}

fn tell(letter: &Letter, became: &Became, counts: &mut Counts) -> std::io::Result<()> {
    let (count, said) = match became {
        Became::Accepted(position) => (&mut counts.accepted, format!("accepted: it is {position} now")),
        Became::Known => (&mut counts.known, "known already".to_owned()),
        Became::Gone => (&mut counts.gone, "gone: the log holds its message no longer".to_owned()),
        Became::Refused(reason) => (&mut counts.refused, format!("refused again: {}", visible(reason))),
        Became::Moved(position, reason) => {
            (&mut counts.refused, format!("refused again, as {position}: {}", visible(reason)))
        }
    };
    *count += 1;
    writeln!(stdout(), "{}\t{}\t{said}", place(letter), id(letter))
}
