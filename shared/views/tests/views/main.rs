//! The views over a real sled: projection, folding, lists, pages, generations.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod catalog;
mod cursors;
mod damage;
mod directory;
mod dumps;
mod erasing;
mod searches;

use std::path::Path;

use model::directory::{Entry, Kind};
use model::event::Event;
use model::log::{AccountId, LogPosition, Stream};
use model::paging::{Page, Period, Start};
use model::time::Timestamp;
use model::{audit, traffic};
use proptest::prelude::*;
use views::store::{Batch, Checkpoint};
use views::traffic::Stored;
use views::{Ask, Drafts, Logged, Observed, Question, Refused, View, Views};

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn open(directory: &Path) -> Views {
    Views::open(directory, 64 << 20).unwrap()
}

/// Projects events in one batch, as message `sequence` of `stream`, with drafts of their rows; gives the reasons of dead
/// letters.
fn project(views: &Views, view: View, stream: Stream, sequence: u64, events: &[(AccountId, Event)]) -> Vec<String> {
    let mut drafts = view.drafts();
    let position = LogPosition { stream, sequence };
    for (account, event) in events {
        if let Some(drafts) = &mut drafts {
            drafts.add(Logged { account, position, event, draft: None });
        }
    }
    project_with(views, view, position, events, drafts.as_ref())
}

fn project_with(
    views: &Views,
    view: View,
    position: LogPosition,
    events: &[(AccountId, Event)],
    drafts: Option<&Drafts>,
) -> Vec<String> {
    let LogPosition { stream, sequence } = position;
    let mut batch = Batch::new(views.slot(view).store());
    let mut reasons = Vec::new();
    for (number, (account, event)) in events.iter().enumerate() {
        let logged = Logged { account, position, event, draft: drafts.and_then(|drafts| drafts.get(number)) };
        match view.project(&mut batch, logged) {
            Ok(()) => {}
            Err(Refused::DeadLetter(reason)) => reasons.push(reason),
            Err(Refused::Failed(error)) => panic!("{error}"),
        }
    }
    let checkpoint = Checkpoint { sequence, fingerprint: "f".into(), stream_created: 1 };
    batch.commit(stream, &checkpoint).unwrap();
    views.slot(view).observe(stream, Observed { sequence, pending: 0 });
    reasons
}

fn answer<Q: Question>(views: &Views, question: Q) -> Q::Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(views.ask(Ask { at_least: Vec::new(), question })).unwrap().answer
}

fn audit_event(id: &str, second: i64, event_type: &str) -> Event {
    let context = audit::Context { id, source: "/test", time: Some(at(second)), received_at: at(0) };
    let data =
        audit::Fields { event_type: Some(event_type.into()), actor_id: Some("u1".into()), ..audit::Fields::default() };
    Event::Audit(audit::Event::new(context, data).unwrap())
}

fn report(flow: &str, second: i64, change: impl FnOnce(&mut traffic::Reported)) -> Event {
    let mut data = traffic::Reported { flow_id: Some(flow.into()), ..traffic::Reported::default() };
    change(&mut data);
    let (time, received_at) = (at(second), at(second));
    Event::Traffic(traffic::Report {
        id: "e".into(),
        time,
        received_at,
        subject_reporter: "gw".into(),
        data: data.into(),
    })
}

fn audit_page(views: &Views, account: &AccountId, filter: audit::Filter, page: Page) -> (Vec<String>, u64, Page) {
    let limit = page.limit;
    let rows = answer(views, views::audit::List { account: account.clone(), filter, q: None, page });
    let next =
        rows.next.map_or(Page::newest(0), |position| Page { start: Start::After(position), ..Page::newest(limit) });
    (rows.rows.into_iter().map(|row| row.id).collect(), rows.total, next)
}

fn traffic_list(views: &Views, filter: traffic::Filter, page: Page) -> (Vec<traffic::Record>, u64) {
    let rows = answer(views, views::traffic::List { account: account("main"), filter, q: None, page });
    let whole = |stored: Stored| stored.record().unwrap().with_texts(ToString::to_string);
    (rows.rows.into_iter().map(whole).collect(), rows.total)
}

#[test]
fn the_same_event_id_is_in_the_view_once_and_other_content_is_a_dead_letter() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let one = |event_type: &str| [(account("main"), audit_event("e1", 1, event_type))];
    assert!(project(&views, views::audit::VIEW, Stream::Audit, 1, &one("a.b")).is_empty());
    assert!(project(&views, views::audit::VIEW, Stream::Audit, 2, &one("a.b")).is_empty());
    let reasons = project(&views, views::audit::VIEW, Stream::Audit, 3, &one("a.c"));
    assert_eq!(reasons, ["id: is known already, with other content; the first stands"]);
    let (ids, total, _) = audit_page(&views, &account("main"), audit::Filter::default(), Page::newest(10));
    assert_eq!((ids, total), (vec!["e1".to_owned()], 1));
}

#[test]
fn accounts_never_meet_even_with_the_same_ids() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    // One id is a prefix of the other, so that a sloppy key would mix them.
    let events = ["a", "ab"].map(|id| (account(id), audit_event("e1", 1, id)));
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    for id in ["a", "ab"] {
        let filter = audit::Filter::default();
        let list = views::audit::List { account: account(id), filter, q: None, page: Page::newest(10) };
        let types: Vec<String> = answer(&views, list).rows.into_iter().map(|row| row.event_type).collect();
        assert_eq!(types, [id]);
    }
}

#[test]
fn equal_times_are_ordered_by_id_descending() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let events = ["b", "a", "c", "ab"].map(|id| (account("main"), audit_event(id, 5, "x")));
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    let (ids, _, _) = audit_page(&views, &account("main"), audit::Filter::default(), Page::newest(10));
    assert_eq!(ids, ["c", "b", "ab", "a"]);
}

#[test]
fn an_event_is_found_by_its_id_in_its_account_only() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), audit_event("e1", 1, "a.b"))]);
    let by_id = |account_id: &str, id: &str| {
        answer(&views, views::audit::ById { account: account(account_id), id: id.to_owned() })
    };
    assert_eq!(by_id("main", "e1").map(|event| event.event_type), Some("a.b".to_owned()));
    assert_eq!((by_id("main", "e"), by_id("mai", "e1"), by_id("other", "e1")), (None, None, None));
}

#[test]
fn which_ids_are_known_is_told_in_one_answer() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let events = ["e1", "e2"].map(|id| (account("main"), audit_event(id, 1, "a.b")));
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    let known = |account_id: &str| {
        let ids = ["e2", "e", "e1", "e3"].map(str::to_owned).to_vec();
        answer(&views, views::audit::Known { account: account(account_id), ids })
    };
    assert_eq!(known("main"), ["e2", "e1"]);
    assert!(known("other").is_empty());
}

#[test]
fn a_period_includes_both_its_ends() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let events: Vec<_> = (1..=9).map(|n| (account("main"), report(&n.to_string(), n, |_| {}))).collect();
    project(&views, views::traffic::VIEW, Stream::Traffic, 1, &events);
    let total = |from, to| {
        let period = Period { from, to };
        traffic_list(&views, traffic::Filter { period, ..traffic::Filter::default() }, Page::newest(1)).1
    };
    assert_eq!(total(Some(at(3)), Some(at(5))), 3);
    assert_eq!(total(Some(at(3)), None), 7);
    assert_eq!(total(None, Some(at(3))), 3);
    assert_eq!(total(Some(at(5)), Some(at(3))), 0);
}

#[test]
fn reports_fold_into_one_row_whether_in_one_batch_or_many() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let of = |second, kind, bytes| {
        let event = report("f", second, |data| {
            data.event_type = Some(kind);
            data.rx_bytes = bytes;
        });
        (account("main"), event)
    };
    use traffic::EventType::{End, Start, Unknown};
    project(&views, views::traffic::VIEW, Stream::Traffic, 1, &[of(20, End, 7), of(20, End, 7)]);
    project(&views, views::traffic::VIEW, Stream::Traffic, 2, &[of(10, Start, 0), of(15, Unknown, 3)]);
    let (rows, total) = traffic_list(&views, traffic::Filter::default(), Page::newest(10));
    assert_eq!((rows.len(), total), (1, 1));
    assert_eq!((rows[0].time(), rows[0].given.rx_bytes, rows[0].events.len()), (at(10), 7, 3));
    // It moved from second 20 to second 10, and is nowhere else.
    let period = Period { from: Some(at(11)), to: None };
    assert_eq!(traffic_list(&views, traffic::Filter { period, ..traffic::Filter::default() }, Page::newest(10)).1, 0);
}

#[test]
fn names_come_from_the_directory_when_the_question_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let mut event = report("f", 1, |data| {
        data.source.id = Some("p1".into());
        data.user.id = Some("u1".into());
    });
    project(&views, views::traffic::VIEW, Stream::Traffic, 1, &[(account("main"), event.clone())]);
    let search = |text: &str| traffic::Filter { search: Some(text.into()), ..traffic::Filter::default() };
    assert_eq!(traffic_list(&views, search("laptop"), Page::newest(10)).1, 0);
    let entry =
        |name: &str, email: &str| Entry { name: Some(name.into()), email: Some(email.into()), ..Entry::default() };
    let set = |kind, id: &str, entry| (account("main"), Event::Directory { kind, id: id.into(), entry });
    let entries = [set(Kind::Peer, "p1", entry("Laptop", "")), set(Kind::User, "u1", entry("Alice", "alice@x.org"))];
    project(&views, views::directory::VIEW, Stream::Directory, 1, &entries);
    let (rows, total) = traffic_list(&views, search("LAPT"), Page::newest(10));
    assert_eq!(
        (total, rows[0].given.source.name.as_deref(), rows[0].given.user.name.as_deref()),
        (1, Some("Laptop"), Some("Alice"))
    );
    assert_eq!(traffic_list(&views, search("alice@"), Page::newest(10)).1, 1);
    // A user's name is not searched, only their address; another account's directory is not asked.
    assert_eq!(traffic_list(&views, search("alice "), Page::newest(10)).1, 0);
    if let Event::Traffic(report) = &mut event {
        report.data.source.name = Some("own name".into());
    }
    project(&views, views::traffic::VIEW, Stream::Traffic, 2, &[(account("main"), event)]);
    assert_eq!(traffic_list(&views, search("laptop"), Page::newest(10)).1, 0);
}

#[test]
fn pages_by_cursor_neither_repeat_nor_skip_while_rows_are_added() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let events: Vec<_> = (0..50).map(|n| (account("main"), audit_event(&format!("e{n:02}"), n / 3, "x"))).collect();
    project(&views, views::audit::VIEW, Stream::Audit, 1, &events);
    let mut seen = Vec::new();
    let mut page = Page::newest(7);
    for sequence in 2.. {
        let (ids, _, next) = audit_page(&views, &account("main"), audit::Filter::default(), page);
        seen.extend(ids);
        if next.limit == 0 {
            break;
        }
        page = next;
        let newer = audit_event(&format!("new{sequence}"), 1000, "x");
        project(&views, views::audit::VIEW, Stream::Audit, sequence, &[(account("main"), newer)]);
    }
    let mut expected: Vec<(i64, String)> = (0..50).map(|n| (n / 3, format!("e{n:02}"))).collect();
    expected.sort_by(|one, other| other.cmp(one));
    assert_eq!(seen, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lists_agree_with_a_naive_list(
        rows in prop::collection::vec((0..20_i64, 0..3_u16, 0..40_u8), 0..60),
        wanted in prop::option::of(0..3_i64),
        from in prop::option::of(0..20_i64),
        to in prop::option::of(0..20_i64),
        offset in 0..30_u64,
        limit in 1..10_usize,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let views = open(directory.path());
        let events: Vec<_> = rows.iter().map(|(second, protocol, flow)| {
            (account("main"), report(&flow.to_string(), *second, |data| data.protocol = Some(*protocol)))
        }).collect();
        for (sequence, part) in (1..).zip(events.chunks(7)) {
            project(&views, views::traffic::VIEW, Stream::Traffic, sequence, part);
        }
        // The naive list: fold by flow, filter, sort.
        let mut naive: std::collections::BTreeMap<u8, (i64, u16)> = std::collections::BTreeMap::new();
        for (second, protocol, flow) in &rows {
            let entry = naive.entry(*flow).or_insert((*second, *protocol));
            *entry = (entry.0.min(*second), entry.1.max(*protocol));
        }
        let mut naive: Vec<(i64, String)> = naive.into_iter()
            .filter(|(_, (second, protocol))| {
                wanted.is_none_or(|wanted| wanted == i64::from(*protocol))
                    && from.is_none_or(|from| *second >= from) && to.is_none_or(|to| *second <= to)
            })
            .map(|(flow, (second, _))| {
                let key = traffic::RecordKey { reporter_id: "gw".into(), flow_id: flow.to_string(), window_start: None };
                (second, key.id().to_string())
            })
            .collect();
        naive.sort_by(|one, other| other.cmp(one));
        let filter = traffic::Filter {
            protocol: wanted,
            period: Period { from: from.map(at), to: to.map(at) },
            ..traffic::Filter::default()
        };
        let (found, total) = traffic_list(&views, filter, Page { start: Start::Offset(offset), ..Page::newest(limit) });
        prop_assert_eq!(total, naive.len() as u64);
        let found: Vec<String> = found.iter().map(|record| record.key.id().to_string()).collect();
        let expected: Vec<String> = naive.into_iter().map(|(_, id)| id).skip(usize::try_from(offset).unwrap()).take(limit).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_user_name_is_the_one_that_the_directory_gives() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), audit_event("e1", 1, "a.b"))]);
    let found = |name: &str| {
        let filter = audit::Filter { user_name: Some(name.into()), ..audit::Filter::default() };
        audit_page(&views, &account("main"), filter, Page::newest(9)).1
    };
    assert_eq!((found("u1"), found("alice@x")), (1, 0));
    let entry = Entry { email: Some("alice@x".into()), ..Entry::default() };
    let known = Event::Directory { kind: Kind::User, id: "u1".into(), entry };
    project(&views, views::directory::VIEW, Stream::Directory, 1, &[(account("main"), known)]);
    assert_eq!((found("u1"), found("alice@x"), found("Alice@x")), (0, 1, 0));
}

#[test]
fn rows_and_checkpoint_survive_a_restart_together() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    project(&views, views::audit::VIEW, Stream::Audit, 7, &[(account("main"), audit_event("e1", 1, "x"))]);
    views.slot(views::audit::VIEW).store().flush().unwrap();
    drop(views);
    let views = open(directory.path());
    let checkpoints = views.slot(views::audit::VIEW).store().checkpoints().unwrap();
    assert_eq!(checkpoints[&Stream::Audit].sequence, 7);
    assert_eq!(audit_page(&views, &account("main"), audit::Filter::default(), Page::newest(1)).1, 1);
}

#[test]
fn a_new_generation_is_read_after_the_switch_and_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), audit_event("old", 1, "x"))]);
    let fresh = views.slot(views::audit::VIEW).fresh().unwrap();
    views.slot(views::audit::VIEW).switch_to(fresh).unwrap();
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), audit_event("new", 1, "x"))]);
    let ids = |views: &Views| audit_page(views, &account("main"), audit::Filter::default(), Page::newest(9)).0;
    assert_eq!(ids(&views), ["new"]);
    views.slot(views::audit::VIEW).store().flush().unwrap();
    drop(views);
    assert_eq!(ids(&open(directory.path())), ["new"]);
    assert!(!directory.path().join("audit/1").exists(), "the old generation is gone");
}

#[test]
fn a_view_of_another_format_begins_again_and_leaves_the_others_alone() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let drops = report("f", 1, |data| data.num_of_drops = 3);
    project(&views, views::traffic::VIEW, Stream::Traffic, 4, &[(account("main"), drops.clone())]);
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), audit_event("kept", 1, "x"))]);
    drop(views);
    {
        let open = || sled::open(directory.path().join("traffic/1"));
        // What was just dropped may hold its lock for another moment.
        let tree = std::iter::repeat_with(open).take(10_000).find_map(Result::ok).unwrap();
        // That of the version before, in which rows have no numbers.
        tree.insert(b"\0format", [&11_u32.to_be_bytes()[..], &0_u32.to_be_bytes()].concat()).unwrap();
        tree.flush().unwrap();
    }
    let views = open(directory.path());
    let traffic = views.slot(views::traffic::VIEW);
    assert!(traffic.store().checkpoints().unwrap().is_empty(), "it is read from the log again");
    assert_eq!(traffic_list(&views, traffic::Filter::default(), Page::newest(9)), (Vec::new(), 0));
    assert!(!directory.path().join("traffic/1").exists(), "the old generation is gone");
    assert_eq!(audit_page(&views, &account("main"), audit::Filter::default(), Page::newest(9)).0, ["kept"]);
    project(&views, views::traffic::VIEW, Stream::Traffic, 4, &[(account("main"), drops)]);
    assert_eq!(traffic_list(&views, traffic::Filter::default(), Page::newest(9)).1, 1);
}

#[test]
fn an_interrupted_rebuild_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    project(&views, views::audit::VIEW, Stream::Audit, 1, &[(account("main"), audit_event("old", 1, "x"))]);
    let fresh = views.slot(views::audit::VIEW).fresh().unwrap();
    drop((fresh, views));
    let views = open(directory.path());
    assert_eq!(audit_page(&views, &account("main"), audit::Filter::default(), Page::newest(9)).0, ["old"]);
    assert!(!directory.path().join("audit/2").exists());
}
