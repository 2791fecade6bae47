use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use model::audit;
use model::envelope::{BATCH, Message};
use model::event::{Event, decode};
use model::log::AccountId;
use model::time::Timestamp;
use model::traffic::{self, Record, RecordKey};
use serde_json::{Value, json};

use super::*;

mod mended;
mod plain;

struct Imported {
    batches: Vec<Batch>,
    counts: Counts,
    rejects: Vec<String>,
    events: Vec<Event>,
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// Reads the files as an import does, and decodes the batches as the projector does.
fn import(format: Format, files: &[PathBuf]) -> Imported {
    let account = AccountId::parse("main").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rejects_file = folder.path().join("rejects");
    let progress = Progress::new(None);
    let (sender, mut receiver) = mpsc::channel(1000);
    let reader = Reader {
        format,
        reporter: None,
        progress: progress.clone(),
        sealer: format.sealer(&account),
        packer: Packer::new(1 << 20, format.may_say_less()),
        rejects: Rejects::new(progress, Some(&rejects_file)).unwrap(),
        pages: Pages::default(),
        batches: sender,
    };
    let counts = reader.read_all(files.iter().map(PathBuf::as_path)).unwrap();
    let batches: Vec<Batch> = std::iter::from_fn(|| receiver.blocking_recv()).collect();
    let subject = format.subject(&account);
    let received_at = Timestamp::parse("2030-01-01T00:00:00Z").unwrap();
    let decoded = |batch: &Batch| {
        let message = Message { headers: &[("content-type", BATCH)], payload: &batch.payload };
        decode(&subject, message, received_at)
            .events
            .into_iter()
            .map(|decoded| decoded.event.unwrap())
            .collect::<Vec<_>>()
    };
    Imported {
        counts,
        rejects: std::fs::read_to_string(&rejects_file).unwrap().lines().map(str::to_owned).collect(),
        events: batches.iter().flat_map(decoded).collect(),
        batches,
    }
}

fn imported(format: Format, text: &[u8]) -> Imported {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    import(format, &[file.path().to_owned()])
}

fn audit_events(imported: Imported) -> Vec<audit::Event> {
    let audit = |event| if let Event::Audit(event) = event { event } else { panic!("no audit event: {event:?}") };
    imported.events.into_iter().map(audit).collect()
}

fn record_keys(imported: Imported) -> HashSet<RecordKey> {
    let key = |event| match event {
        Event::Traffic(report) => Record::from(&report).owned().key,
        event => panic!("no traffic report: {event:?}"),
    };
    imported.events.into_iter().map(key).collect()
}

#[test]
fn every_line_of_both_zeek_samples_is_a_record_of_its_own() {
    let files = ["zeek-conn-nashua.ndjson", "zeek-conn-scranton.ndjson"].map(sample);
    let imported = import(Format::ZeekConn, &files);
    assert_eq!(imported.counts, Counts { records: 613, ..Counts::default() });
    assert_eq!(record_keys(imported).len(), 613);
}

#[test]
fn every_cloudtrail_sample_has_actor_address_status_and_payload() {
    let imported = import(Format::AwsCloudtrail, &[sample("aws-cloudtrail-s3-exfiltration.ndjson")]);
    assert_eq!(imported.counts, Counts { records: 103, ..Counts::default() });
    let events = audit_events(imported);
    assert_eq!(events.iter().map(|event| &event.id).collect::<HashSet<_>>().len(), 103);
    for event in &events {
        let given = &event.given;
        assert!(given.actor_id.is_some() && given.actor_name.is_some(), "{event:?}");
        assert!(given.ip_address.is_some() && given.status.is_some() && given.event_payload.is_some(), "{event:?}");
        assert!(event.time_given);
    }
    assert_eq!(events.iter().filter(|event| event.event_type == "s3.GetObject").count(), 2);
}

/// The lines of a sample, read without any of our code.
fn lines_of(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(sample(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn reports(imported: Imported) -> Vec<traffic::Report> {
    let report = |event| if let Event::Traffic(report) = event { report } else { panic!("no report: {event:?}") };
    imported.events.into_iter().map(report).collect()
}

/// A number of seconds in whole microseconds.
#[expect(clippy::cast_possible_truncation, reason = "of this century")]
fn micros(seconds: &Value) -> i64 {
    (seconds.as_f64().unwrap() * 1e6).round() as i64
}

#[test]
fn the_values_of_zeeks_samples_are_those_of_a_plain_reading() {
    for name in ["zeek-conn-nashua.ndjson", "zeek-conn-scranton.ndjson"] {
        let (lines, reports) = (lines_of(name), reports(import(Format::ZeekConn, &[sample(name)])));
        assert_eq!(lines.len(), reports.len());
        for (line, report) in lines.iter().zip(&reports) {
            let address = |side: &str| {
                let port = if line["proto"] == "icmp" { 0 } else { line[format!("id_{side}_p")].as_u64().unwrap() };
                Some(format!("{}:{port}", line[format!("id_{side}_h")].as_str().unwrap()))
            };
            let bytes = |side: &str| {
                let payload = &line[format!("{side}_bytes")];
                let whole = &line[format!("{side}_ip_bytes")];
                payload.as_u64().or(whole.as_u64()).unwrap_or_default()
            };
            let data = &report.data;
            assert_eq!(data.flow_id.as_deref(), line["uid"].as_str());
            assert_eq!(data.reporter_id.as_deref(), line["@system"].as_str());
            assert_eq!((&data.source.address, &data.destination.address), (&address("orig"), &address("resp")));
            assert_eq!((data.tx_bytes, data.rx_bytes), (bytes("orig"), bytes("resp")), "{line}");
            assert_eq!(Some(data.tx_packets), line["orig_pkts"].as_u64());
            assert_eq!(report.time.micros(), micros(&line["ts"]), "{line}");
            let end = data.events.iter().find(|event| event.event_type == traffic::EventType::End);
            let lasted = end.map(|end| end.timestamp.micros() - report.time.micros());
            let ends = line["conn_state"] != "REJ" && line["duration"].is_f64();
            assert_eq!(lasted, ends.then(|| micros(&line["duration"])), "{line}");
        }
    }
}

#[test]
fn zeeks_samples_in_its_own_form_are_the_same_events() {
    let (name, fields) = (
        "zeek-conn-nashua.ndjson",
        [
            "ts",
            "uid",
            "id.orig_h",
            "id.orig_p",
            "id.resp_h",
            "id.resp_p",
            "proto",
            "service",
            "duration",
            "orig_bytes",
            "resp_bytes",
            "conn_state",
            "missed_bytes",
            "history",
            "orig_pkts",
            "orig_ip_bytes",
            "resp_pkts",
            "resp_ip_bytes",
            "_system_name",
        ],
    );
    let value = |line: &Value, field: &str| {
        let name = if field == "_system_name" { "@system".to_owned() } else { field.replace("id.", "id_") };
        match &line[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    };
    let row = |line: &Value| fields.map(|field| value(line, field)).join("\t");
    let rows: Vec<String> = lines_of(name).iter().map(row).collect();
    let header = format!("#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\t{}\n", fields.join("\t"));
    let tsv = imported(Format::ZeekConn, format!("{header}{}\n#close\tx\n", rows.join("\n")).as_bytes());
    assert_eq!((tsv.counts.records, tsv.counts.rejected), (484, 0));
    assert_eq!(tsv.counts.skipped.to_string(), "5 skipped (header lines 5)");
    assert_eq!(tsv.events, import(Format::ZeekConn, &[sample(name)]).events);
}

#[test]
fn the_values_of_cloudtrails_sample_are_those_of_a_plain_reading() {
    let name = "aws-cloudtrail-s3-exfiltration.ndjson";
    let (lines, events) = (lines_of(name), audit_events(import(Format::AwsCloudtrail, &[sample(name)])));
    assert_eq!(lines.len(), events.len());
    for (line, event) in lines.iter().zip(&events) {
        let given = &event.given;
        let service = line["eventSource"].as_str().unwrap().strip_suffix(".amazonaws.com").unwrap();
        assert_eq!(event.event_type, format!("{service}.{}", line["eventName"].as_str().unwrap()));
        assert_eq!(Some(event.id.as_str()), line["eventID"].as_str());
        assert_eq!(Some(event.time), line["@timestamp"].as_str().and_then(|time| Timestamp::parse(time).ok()));
        assert_eq!(given.ip_address.as_deref(), line["sourceIPAddress"].as_str());
        assert_eq!(given.user_agent.as_deref(), line["userAgent"].as_str());
        assert_eq!(given.actor_type.as_deref(), line["userIdentity"]["type"].as_str());
        assert_eq!(given.request_id.as_deref(), line["requestID"].as_str());
        let actor = ["arn", "principalId", "invokedBy"].iter().find_map(|name| line["userIdentity"][name].as_str());
        assert_eq!(given.actor_id.as_deref(), actor);
        let payload = given.event_payload.as_ref().unwrap().to_value();
        assert_eq!(payload["user_identity"], line["userIdentity"]);
        assert_eq!(payload.get("request_parameters").unwrap_or(&Value::Null), &line["requestParameters"]);
    }
}

#[test]
fn a_trail_of_every_kind_of_object_is_read_as_a_whole() {
    let record = |id: u32| {
        format!(
            r#"{{"eventVersion":"1.10","eventTime":"2024-05-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","eventID":"e-{id}"}}"#
        )
    };
    let subscription = format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"1","subscriptionFilters":["f"],"logEvents":[{{"id":"1","timestamp":1,"message":{}}}]}}"#,
        serde_json::to_string(&record(2)).unwrap()
    );
    let check = r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}"#;
    let digest = r#"{"awsAccountId":"1","digestStartTime":"2024-05-01T09:00:00Z","logFiles":[{"s3Bucket":"b"}]}"#;
    let looked_up = format!(
        r#"{{"Events":[{{"EventId":"e-3","Resources":[],"CloudTrailEvent":{}}}],"NextToken":"abc"}}"#,
        serde_json::to_string(&record(3)).unwrap()
    );
    let text = format!("{{\"Records\":[{}]}}\n{subscription}{check}\n{digest}\n{looked_up}", record(1));
    let imported = imported(Format::AwsCloudtrail, text.as_bytes());
    assert_eq!(imported.counts.skipped.to_string(), "2 skipped (digests 1, health checks 1)");
    // There are more pages than the one that was looked up.
    assert_eq!((imported.counts.records, imported.counts.rejected), (5, 1));
    assert!(imported.rejects[0].contains("4: NextToken: the list goes on after this page; "), "{:?}", imported.rejects);
    let ids: Vec<String> = audit_events(imported).into_iter().map(|event| event.id).collect();
    assert_eq!(ids, ["e-1", "e-2", "e-3"]);
}

#[test]
fn flow_logs_that_came_through_cloudwatch_are_the_events_that_they_are() {
    // Lines as AWS's documentation shows them.
    let plain = "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK\n\
                 2 123456789010 eni-1235b8ca 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK\n\
                 2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA\n\
                 2 123456789010 eni-4b118871 - - - - - - - 1431280876 1431280934 - SKIPDATA\n";
    let values = |report: &traffic::Report| {
        let data = &report.data;
        (
            data.reporter_id.clone().unwrap(),
            data.source.address.clone().unwrap(),
            data.destination.address.clone().unwrap(),
            data.tx_packets,
            data.tx_bytes,
        )
    };
    let columns = |line: &str| {
        let word = |number: usize| line.split(' ').nth(number - 1).unwrap().to_owned();
        let address = |ip: usize, port: usize| format!("{}:{}", word(ip), word(port));
        (word(3), address(4, 6), address(5, 7), word(9).parse().unwrap(), word(10).parse().unwrap())
    };
    let expected: Vec<_> = plain.lines().filter(|line| line.ends_with(" OK")).map(columns).collect();
    let messages: Vec<Value> =
        plain.lines().map(|line| json!({ "logStreamName": "eni", "timestamp": 1, "message": line })).collect();
    let filtered = json!({ "events": messages, "searchedLogStreams": [] });
    let exported: String = plain.lines().map(|line| format!("2014-12-14T04:08:00.000Z {line}\n")).collect();
    let filtered = serde_json::to_string_pretty(&filtered).unwrap();
    let ids = |imported: &Imported| imported.batches.clone();
    let plain = imported(Format::AwsVpcFlow, plain.as_bytes());
    for text in [exported, filtered] {
        let imported = imported(Format::AwsVpcFlow, text.as_bytes());
        assert_eq!(imported.counts.skipped.to_string(), "2 skipped (lines without a flow 2)");
        assert_eq!((imported.counts.records, imported.counts.rejected), (4, 0));
        assert_eq!(ids(&imported), ids(&plain));
        assert_eq!(reports(imported).iter().map(values).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_file_of_a_form_that_is_not_read_is_told_of_once() {
    let utf_16: Vec<u8> = "{\"event_type\":\"a\"}\n".repeat(200).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let imported = imported(Format::Audit, &utf_16);
    assert_eq!(imported.counts, Counts { rejected: 1, ..Counts::default() });
    assert!(imported.rejects[0].contains("1: file: is UTF-16; make it UTF-8 on the way: "), "{:?}", imported.rejects);
}

#[test]
fn the_same_files_make_the_same_messages() {
    let import = || import(Format::ZeekConn, &[sample("zeek-conn-nashua.ndjson")]).batches;
    assert_eq!(import(), import());
}

#[test]
fn a_whole_answer_and_its_items_one_a_line_are_the_same_events() {
    let items = [r#"{"id":"1","event_type":"a","time":"2024-01-01T00:00:00Z"}"#, r#"{"id":2,"event_type":"b"}"#];
    let whole = imported(Format::Audit, format!(r#"{{"items":[{}],"next_cursor":null}}"#, items.join(",")).as_bytes());
    let lines = imported(Format::Audit, items.join("\n").as_bytes());
    let array = imported(Format::Audit, format!("[\n{}\n]", items.join(",\n")).as_bytes());
    assert_eq!(whole.events.len(), 2);
    assert_eq!(whole.events, lines.events);
    assert_eq!(whole.events, array.events);
}

#[test]
fn bad_records_are_told_of_by_line_and_the_others_imported() {
    let text = "{\"event_type\":\"a\"}\nhello\n{\"event_type\":\"b\",\"user_id\":\"x\"}\n{}\n{\"event_type\":\"c\"}\n";
    let imported = imported(Format::Audit, text.as_bytes());
    assert_eq!(imported.counts, Counts { records: 5, rejected: 3, ..Counts::default() });
    assert_eq!(imported.events.len(), 2);
    let reason = |index: usize| imported.rejects[index].split_once(".tmp").unwrap_or_default().1.to_owned();
    let tails: Vec<String> = (0..3).map(reason).map(|tail| tail.split_once(':').unwrap().1.to_owned()).collect();
    assert!(tails[0].starts_with("2: not JSON: "), "{tails:?}");
    assert!(tails[1].starts_with("3: user_id: must be an integer"), "{tails:?}");
    assert_eq!(tails[2], "4: event_type: is missing (or activity_code, its other name)");
}

#[test]
fn an_array_is_no_record() {
    let imported = imported(Format::Traffic, b"[[], 7]");
    assert!(imported.rejects[0].ends_with("1: element 1: must be a JSON object"), "{:?}", imported.rejects);
    assert!(imported.rejects[1].contains("1: element 2: "), "{:?}", imported.rejects);
}

#[test]
fn a_packed_file_that_ends_too_early_is_told_of_after_what_it_held() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all("{\"event_type\":\"a\"}\n".repeat(1000).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let imported = imported(Format::Audit, &packed[..packed.len() - 100]);
    assert_eq!(imported.counts.rejected, 1);
    assert!(imported.rejects[0].contains("file: cannot be read further: "), "{:?}", imported.rejects);
    assert!(imported.events.len() > 900);
}

#[test]
fn a_line_that_names_the_fields_counts_for_its_own_file() {
    let custom = "srcaddr dstaddr start end\n10.0.0.1 10.0.0.2 1 2\n";
    let default = "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 REJECT OK\n";
    let folder = tempfile::tempdir().unwrap();
    let files = [("a", custom), ("b", default)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    });
    let imported = import(Format::AwsVpcFlow, &files);
    assert_eq!((imported.counts.records, imported.counts.rejected), (3, 0));
    assert_eq!(imported.counts.skipped.to_string(), "1 skipped (header lines 1)");
    assert_eq!(record_keys(imported).len(), 2);
}
