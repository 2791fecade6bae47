//! `flowtrail dead-letters`: what the views could not take in, and why.

use std::borrow::Cow;
use std::io::{BufWriter, Write, stdout};

use anyhow::Context;
use bus::Bus;
use model::dead_letter::{LIST, Letter, List, Listed, Outcome};
use model::log::AccountId;
use runtime::settings::Settings;

use crate::cli::DeadLetters;
use crate::client;
use crate::terminal::visible;

/// How many letters are asked for at once: some hundred kilobytes.
const PAGE: usize = 1000;

pub(crate) async fn show(settings: &Settings, command: &DeadLetters) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    let mut out = BufWriter::new(stdout().lock());
    let (mut before, mut left) = (None, command.limit);
    while left > 0 {
        let (account, open) = (command.account.clone(), !command.all);
        let wanted = List { account, open, before, limit: left.min(PAGE) };
        let Listed { letters, more, .. } = client::request(&bus, LIST, &wanted).await?;
        for letter in &letters {
            write_line(&mut out, letter, command.output.json).context("print the answer")?;
        }
        left -= letters.len().min(left);
        before = letters.last().map(|letter| letter.sequence).filter(|_| more);
        if before.is_none() {
            break;
        }
    }
    out.flush().context("print the answer")
}

/// All letters that nothing became of yet, oldest first.
///
/// # Errors
/// When nobody answers for the views.
pub(crate) async fn open(bus: &Bus, account: Option<&AccountId>) -> anyhow::Result<Vec<Letter>> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let wanted = List { account: account.cloned(), open: true, before, limit: PAGE };
        let Listed { letters, more, .. } = client::request(bus, LIST, &wanted).await?;
        all.extend(letters);
        before = all.last().map(|letter: &Letter| letter.sequence).filter(|_| more);
        if before.is_none() {
            all.reverse();
            return Ok(all);
        }
    }
}

fn write_line(out: &mut impl Write, letter: &Letter, as_json: bool) -> std::io::Result<()> {
    if as_json {
        return writeln!(out, "{}", serde_json::to_string(letter)?);
    }
    let Letter { time, subject, reason, outcome, .. } = letter;
    let outcome = outcome.map_or("open", Outcome::name);
    let (place, id, subject, reason) = (place(letter), id(letter), visible(subject), visible(reason));
    writeln!(out, "{place}\t{time}\t{subject}\t{id}\t{outcome}\t{reason}")
}

/// Where the event stands: its message's position and its place in the message.
pub(crate) fn place(letter: &Letter) -> String {
    format!("{}:{}", letter.position, letter.index)
}

/// The event's id, or that it could not be read.
pub(crate) fn id(letter: &Letter) -> Cow<'_, str> {
    letter.event_id.as_deref().map_or(Cow::Borrowed("-"), visible)
}
