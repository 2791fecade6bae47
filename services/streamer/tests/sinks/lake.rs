//! The objects of a bucket as query engines read them: DuckDB, ClickHouse and Arrow count, order and find all of them.

use std::path::Path;

use model::integration::Platform;
use model::time::Timestamp;
use serde_json::{Value, json};
use streamer::sink::{Item, Outcome};
use testkit::run_reader;

use crate::support::{Receiver, audit, connect, traffic};

/// Times in their order, with and without fractions of a second, on both sides of midnight.
const TIMES: [&str; 6] = [
    "1969-12-31T23:59:59.5Z",
    "2024-01-31T23:58:00Z",
    "2024-01-31T23:59:59.999Z",
    "2024-01-31T23:59:59.999999Z",
    "2024-02-01T00:00:00Z",
    "2024-02-01T00:00:00.000001Z",
];

/// An audit event and a report for each time, in no order.
fn items() -> Vec<Item> {
    let mut items = Vec::new();
    for (sequence, time) in (1..).zip(TIMES).collect::<Vec<_>>().into_iter().rev() {
        let time = Timestamp::parse(time).unwrap();
        let meta = json!({ "n": sequence, "text": "Tür" });
        let event = audit(
            sequence,
            &json!({ "event_type": "door.open", "meta": meta, "user_id": i64::MAX, "latency_ms": 0.5 }),
        );
        let report = traffic(
            sequence,
            &json!({ "type": "TYPE_END", "rx_bytes": u64::MAX, "window_start": "2024-01-31T23:00:00Z" }),
        );
        items.extend([Item { time, ..event }, Item { time, ..report }]);
    }
    items
}

async fn put_into(folder: &Path, format: &str) {
    let receiver = Receiver::start().await;
    let url = receiver.server.url("");
    let keys = [("region", "eu-central-1"), ("access_key", "a"), ("secret_key", "s"), ("bucket_name", "lake")];
    let config = [&[("endpoint", url.as_str()), ("format", format)], &keys[..]].concat();
    assert_eq!(connect(Platform::S3, &config).deliver(&items()).await, Outcome::Delivered);
    for request in receiver.requests() {
        let file = folder.join(request.path.trim_start_matches('/').replace("%3D", "="));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &request.body).unwrap();
    }
}

#[tokio::test]
async fn engines_count_order_and_find_what_is_in_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    for (format, extension) in [("ndjson", "ndjson.gz"), ("parquet", "parquet")] {
        put_into(folder.path(), format).await;
        let Some(said) = run_reader("read_lake.py", &[folder.path().to_str().unwrap(), extension]).await else {
            eprintln!("not run: there are no query engines here");
            return;
        };
        let engines: Value = serde_json::from_str(&said).unwrap();
        let ids: Vec<String> = (1..=6).flat_map(|number| [format!("e-{number}"), format!("r-{number}")]).collect();
        for (engine, found) in engines.as_object().unwrap() {
            let name = format!("{engine}, {format}: {found}");
            assert_eq!(found["counts"], json!({ "audit": 6, "traffic": 6 }), "{name}");
            assert_eq!(found["ids"], json!(ids), "{name}");
            assert_eq!((&found["misplaced"], &found["partition"]), (&json!(0), &json!(3)), "{name}");
            let kind = found["type"].as_str().unwrap().to_lowercase();
            assert!(["timestamp", "datetime64"].iter().any(|time| kind.contains(time)), "{name}");
        }
        assert_eq!(engines.as_object().unwrap().len(), 3);
    }
}
