//! Objects of Parquet, read back: the same events as the lines of JSON, in columns of types.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use model::integration::Platform;
use model::time::Timestamp;
use parquet::basic::{Compression, LogicalType, TimeUnit};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use streamer::sink::{Item, Outcome};

use crate::support::{Receiver, Request, audit, audit_as_written, connect, traffic, unpacked};

/// What a bucket is sent of some items.
async fn sent(format: &str, items: &[Item]) -> Vec<Request> {
    let receiver = Receiver::start().await;
    let url = receiver.server.url("");
    let keys = [("region", "eu-central-1"), ("access_key", "a"), ("secret_key", "s"), ("bucket_name", "lake")];
    let config = [&[("endpoint", url.as_str()), ("format", format)], &keys[..]].concat();
    assert_eq!(connect(Platform::S3, &config).deliver(items).await, Outcome::Delivered);
    receiver.requests()
}

fn reader(request: &Request) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&request.body).unwrap();
    SerializedFileReader::new(file).unwrap()
}

/// The rows of a file, by column.
fn rows(request: &Request) -> Vec<BTreeMap<String, Field>> {
    let rows = reader(request).into_iter().map(|row| row.unwrap().into_columns());
    rows.map(|columns| columns.into_iter().collect()).collect()
}

/// A row as the line that it stands for.
fn as_line(row: &BTreeMap<String, Field>, names: impl Iterator<Item = String>) -> Value {
    let value = |name: &str| match &row[name] {
        Field::TimestampMicros(micros) => json!(Timestamp::from_micros(*micros).unwrap().to_six_digits()),
        Field::Str(text) if ["meta", "event"].contains(&name) => serde_json::from_str(text).unwrap(),
        Field::Str(text) => json!(text),
        Field::Long(number) => json!(number),
        other => panic!("{name}: {other:?}"),
    };
    names.map(|name| (name.clone(), value(&name))).collect::<serde_json::Map<_, _>>().into()
}

fn events() -> Vec<Item> {
    vec![
        audit(1, &json!({ "event_type": "door.open" })),
        audit(
            2,
            &json!({
                "event_type": "door.open", "activity": "Tür 🚪 \"öffnet\"", "actor_id": "alice", "user_id": i64::MIN,
                "status": "denied", "latency_ms": 12.5, "http_status": 403, "ip_address": "2001:db8::1", "value": "",
                "meta": { "n": 1, "text": "x", "none": null }, "event_payload": [1, { "deep": [null] }],
                "correlation_id": "c-1", "unknown": { "member": 1 },
            }),
        ),
        traffic(3, &json!({ "flow_id": "f", "type": "TYPE_START" })),
        traffic(
            4,
            &json!({
                "type": "TYPE_END", "rx_bytes": u64::MAX, "tx_bytes": 7, "protocol": 6, "direction": "INGRESS",
                "source": { "id": "p", "type": "PEER", "address": "[2001:db8::1]:443" }, "user": { "id": "u" },
                "icmp": { "type": 8, "code": 0 }, "window_start": "2024-01-31T11:59:00.5Z",
                "events": [{ "type": "TYPE_DROP", "timestamp": "2024-01-31T12:00:00Z" }],
            }),
        ),
    ]
}

#[tokio::test]
async fn a_table_holds_all_that_the_lines_hold() {
    let [lines, tables] = [sent("ndjson", &events()).await, sent("parquet", &events()).await];
    assert_eq!((lines.len(), tables.len()), (2, 2), "one object for each kind");
    for (line_object, table) in lines.iter().zip(&tables) {
        assert_eq!(line_object.path.replace(".ndjson.gz", ".parquet"), table.path);
        assert_eq!(table.header("content-type"), "application/vnd.apache.parquet");
        assert!(!table.headers.contains_key("content-encoding"));
        let text = String::from_utf8(unpacked(line_object)).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let rows = rows(table);
        assert_eq!(rows.len(), lines.len());
        for (row, line) in rows.iter().zip(&lines) {
            assert_eq!(&as_line(row, line.as_object().unwrap().keys().cloned()), line);
        }
    }
}

#[tokio::test]
async fn numbers_in_columns_of_json_keep_their_digits() {
    let payload = r#"[18446744073709551616,1.10,1e2,0.10000000000000000001]"#;
    let item = audit_as_written(
        1,
        &format!(r#"{{"event_type":"a.b","latency_ms":12.50,"meta":{{"n":1.10}},"event_payload":{payload}}}"#),
    );
    let tables = sent("parquet", &[item]).await;
    let row = rows(&tables[0]).remove(0);
    let Field::Str(event) = &row["event"] else { panic!("a text: {row:?}") };
    for member in
        [format!(r#""event_payload":{payload}"#), r#""latency_ms":12.50"#.into(), r#""meta":{"n":1.10}"#.into()]
    {
        assert!(event.contains(&member), "{event}");
    }
    // In NetBird's envelope the values of meta are texts.
    assert_eq!(row["meta"], Field::Str(r#"{"n":"1.10"}"#.to_owned()));
}

#[tokio::test]
async fn columns_have_types_and_what_no_type_holds_is_null() {
    let tables = sent("parquet", &events()).await;
    let [audit, traffic] = [rows(&tables[0]), rows(&tables[1])];
    assert_eq!(audit[1]["user_id"], Field::Long(i64::MIN));
    assert_eq!(audit[1]["http_status"], Field::Long(403));
    assert_eq!(audit[1]["latency_ms"], Field::Double(12.5));
    assert_eq!(audit[1]["status"], Field::Str("denied".to_owned()));
    assert_eq!([&audit[0]["status"], &audit[0]["user_id"], &audit[0]["latency_ms"]], [&Field::Null; 3]);
    assert_eq!(traffic[1]["tx_bytes"], Field::Long(7));
    assert_eq!(traffic[1]["rx_bytes"], Field::Null);
    let event = as_line(&traffic[1], ["event".to_owned()].into_iter());
    assert_eq!(event["event"]["rx_bytes"], json!(u64::MAX));
    assert_eq!([&traffic[1]["protocol"], &traffic[1]["icmp_type"]], [&Field::Long(6), &Field::Long(8)]);
    assert_eq!(traffic[1]["source_address"], Field::Str("[2001:db8::1]:443".to_owned()));
    let window = Timestamp::parse("2024-01-31T11:59:00.5Z").unwrap().micros();
    assert_eq!(
        [&traffic[1]["window_start"], &traffic[0]["window_start"]],
        [&Field::TimestampMicros(window), &Field::Null]
    );
}

#[tokio::test]
async fn a_table_has_the_same_columns_whatever_its_events_say() {
    let mut columns = BTreeMap::<String, LogicalType>::new();
    for kind in [&events()[..2], &events()[2..]] {
        let names = async |items: &[Item]| {
            let table = sent("parquet", items).await.remove(0);
            let metadata = reader(&table).metadata().clone();
            let is_packed = |column: &ColumnChunkMetaData| matches!(column.compression(), Compression::ZSTD(_));
            assert!(metadata.row_groups().iter().all(|group| group.columns().iter().all(is_packed)));
            let schema = metadata.file_metadata().schema_descr().columns().to_vec();
            schema
                .into_iter()
                .map(|column| (column.name().to_owned(), column.logical_type_ref().cloned()))
                .collect::<Vec<_>>()
        };
        let (one, other) = (names(&kind[..1]).await, names(&kind[1..]).await);
        assert_eq!(one, other);
        assert_eq!(one[0], ("timestamp".to_owned(), Some(LogicalType::timestamp(true, TimeUnit::MICROS))));
        // Both kinds are read as one table, too.
        for (name, of_type) in one.into_iter().filter_map(|(name, of_type)| Some((name, of_type?))) {
            assert_eq!(columns.entry(name.clone()).or_insert(of_type.clone()), &of_type, "{name}");
        }
    }
}

#[tokio::test]
async fn the_same_events_are_the_same_bytes() {
    let [one, other] = [sent("parquet", &events()).await, sent("parquet", &events()).await];
    for (one, other) in one.iter().zip(&other) {
        assert!(one.body == other.body && one.path == other.path);
    }
}
