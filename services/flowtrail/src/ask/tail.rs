//! `flowtrail tail`: events as they arrive, however often the connection is lost.
//!
//! Invariant: each event is printed once, and in the order of the log: a new connection goes on behind the last id that came,
//! which is that of the last event that was printed or a place behind it with nothing to print in between.

use std::fmt::Display;
use std::io::{BufWriter, IsTerminal, StdoutLock, Write, stderr, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{FutureExt, StreamExt};
use humantime::format_duration;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Response};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use sse_stream::{Sse, SseStream};
use tokio::signal::ctrl_c;
use tokio::time::{interval, sleep};

use super::api::{Access, Api, NoAnswer};
use super::{Family, Wanted, table};
use crate::output::Output;
use crate::terminal::visible;

/// Questions that can be asked as they stand here.
pub(crate) const EXAMPLES: &str = "\
Examples:
  flowtrail tail audit
  flowtrail tail audit 'status:(failure OR denied) -actor_type:system'
  flowtrail tail traffic 'drops:>0 dst:10.0.0.0/8' --json
  FLOWTRAIL_TOKEN=... flowtrail tail audit --url https://flowtrail.example.com | tee audit.ndjson

Exit codes: 0 it was stopped, or nobody reads it any more, 1 nobody answers, it is refused or the token ends, 2 the
command line is wrong.";

/// Something comes every 10 seconds, at least a comment. A connection that is silent for longer is lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before asking again, until the service says it.
const PAUSE: Duration = Duration::from_secs(1);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often it is looked whether anybody reads what is printed.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which family
    #[arg(value_enum)]
    family: Family,

    #[command(flatten)]
    wanted: Wanted,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    access: Access,
}

/// Prints what arrives, until it is stopped: lines of columns on a terminal, a JSON object a line for everybody else.
///
/// # Errors
/// When it is refused, or cannot be asked for or printed.
pub(crate) async fn run(args: &Args, data_dir: &Path) -> anyhow::Result<()> {
    let api = Api::new(&args.access, data_dir, PATIENCE)?;
    let mut tail = Tail { api, args, printing: Printing::new(args), last: None, pause: PAUSE, next_pause: PAUSE };
    tokio::select! {
        stopped = ctrl_c() => stopped.context("wait for Ctrl-C"),
        () = nobody_reads() => Ok(()),
        followed = tail.follow() => followed,
    }
}

struct Tail<'a> {
    api: Api,
    args: &'a Args,
    printing: Printing,
    /// Where a new connection goes on; none before the first that got in.
    last: Option<HeaderValue>,
    /// How long the service wants one to wait who comes back.
    pause: Duration,
    /// The same, and longer each time that there was no answer.
    next_pause: Duration,
}

/// Why there is nothing more to read, though there will be.
enum Ended {
    /// In words.
    Lost(String),
    /// So many events came faster than they were read. They are in the log.
    Overflow(u64),
}

impl Tail<'_> {
    async fn follow(&mut self) -> anyhow::Result<()> {
        loop {
            let ended = match self.connect().await {
                Ok(answer) => self.tell(answer).await?,
                // Who never got in is told so; else it may be that the service is starting again.
                Err(failure) if self.last.is_none() || failure.is_final() => return Err(failure.into()),
                Err(failure) => Ended::Lost(format!("{:#}", anyhow::Error::from(failure))),
            };
            self.printing.flush()?;
            match ended {
                Ended::Overflow(lost) => {
                    say(format_args!("{lost} events came faster than they were read; going back to them"))?;
                }
                Ended::Lost(why) if self.last.is_none() => bail!(why),
                Ended::Lost(why) => {
                    say(format_args!("{}; trying again in {}", visible(&why), format_duration(self.next_pause)))?;
                    sleep(self.next_pause).await;
                    self.next_pause = (2 * self.next_pause).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<Response, NoAnswer> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, EVENT_STREAM)]);
        headers.extend(self.last.clone().map(|last| (LAST_EVENT_ID, last)));
        self.api.open(&self.args.family.path_of("tail"), &self.args.wanted.parameters(), headers).await
    }

    /// Prints what an answer tells, to its end.
    async fn tell(&mut self, answer: Response) -> anyhow::Result<Ended> {
        match self.last {
            None => self.printing.begin()?,
            Some(_) => say("connected again; it goes on where it was")?,
        }
        let mut events = SseStream::new(Body::from(answer));
        loop {
            let next = match events.next().now_or_never() {
                Some(next) => next,
                None => {
                    // What is printed does not wait for what comes next.
                    self.printing.flush()?;
                    events.next().await
                }
            };
            let event = match next {
                Some(Ok(event)) => event,
                Some(Err(sse_stream::Error::Body(cause))) => {
                    return Ok(Ended::Lost(format!("the connection is lost: {}", root(&*cause))));
                }
                Some(Err(error)) => return Err(error).context("read the events; is it a Flowtrail?"),
                None => return Ok(Ended::Lost("the connection was closed".to_owned())),
            };
            if let Some(ended) = self.take(event)? {
                return Ok(ended);
            }
        }
    }

    /// Takes one event; says where it is the last.
    fn take(&mut self, Sse { event, data, id, retry }: Sse) -> anyhow::Result<Option<Ended>> {
        if let Some(millis) = retry {
            self.pause = Duration::from_millis(millis).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        }
        self.next_pause = self.pause;
        match (event.as_deref(), data) {
            (None, Some(item)) => self.printing.item(&item)?,
            (Some("overflow"), Some(data)) => return Ok(Some(Ended::Overflow(read::<Overflow>(&data)?.lost))),
            (Some("end"), Some(data)) => return end(&read::<End>(&data)?.reason).map(Some),
            // A place alone, or what only later versions tell.
            (None | Some(_), None) | (Some(_), Some(_)) => {}
        }
        if let Some(id) = id {
            self.last = Some(HeaderValue::try_from(id).context("read the id of an event")?);
        }
        Ok(None)
    }
}

#[derive(Deserialize)]
struct Overflow {
    lost: u64,
}

#[derive(Deserialize)]
struct End {
    reason: String,
}

fn read<'a, T: Deserialize<'a>>(data: &'a str) -> anyhow::Result<T> {
    serde_json::from_str(data).context("read what the service says")
}

/// What follows from the reason for which the service ends an answer.
fn end(reason: &str) -> anyhow::Result<Ended> {
    Ok(Ended::Lost(match reason {
        "token" => bail!("the token is not valid any more; say with FLOWTRAIL_TOKEN who asks"),
        "stop" => "the service stops".to_owned(),
        "log" => "the service cannot follow its log any more".to_owned(),
        other => format!("the service ends it: {other}"),
    }))
}

/// What is behind an error in the end.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    anyhow::Chain::new(error).last().map(ToString::to_string).unwrap_or_default()
}

fn say(text: impl Display) -> anyhow::Result<()> {
    writeln!(stderr(), "{text}").context("say what happens")
}

/// Comes back when what is printed can be read by nobody any more: where nothing is printed for long, that would not be
/// noticed otherwise.
async fn nobody_reads() {
    let (stdout, mut looks) = (stdout(), interval(LOOKS_EVERY));
    loop {
        looks.tick().await;
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        let is_known = poll(&mut asked, Some(&Timespec::default())).is_ok();
        if is_known && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return;
        }
    }
}

/// Where events are printed.
struct Printing {
    out: BufWriter<StdoutLock<'static>>,
    /// Of what there are columns; none: it is for programs.
    in_columns: Option<Family>,
}

impl Printing {
    fn new(args: &Args) -> Self {
        let out = stdout().lock();
        let in_columns = (out.is_terminal() && !args.output.json).then_some(args.family);
        Self { out: BufWriter::new(out), in_columns }
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        if let Some(family) = self.in_columns {
            writeln!(self.out, "{}", table::head(family)).context("print the names of the columns")?;
        }
        Ok(())
    }

    fn item(&mut self, item: &str) -> anyhow::Result<()> {
        match self.in_columns {
            Some(family) => writeln!(self.out, "{}", table::line(family, item)?),
            None => writeln!(self.out, "{item}"),
        }
        .context("print an event")
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.out.flush().context("print events")
    }
}
