//! What holds whatever a stranger sends: one function for each fuzz target. A test runs them over the seeds in
//! `seeds/` and over some chance, so that the targets are built and hold with every change.

use std::collections::BTreeSet;

use gateway::cursor::Key;
use gateway::parsers::{self, CursorList};
use model::audit::{self, Filter};
use model::envelope::{self, Message};
use model::event::{self, Event};
use model::filter::{self, Expression};
use model::log::{AccountId, Stream, Subject};
use model::paging::RowPosition;
use model::time::Timestamp;
use model::traffic::{Record, Report};
use serde_json::Value;

const KEY: [u8; 32] = [7; 32];

/// Random text is no cursor. A cursor opens to its place, and nothing else does: not with a bit flipped, not in
/// another list.
///
/// The input: eight bytes of a time, two that choose a bit, then the id of a row, which serves as a cursor too.
pub(crate) fn cursor(input: &[u8]) {
    let (account, filter) = (AccountId::escaped("main"), Filter::default());
    let (key, list) = (Key::new(KEY), CursorList { name: "audit", account: &account, filter: &filter });
    let whole = String::from_utf8_lossy(input);
    assert!(parsers::open_cursor(&key, &list, &whole).is_err(), "a text that nobody made is a cursor");

    let Some((time, rest)) = input.split_first_chunk::<8>() else { return };
    let Some((bit, id)) = rest.split_first_chunk::<2>() else { return };
    let id = String::from_utf8_lossy(id).into_owned();
    assert!(parsers::open_cursor(&key, &list, &id).is_err(), "a text that nobody made is a cursor");
    let position = RowPosition { time: Timestamp::from_sortable(*time), id };
    let cursor = parsers::seal_cursor(&key, &list, &position).expect("a filter can be written");
    assert_eq!(parsers::open_cursor(&key, &list, &cursor).as_ref(), Ok(&position));

    let mut changed = cursor.clone().into_bytes();
    let bit = usize::from(u16::from_be_bytes(*bit)) % (changed.len() * 8);
    changed[bit / 8] ^= 1 << (bit % 8);
    // What is no UTF-8 any more never gets here.
    if let Ok(changed) = String::from_utf8(changed) {
        assert!(parsers::open_cursor(&key, &list, &changed).is_err(), "a changed cursor opens");
    }
    let other = AccountId::escaped("other");
    let narrower = Filter { search: Some(position.id), ..Filter::default() };
    for foreign in [
        CursorList { name: "traffic", ..list.clone() },
        CursorList { account: &other, ..list.clone() },
        CursorList { filter: &narrower, ..list.clone() },
    ] {
        assert!(parsers::open_cursor(&key, &foreign, &cursor).is_err(), "a cursor opens another list");
    }
    assert!(parsers::open_cursor(&Key::new([8; 32]), &list, &cursor).is_err(), "another key signs the same");
}

/// Every dialect reads any query and any body, or says what is wrong with it in a text without control characters.
/// The link to the next page asks for the same as the page did.
pub(crate) fn filter(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let audit = parsers::netbird_audit(&text);
    let traffic = parsers::netbird_traffic(&text);
    if let Ok(next) = parsers::next_query(&text, "c") {
        assert!(next.bytes().all(|byte| byte.is_ascii_graphic()), "a link holds {next:?}");
        if let Ok(audit) = &audit {
            assert_eq!(parsers::netbird_audit(&next).as_ref(), Ok(audit));
        }
        if let Ok(traffic) = &traffic {
            assert_eq!(parsers::netbird_traffic(&next).as_ref(), Ok(traffic));
        }
    }
    let instavm = parsers::instavm_audit(&text).map(|(filter, _)| filter);
    let vrni = parsers::vrni_audit(input);
    for filter in [audit.as_ref().ok(), instavm.as_ref().ok(), vrni.as_ref().ok()].into_iter().flatten() {
        // As it goes to a projector, and comes back there.
        let written = serde_json::to_vec(filter).expect("a filter can be written");
        assert_eq!(&serde_json::from_slice::<Filter>(&written).expect("and read"), filter);
    }
    if let Ok(filter) = &traffic {
        let written = serde_json::to_vec(filter).expect("a filter can be written");
        assert_eq!(&serde_json::from_slice::<model::traffic::Filter>(&written).expect("and read"), filter);
    }
    let bodies = [parsers::vrni_sign_in(input), parsers::netbird_integration(input)];
    let at_least = parsers::at_least(&text.lines().collect::<Vec<_>>()).map(drop);
    let refusals = bodies.into_iter().chain([at_least]).filter_map(Result::err);
    for refusal in refusals.chain(audit.err()).chain(traffic.err()).chain(vrni.err()) {
        assert!(!refusal.is_empty());
    }
}

/// A text is an expression or a mistake within it. An expression writes itself so that it asks for the same, and judges
/// events of both families, each of them otherwise than its opposite does, or says which field it cannot ask for.
pub(crate) fn query(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let within = |mistake: &filter::Mistake| (1..=text.chars().count() + 1).contains(&mistake.column);
    let expression: Expression = match text.parse() {
        Ok(expression) => expression,
        Err(mistake) => return assert!(within(&mistake), "{mistake}"),
    };
    // Escaped, it may be longer than a text may be.
    let written = expression.to_string();
    let again = (written.len() <= filter::MAX_BYTES).then(|| written.parse::<Expression>().expect("it reads itself"));
    let (now, opposite) = (Some(Timestamp::EPOCH), Expression::Not(Box::new(expression.clone())));
    match filter::Filter::<filter::Audit>::new(&expression, now) {
        Ok(asked) => {
            let event = r#"{"event_type":"a.b","actor_name":"Ab","ip_address":"::1","meta":{"a":[1,{"b":"c"}]}}"#;
            let given: audit::Fields = serde_json::from_str(event).expect("it is an event");
            let context = audit::Context { id: "e", source: "s", time: now, received_at: Timestamp::EPOCH };
            let event = audit::Event::new(context, given).expect("it has a type");
            let otherwise = filter::Filter::<filter::Audit>::new(&opposite, now).expect("so can its opposite be asked");
            assert_ne!(asked.matches(&event), otherwise.matches(&event), "{written}");
            if let Some(again) = &again {
                assert_eq!(filter::Filter::new(again, now).as_ref(), Ok(&asked), "{written}");
            }
        }
        Err(mistake) => assert!(within(&mistake), "{mistake}"),
    }
    match filter::Filter::<filter::Traffic>::new(&expression, now) {
        Ok(asked) => {
            let data = r#"{"source":{"name":"Ab","address":"[::1]:53"},"protocol":17,"rx_bytes":1024}"#;
            let data = serde_json::from_str(data).expect("it is a report");
            let (time, id, subject_reporter) = (Timestamp::EPOCH, "e".to_owned(), "gw".to_owned());
            let report = Report { id, time, received_at: time, subject_reporter, data: Box::new(data) };
            let otherwise =
                filter::Filter::<filter::Traffic>::new(&opposite, now).expect("so can its opposite be asked");
            assert_ne!(asked.matches_report(&report), otherwise.matches_report(&report), "{written}");
            if let Some(again) = &again {
                assert_eq!(filter::Filter::new(again, now).as_ref(), Ok(&asked), "{written}");
            }
        }
        Err(mistake) => assert!(within(&mistake), "{mistake}"),
    }
}

/// Any message of the log is decoded, or becomes a reason; what is decoded can be shown in every dialect, and folds
/// into records the same in any order. Over HTTP, what is taken in is what the views will read.
///
/// The input: headers as HTTP writes them, a line of a subject first; an empty line; the payload.
pub(crate) fn cloudevents(input: &[u8]) {
    let end = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (head, payload) = (String::from_utf8_lossy(&input[..end]), input.get(end + 2..).unwrap_or_default());
    let mut lines = head.lines();
    let subject = lines.next().and_then(|line| Subject::parse(line).ok());
    let subject = subject.unwrap_or_else(|| Subject::audit(&AccountId::escaped("main"), "http"));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let message = Message { headers: &headers, payload };

    if let Ok(opened) = envelope::open(message) {
        for event in opened.into_iter().flatten() {
            assert!((1..=envelope::MAX_ID_LENGTH).contains(&event.id.len()));
        }
    }
    let received_at = Timestamp::EPOCH;
    let decoded = event::decode(&subject, message, received_at).events;
    let mut record: Option<Record> = None;
    for decoded in decoded {
        match decoded.event {
            Ok(event) => shown(event, &mut record),
            Err(reason) => assert!(!reason.to_string().is_empty()),
        }
    }

    for (is_audit, stream) in [(true, Stream::Audit), (false, Stream::Traffic)] {
        let Ok(events) = parsers::ingest(is_audit, &headers, payload) else { continue };
        assert!(!events.is_empty());
        let account = AccountId::escaped("main");
        let subject = if is_audit { Subject::audit(&account, "http") } else { Subject::traffic(&account, "http") };
        assert_eq!(subject.stream(), stream);
        let batch = format!("[{}]", events.join(","));
        let headers = [("content-type", envelope::BATCH)];
        let decoded =
            event::decode(&subject, Message { headers: &headers, payload: batch.as_bytes() }, received_at).events;
        assert_eq!(decoded.len(), events.len());
        for decoded in decoded {
            let event = decoded.event.expect("what was taken in can be read");
            shown(event, &mut None);
        }
    }
}

fn shown(event: Event, record: &mut Option<Record>) {
    match event {
        Event::Audit(event) => shown_audit(&event),
        Event::Traffic(report) => {
            let one = Record::from(&report).owned();
            assert!(!one.events.is_empty());
            assert!(one.window_start() <= Timestamp::LAST && one.window_end() <= Timestamp::LAST);
            let mut twice = one.clone();
            twice.merge(&one);
            assert_eq!(twice, one, "a report that comes again changes something");
            let Some(before) = record.take() else {
                *record = Some(one);
                return;
            };
            // The key is the first one's, which decides nothing here.
            let (mut there, mut back) = (before.clone(), Record { key: before.key.clone(), ..one.clone() });
            there.merge(&one);
            back.merge(&before);
            assert_eq!(there, back, "the order of reports matters");
            *record = Some(there);
        }
        Event::Integration(_) | Event::Access(_) | Event::Directory { .. } | Event::Search(_) | Event::Delivery(_) => {}
    }
}

fn shown_audit(event: &audit::Event) {
    assert!(!event.event_type.is_empty() && !event.activity().is_empty());
    assert!(event.says_the_same_as(event));
    assert!(event.meta_as_texts().values().all(Value::is_string));
    let texts = [event.event_group(), event.status(), event.actor_type(), event.user_name(), event.response()];
    assert!(texts[1..3].iter().all(|text| !text.is_empty()));
    let _ = (event.operation(), event.value(), event.event_payload());
    assert_eq!(Timestamp::parse(&event.time.to_six_digits()), Ok(event.time));
    assert_eq!(Timestamp::parse(&event.time.to_string()), Ok(event.time));
}

/// InstaVM's validation either takes a query, and then every number is within its bounds; or it names what is wrong,
/// each parameter once, in the order in which they are declared, with the value that was given.
pub(crate) fn instavm_validation(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match parsers::instavm_audit(&text) {
        Ok((filter, limit)) => {
            assert!((1..=200).contains(&limit));
            assert!(filter.event_types.len() <= 1);
        }
        Err(detail) => {
            let problems: Vec<Value> = serde_json::from_str(&detail).expect("detail is JSON");
            assert!(!problems.is_empty());
            let names: Vec<&str> = problems.iter().filter_map(|problem| problem["loc"][1].as_str()).collect();
            let in_order: Vec<&str> = ["user_id", "limit"].into_iter().filter(|name| names.contains(name)).collect();
            assert_eq!(names, in_order);
            for problem in &problems {
                let members: BTreeSet<&str> =
                    problem.as_object().expect("an object").keys().map(String::as_str).collect();
                let is_about_bounds = members.contains("ctx");
                assert_eq!(members.len(), if is_about_bounds { 5 } else { 4 }, "{members:?}");
                assert!(problem["input"].is_string());
            }
        }
    }
    // The text as one number: whatever reads it as a JSON integer agrees.
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    if let Ok(number) = serde_json::from_str::<i64>(digits) {
        // As the serializer writes it, `-0` and all, Pydantic reads it too.
        let query = format!("user_id={number}");
        let read = parsers::instavm_audit(&query).map(|(filter, _)| filter.user_id);
        assert_eq!(read, Ok(Some(number.into())));
    }
}
