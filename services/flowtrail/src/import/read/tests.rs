use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use model::audit;
use model::envelope::{BATCH, Message};
use model::event::{Event, decode};
use model::log::AccountId;
use model::time::Timestamp;
use model::traffic::{Record, RecordKey};

use super::*;

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
        packer: Packer::new(1 << 20),
        rejects: Rejects::new(progress, Some(&rejects_file)).unwrap(),
        batches: sender,
    };
    let counts = reader.read_all(files.iter().map(PathBuf::as_path)).unwrap();
    let batches: Vec<Batch> = std::iter::from_fn(|| receiver.blocking_recv()).collect();
    let subject = format.subject(&account);
    let received_at = Timestamp::parse("2030-01-01T00:00:00Z").unwrap();
    let decoded = |batch: &Batch| {
        let message = Message { headers: &[("content-type", BATCH)], payload: &batch.payload };
        decode(&subject, message, received_at).into_iter().map(|decoded| decoded.event.unwrap()).collect::<Vec<_>>()
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
        Event::Traffic(report) => Record::from(report).key,
        event => panic!("no traffic report: {event:?}"),
    };
    imported.events.into_iter().map(key).collect()
}

#[test]
fn every_line_of_both_zeek_samples_is_a_record_of_its_own() {
    let files = ["zeek-conn-nashua.ndjson", "zeek-conn-scranton.ndjson"].map(sample);
    let imported = import(Format::ZeekConn, &files);
    assert_eq!(imported.counts, Counts { records: 613, skipped: 0, rejected: 0 });
    assert_eq!(record_keys(imported).len(), 613);
}

#[test]
fn every_cloudtrail_sample_has_actor_address_status_and_payload() {
    let imported = import(Format::AwsCloudtrail, &[sample("aws-cloudtrail-s3-exfiltration.ndjson")]);
    assert_eq!(imported.counts, Counts { records: 103, skipped: 0, rejected: 0 });
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
    assert_eq!(imported.counts, Counts { records: 5, skipped: 0, rejected: 3 });
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
    assert_eq!(imported.counts, Counts { records: 3, skipped: 1, rejected: 0 });
    assert_eq!(record_keys(imported).len(), 2);
}
