//! `flowtrail erase`: takes a person out of the views for good, and says where else they stand, and until when.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::time::Duration;

use anyhow::{Context, bail};
use bus::Bus;
use model::command::{Accepted, Command, ErasePerson};
use model::directory::Kind;
use model::erasure::{Erasure, Erasures};
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::time::Timestamp;
use projector::rebuild::Order;
use runtime::clock::{now_micros, random_bytes};
use runtime::settings::Settings;
use views::View;
use views::access::Users;
use views::person::{Known, Person};

use crate::{client, rebuild};

pub(crate) const EXAMPLES: &str = "Examples:\n  flowtrail erase --actor auth0|64f1c2 --dry-run\n  \
    flowtrail erase --account acme --actor alice --actor alice@example.com --yes";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account
    #[arg(long, default_value = "main", value_name = "ID")]
    account: AccountId,

    /// The person's id, as events have it: as actor, target or user. Given again: another one of theirs
    #[arg(long = "actor", required = true, value_name = "ID")]
    actors: Vec<String>,

    /// Say what would be erased, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// Do not compute the views again: the person is in none of their answers, and on their disk until that is done
    #[arg(long)]
    no_rebuild: bool,
}

/// Erases a person.
///
/// # Errors
/// When nobody answers for the views or takes commands, or it was not confirmed.
pub(crate) async fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    let account = &args.account;
    if let Some(empty) = args.actors.iter().find(|actor| actor.trim().is_empty()) {
        bail!("{empty:?} is nobody's id");
    }
    refuse_users(&bus, account, &args.actors).await?;
    let known = Known { account: account.clone(), ids: args.actors.clone() };
    let person = client::ask(&bus, known).await.context("look what is known of the person")?;
    let ids: BTreeSet<&str> =
        args.actors.iter().map(String::as_str).chain(person.emails.iter().map(String::as_str)).collect();
    let details = person.details.iter().map(String::as_str);
    let erasure = Erasure::new(random_bytes()?, ids.iter().copied(), details);
    let erasures = Erasures::new([(String::new(), erasure.clone())]);
    let letters = letters(&bus, account, &erasures).await?;
    let names = names(&bus, account, &args.actors).await?;
    tell(&person, letters.len(), args)?;
    if args.dry_run {
        return Ok(());
    }
    confirm(args)?;

    let id = erase(&bus, ErasePerson { account: account.clone(), person: erasure, by: client::operator() }).await?;
    for position in letters.into_iter().chain(names) {
        bus.erase(position).await.context("erase a message of the log")?;
    }
    say(&format!("erased: {id}. No answer names the person from now on, and no delivery that begins"))?;
    if !args.no_rebuild {
        for view in View::ALL.into_iter().filter(|view| view.erases()) {
            rebuild::order_anew(&bus, Order { view, accept_loss: false })
                .await
                .with_context(|| format!("rebuild the {view} view"))?;
        }
        say("the views' files do not hold the person any more")?;
    } else {
        say(
            "the views' files hold the person until `flowtrail rebuild` has computed audit, traffic and directory again",
        )?;
    }
    tell_what_stays(&bus, &person).await
}

/// Who may sign in is deleted first: what is erased of them would come back with the next sign-in.
async fn refuse_users(bus: &Bus, account: &AccountId, actors: &[String]) -> anyhow::Result<()> {
    let users = client::ask(bus, Users { account: account.clone() }).await?;
    let is_meant = |text: &str| actors.iter().any(|actor| actor.eq_ignore_ascii_case(text));
    if let Some(user) = users.iter().find(|user| is_meant(&user.id) || is_meant(&user.email)) {
        bail!("{} may sign in here; first: flowtrail user delete {} --account {account}", user.id, user.email);
    }
    Ok(())
}

/// The dead letters that name the person.
async fn letters(bus: &Bus, account: &AccountId, erasures: &Erasures) -> anyhow::Result<Vec<LogPosition>> {
    let (filter, mut next, mut found) = (feed::tail::filter(Stream::DeadLetter, account), 1, Vec::new());
    while let Some(message) = bus.first_from(Stream::DeadLetter, &filter, next).await.context("read dead letters")? {
        next = message.position.sequence + 1;
        if erasures.are_named_in(&String::from_utf8_lossy(&message.payload)) {
            found.push(message.position);
        }
    }
    Ok(found)
}

/// The entries of the directory that are about the person: the log keeps the last of each for ever.
async fn names(bus: &Bus, account: &AccountId, actors: &[String]) -> anyhow::Result<Vec<LogPosition>> {
    let mut found = Vec::new();
    for actor in actors {
        for kind in Kind::ALL {
            let messages =
                bus.load(&Subject::directory(account, kind.name(), actor)).await.context("read the directory")?;
            found.extend(messages.iter().map(|message| message.position));
        }
    }
    Ok(found)
}

/// Says how much is touched.
fn tell(person: &Person, letters: usize, args: &Args) -> anyhow::Result<()> {
    let Person { emails, details, done, suffered, records, entries, kept_for_ever: _ } = person;
    let account = &args.account;
    say(&format!("of {} in the account {account}:", args.actors.join(", ")))?;
    for (count, what) in [
        (*done, "audit events by them"),
        (*suffered, "audit events about them"),
        (*records, "traffic records of theirs"),
        (*entries, "entries of the directory"),
        (letters as u64, "dead letters that name them"),
        ((emails.len() + details.len()) as u64, "other names and addresses of theirs, looked for in all of these"),
    ] {
        say(&format!("{count:>12}  {what}"))?;
    }
    Ok(())
}

fn confirm(args: &Args) -> anyhow::Result<()> {
    if args.yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        bail!("this erases for good; add --yes to do it");
    }
    let first = args.actors.first().map(String::as_str).unwrap_or_default();
    write!(stdout(), "This erases for good. Type {first} to do it: ").and_then(|()| stdout().flush())?;
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("read the confirmation")?;
    if line.trim_end_matches(['\r', '\n']) != first {
        bail!("nothing was erased");
    }
    Ok(())
}

/// Publishes the erasure, and waits until every view keeps to it.
async fn erase(bus: &Bus, command: ErasePerson) -> anyhow::Result<String> {
    let subject = format!("flowtrail.command.{}", ErasePerson::PATH);
    let accepted: Accepted<String> = client::request(bus, &subject, &command).await.context("erase the person")?;
    if let Some(position) = accepted.position {
        // However many rows are gone through: it is in the log, so who ends this ends the waiting alone.
        while !client::shown_within(bus, position).await {
            say("the views are going through their rows")?;
        }
    }
    Ok(accepted.done)
}

/// Says where the person stands yet, and until when.
async fn tell_what_stays(bus: &Bus, person: &Person) -> anyhow::Result<()> {
    say("what stays, and until when:")?;
    for stream in [Stream::Audit, Stream::Traffic] {
        let age = bus.retention(stream).await?.age;
        let until = age.and_then(after).map_or_else(
            || "for ever, as it keeps all; `flowtrail retention` changes that".to_owned(),
            |time| format!("until {time} at the latest, by its retention"),
        );
        say(&format!("  the log's {stream}: {until}"))?;
    }
    if person.kept_for_ever > 0 {
        let count = person.kept_for_ever;
        say(&format!("  the log's FLOWTRAIL_INTEGRATION and FLOWTRAIL_ACCESS: {count} events by them, for ever"))?;
    }
    say("  backups: as long as they are kept. After one from before today was restored, erase again")?;
    say("  what receivers have got, and batches whose sending had begun: out of reach")
}

fn after(age: Duration) -> Option<Timestamp> {
    let second = now_micros().checked_add_unsigned(u64::try_from(age.as_micros()).ok()?)? / 1_000_000;
    Timestamp::from_micros(second * 1_000_000).ok()
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(stdout(), "{line}").context("print the answer")
}
