//! Firehose, behind a proxy that keeps its limits and fails: every record arrives, and only what may have been sent
//! comes again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use testkit::{Moto, StandIn, User};

use super::{PREFIX, all_ids, firehose, has_delivered, integrate, kills_and_events};
use crate::drill::{publish_under_fire, random_below};
use crate::flowtrail::{Flowtrail, Topology};

/// What the proxy says of a request, or that everything was killed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Mark { mark: String },
    Request(Request),
}

#[derive(Debug, Deserialize)]
struct Request {
    fault: String,
    ids: Vec<String>,
    stored: Vec<String>,
    told: Vec<String>,
    broken: Option<String>,
}

async fn start_proxy(moto: &Moto, journal: &Path, seed: u64) -> StandIn {
    let journal = journal.to_str().unwrap().to_owned();
    let User { access_key, secret_key } = moto.proxy.clone();
    let url = moto.url.clone();
    let arguments = [journal, seed.to_string(), access_key, secret_key];
    StandIn::start_program("firehose_proxy.py", |port| [&[port.to_string(), url.clone()], &arguments[..]].concat())
        .await
}

fn read_journal(journal: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(journal).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How often each id is in the bucket that the delivery stream writes into.
async fn in_the_bucket(moto: &Moto) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for object in moto.objects("records").await {
        for line in object["text"].as_str().unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            *times.entry(record["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    times
}

/// Which records may be there twice. A record that was stored and told to be stored is sent again only when everything
/// was killed since, and only as a part of the batch that was being sent then.
#[derive(Default)]
struct Rules<'a> {
    /// Stored, and for all the sender knows.
    known: BTreeSet<&'a str>,
    /// The request before, in this life.
    last: Option<&'a Request>,
    /// After a kill, until something of before it comes again: the last request of that life.
    before_kill: Option<&'a Request>,
    /// How many that were told to be stored came again.
    again: usize,
}

impl<'a> Rules<'a> {
    fn hold_for(&mut self, request: &'a Request) {
        assert_eq!(request.broken, None, "a limit is broken");
        let again = request.ids.iter().filter(|id| self.known.contains(id.as_str())).count();
        if again > 0 {
            let unfinished = self.before_kill.expect("what was told to be stored comes again only after a kill");
            let is_the_same_batch = unfinished.ids.iter().all(|id| request.ids.contains(id));
            assert!(is_the_same_batch, "only the batch that was being sent comes again");
            self.again += again;
        }
        // The first batch of a life is the unfinished one, of which this life knows nothing yet.
        self.before_kill = None;
        for id in &request.ids {
            self.known.remove(id.as_str());
        }
        self.known.extend(request.told.iter().map(String::as_str));
        self.last = Some(request);
    }
}

#[tokio::test]
async fn killed_at_any_moment_every_record_reaches_firehose_and_only_those_that_may_have_been_sent_come_again() {
    let [kills, count] = kills_and_events();
    let moto = Moto::start().await;
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let journal = flowtrail.directory.path().join("firehose");
    let seed = random_below(u64::MAX);
    println!("seed {seed}");
    let proxy = start_proxy(&moto, &journal, seed).await;
    let integration = integrate(&flowtrail, &firehose(&proxy.url(), &moto.writer)).await;
    let mark = format!("{}/mark?killed", proxy.url());
    let http = reqwest::Client::new();
    publish_under_fire(&mut flowtrail, PREFIX, [kills, count], async || {
        // Answered when nothing of the life that ended is under way any more.
        assert_eq!(http.post(&mark).send().await.unwrap().status(), 200);
    })
    .await;
    has_delivered(&flowtrail, &integration).await;
    flowtrail.stop();

    let lines = read_journal(&journal);
    let mut times = BTreeMap::<String, usize>::new();
    let (mut rules, mut faults) = (Rules::default(), BTreeMap::<&str, usize>::new());
    for line in &lines {
        match line {
            Line::Mark { mark } => {
                assert_eq!(mark, "killed");
                rules.before_kill = rules.last.take().or(rules.before_kill);
            }
            Line::Request(request) => {
                rules.hold_for(request);
                *faults.entry(&request.fault).or_default() += 1;
                for id in &request.stored {
                    *times.entry(id.clone()).or_default() += 1;
                }
            }
        }
    }
    let found = times.keys().filter(|id| id.starts_with(PREFIX)).cloned().collect::<BTreeSet<_>>();
    assert!(found == all_ids(count), "{} of {count} are there", found.len());
    assert_eq!(in_the_bucket(&moto).await, times, "the bucket has what the proxy let through");
    let copies: usize = times.values().sum();
    println!(
        "{kills} kills, {count} events; {} further copies, as answers were lost; {} of them had been told to be stored \
         and came again after a kill; requests: {faults:?}",
        copies - times.len(),
        rules.again
    );
}
