//! `flowtrail tail` prints each event once, in order, however often its connection is lost.

use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::eventually;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED, flowtrail as program};
use crate::scripted::{Scripted, answer};
use crate::terminal::on_terminal;

/// A way to a Flowtrail that is cut now and then.
struct Way {
    url: String,
    /// Where it leads.
    to: Arc<Mutex<String>>,
    connections: Arc<Mutex<JoinSet<()>>>,
    /// How many connections were answered.
    answered: Arc<AtomicUsize>,
    _accepting: JoinSet<()>,
}

impl Way {
    async fn to(flowtrail: &Flowtrail) -> Self {
        let to = Arc::new(Mutex::new(address_of(flowtrail)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, answered) = (Arc::<Mutex<JoinSet<()>>>::default(), Arc::<AtomicUsize>::default());
        let mut accepting = JoinSet::new();
        let (leads_to, held, counted) = (to.clone(), connections.clone(), answered.clone());
        accepting.spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let address = leads_to.lock().unwrap().clone();
                // While nobody is there, who comes is sent away.
                if let Ok(server) = TcpStream::connect(&address).await {
                    held.lock().unwrap().spawn(relayed(client, server, counted.clone()));
                }
            }
        });
        Self { url, to, connections, answered, _accepting: accepting }
    }

    fn lead_to(&self, flowtrail: &Flowtrail) {
        *self.to.lock().unwrap() = address_of(flowtrail);
    }

    fn cut(&self) {
        self.connections.lock().unwrap().abort_all();
    }

    async fn has_answered(&self, times: usize) {
        eventually("it is answered", async || (self.answered.load(Ordering::SeqCst) >= times).then_some(())).await;
    }
}

fn address_of(flowtrail: &Flowtrail) -> String {
    flowtrail.url.trim_start_matches("http://").to_owned()
}

async fn relayed(client: TcpStream, server: TcpStream, answered: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        let (mut piece, mut text) = (vec![0; 1 << 14], Vec::new());
        let mut is_answered = false;
        while let Ok(count @ 1..) = from_server.read(&mut piece).await {
            if to_client.write_all(&piece[..count]).await.is_err() {
                break;
            }
            if !is_answered {
                text.extend_from_slice(&piece[..count]);
                // The place that it goes on from is there.
                is_answered = String::from_utf8_lossy(&text).contains("id: ");
                answered.fetch_add(usize::from(is_answered), Ordering::SeqCst);
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = back => {}
    }
}

/// A `flowtrail tail` that runs. It ends with its owner.
struct Tail {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Tail {
    fn start(flowtrail: &Flowtrail, url: &str, words: &[&str]) -> Self {
        let mut command = Command::from(program(&flowtrail.data()));
        command.arg("tail").args(words).args(["--url", url]).stdin(Stdio::null()).kill_on_drop(true);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next lines.
    async fn read(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            lines.push(self.lines.next_line().await.unwrap().expect("it goes on"));
        }
        lines
    }

    /// Waits for its end; gives how it ended, what else it printed and what it said.
    async fn end(mut self) -> (ExitStatus, Vec<String>, String) {
        let mut lines = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            lines.push(line);
        }
        let output = self.child.wait_with_output().await.unwrap();
        (output.status, lines, String::from_utf8(output.stderr).unwrap())
    }

    /// Stops it, as Ctrl-C does.
    async fn stop(self) -> (ExitStatus, Vec<String>, String) {
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap())).unwrap();
        kill_process(id, Signal::INT).unwrap();
        self.end().await
    }
}

async fn post(flowtrail: &Flowtrail, ids: &[String]) {
    let events: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "id": id, "event_type": "door.open", "task_id": 9_007_199_254_740_993_u64 }))
        .collect();
    let sent = flowtrail.request("POST", "/api/events/audit").json(&events).send().await.unwrap();
    assert_eq!(sent.status(), 202);
}

fn id_of(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    event["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tail_that_is_cut_off_again_and_again_prints_each_event_once_in_order() {
    const CUTS: usize = 4;
    let flowtrail = Flowtrail::start_with(Topology::Split, UNLIMITED).await;
    let way = Way::to(&flowtrail).await;
    let mut tail = Tail::start(&flowtrail, &way.url, &["audit", "type:door.open"]);
    way.has_answered(1).await;
    let ids: Vec<String> = (0..6000).map(|number| format!("e{number:05}")).collect();
    let publishing = async {
        for (number, ids) in ids.chunks(500).enumerate() {
            post(&flowtrail, ids).await;
            if number % 3 == 1 {
                // What follows is published while nobody is connected.
                way.cut();
            }
            if number % 3 == 0 {
                way.has_answered(1 + number / 3).await;
            }
        }
    };
    let ((), lines) = tokio::join!(publishing, tail.read(ids.len()));
    let seen: Vec<String> = lines.iter().map(|line| id_of(line)).collect();
    assert!(seen == ids, "{} events", seen.len());
    assert!(lines[0].contains("9007199254740993"), "numbers come to the digit");
    way.has_answered(1 + CUTS).await;
    let (status, more, said) = tail.stop().await;
    assert_eq!((status.code(), more), (Some(0), Vec::new()), "{said}");
    let again: Vec<&str> = said.lines().filter(|line| *line == "connected again; it goes on where it was").collect();
    assert_eq!(again.len(), CUTS, "{said}");
    assert!(said.lines().count() == 2 * CUTS && said.contains("trying again in 1s"), "{said}");
}

#[tokio::test]
async fn a_tail_goes_on_after_flowtrail_was_started_again() {
    let mut flowtrail = Flowtrail::start_with(Topology::Together, UNLIMITED).await;
    let way = Way::to(&flowtrail).await;
    let mut tail = Tail::start(&flowtrail, &way.url, &["audit", "type:door.open"]);
    way.has_answered(1).await;
    post(&flowtrail, &["before".to_owned()]).await;
    assert_eq!(id_of(&tail.read(1).await[0]), "before");
    flowtrail.stop();
    flowtrail.start_processes();
    // Nobody follows yet.
    post(&flowtrail, &["between".to_owned()]).await;
    way.lead_to(&flowtrail);
    assert_eq!(id_of(&tail.read(1).await[0]), "between");
    post(&flowtrail, &["after".to_owned()]).await;
    assert_eq!(id_of(&tail.read(1).await[0]), "after");
    let (status, more, said) = tail.stop().await;
    assert_eq!((status.code(), more), (Some(0), Vec::new()), "{said}");
    assert!(said.starts_with("the service stops; trying again in 1s\n"), "{said}");
    assert!(said.ends_with("connected again; it goes on where it was\n"), "{said}");
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_and_goes_back_to_what_came_meanwhile() {
    let place = "retry: 100\nid: 1.0\n\n";
    let event = |number: u32| format!("id: {number}.0\ndata: {{\"id\":\"e{number}\",\"status\":\"failure\"}}\n\n");
    let (first, second, third) = (event(2), event(3), event(4));
    let overflow = "event: overflow\ndata: {\"lost\":7}\n\n";
    let token = "event: end\ndata: {\"reason\":\"token\"}\n\n";
    let answers = || {
        vec![
            answer("text/event-stream", &[place, &first, overflow], Some("\r\n")),
            // It breaks off within an event.
            answer("text/event-stream", &[place, ":\n", &second, &third[..20]], None),
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 24\r\n\r\n{\"detail\":\"wait a bit\"}\n".to_owned(),
            answer("text/event-stream", &[place, &third, "event: news\ndata: {}\n\n", token], Some("\r\n")),
        ]
    };
    let directory = tempfile::tempdir().unwrap();
    let tail = |server: &Scripted| {
        let mut command = program(directory.path());
        command.args(["tail", "audit", "--url", &server.url, "--token", "t"]);
        command
    };
    let server = Scripted::start(answers()).await;
    let mut command = tail(&server);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(id_of).collect();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), printed), (Some(1), ["e2", "e3", "e4"].map(str::to_owned).into()), "{said}");
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[0], "7 events came faster than they were read; going back to them");
    assert_eq!(said[1], "connected again; it goes on where it was");
    assert!(
        said[2].starts_with("the connection is lost: ") && said[2].ends_with("; trying again in 100ms"),
        "{said:?}"
    );
    assert_eq!(said[3], "wait a bit; trying again in 200ms");
    assert_eq!(said[4], said[1]);
    assert_eq!(said[5..], ["error: the token is not valid any more; say with FLOWTRAIL_TOKEN who asks"]);
    let last_ids: Vec<Option<String>> = server.requests().iter().map(|head| last_id(head)).collect();
    assert_eq!(last_ids, [None, Some("2.0"), Some("3.0"), Some("3.0")].map(|id| id.map(str::to_owned)));

    let server = Scripted::start(answers()).await;
    let command = tail(&server);
    let (status, seen) = tokio::task::spawn_blocking(move || on_terminal(command)).await.unwrap();
    assert_eq!(status.code(), Some(1), "{seen}");
    // Red is for what failed.
    assert!(seen.contains("RESOURCE") && seen.contains("\u{1b}[38;5;9m"), "{seen:?}");
    assert_eq!(seen.matches("failure").count(), 3, "{seen}");
}

fn last_id(head: &str) -> Option<String> {
    let line = head.lines().find_map(|line| line.strip_prefix("last-event-id: "));
    line.map(str::to_owned)
}

#[tokio::test]
async fn a_tail_too_many_is_refused_by_the_name_of_the_setting() {
    let flowtrail = Flowtrail::start_with(Topology::Together, &[("FLOWTRAIL_TAILS", "1")]).await;
    let way = Way::to(&flowtrail).await;
    let first = Tail::start(&flowtrail, &way.url, &["audit"]);
    way.has_answered(1).await;
    let (status, lines, said) = Tail::start(&flowtrail, &flowtrail.url, &["traffic"]).end().await;
    assert_eq!((status.code(), lines.len()), (Some(1), 0), "{said}");
    assert!(said.starts_with("error: ") && said.contains("FLOWTRAIL_TAILS") && said.lines().count() == 1, "{said}");
    assert_eq!(first.stop().await.0.code(), Some(0));
}
