//! All that a list has, in one answer.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use model::access::Scope;
use parquet::file::reader::{FileReader, SerializedFileReader};
use runtime::settings::LimitSettings;
use serde_json::{Value, json};
use tower::ServiceExt;
use views::{access, audit};

use super::remote::endpoint;
use super::world::{World, gateway, request, routed};
use crate::Reader;
use crate::app::Resources;
use crate::http::cors::Origins;

const AUDIT: &str = "/flowtrail/v1/audit";
const TRAFFIC: &str = "/flowtrail/v1/traffic";

/// A world with some events of each kind in `main`, and one in another account.
async fn filled() -> (World, String) {
    let world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    world.known("main", "u1", &json!({ "email": "alice@example.com" }));
    for number in 0..1200_u64 {
        let data = json!({
            "event_type": if number % 3 == 0 { "route.add" } else { "user.login" }, "actor_id": format!("u{}", number % 2),
            "meta": { "n": number, "text": "a, \"b\"\nc" }, "latency_ms": 0.5, "http_status": -1,
            "error_message": if number % 5 == 0 { "=1+1" } else { "no" }, "event_payload": { "long": "x".repeat(400) },
        });
        world.audit("main", &format!("e{number:04}"), number / 4, &data);
        let data = json!({
            "flow_id": format!("f{number}"), "reporter_id": "gw", "type": "TYPE_DROP", "rx_bytes": number, "protocol": 17,
            "source": { "address": format!("10.0.0.{}:53", number % 200) }, "user": { "id": "u1" },
        });
        world.traffic("main", &format!("r{number}"), number / 4, &data);
    }
    world.audit("main", "read", 1, &json!({ "event_type": "audit.read" }));
    world.audit("other", "theirs", 1, &json!({ "event_type": "a.b" }));
    (world, token)
}

/// An answer with its trailers.
struct Whole {
    headers: HeaderMap,
    bytes: Bytes,
    trailers: Option<HeaderMap>,
}

async fn export(world: &World, token: &str, path: &str, accepted: &str) -> Whole {
    let mut asked = request(Method::GET, token, path, Body::empty());
    asked.headers_mut().insert("accept-encoding", accepted.parse().unwrap());
    let answer = world.router.clone().oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let headers = answer.headers().clone();
    let body = answer.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned();
    Whole { headers, bytes: body.to_bytes(), trailers }
}

/// The lines of an export, and what the last one says.
fn lines(bytes: &[u8]) -> (Vec<Value>, Value) {
    let mut lines: Vec<Value> =
        std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.pop().unwrap();
    (lines, last["flowtrail"].clone())
}

/// The same, page by page.
async fn listed(world: &World, token: &str, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(token, &format!("{path}&limit=100{cursor}")).await.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn an_export_is_the_list_from_its_first_page_to_its_last() {
    let (world, token) = filled().await;
    for (family, query, count) in [
        (AUDIT, "reads=include", 1201),
        (AUDIT, "from=2024-01-01", 1200),
        (AUDIT, "q=activity:route.*%20email:alice*", 200),
        (AUDIT, "q=meta.n:%3E600&from=2024-01-01T00:01", 599),
        (AUDIT, "q=type:audit.read", 1),
        (AUDIT, "to=2023-01-01", 0),
        (TRAFFIC, "from=2024-01-01", 1200),
        (TRAFFIC, "q=src:10.0.0.0/25%20rx_bytes:%3E=600%20email:alice*", 384),
        (TRAFFIC, "q=protocol:tcp", 0),
    ] {
        let whole = export(&world, &token, &format!("{family}/export?{query}"), "identity").await;
        let (items, last) = lines(&whole.bytes);
        assert_eq!(items.len(), count, "{family} {query}");
        assert!(items == listed(&world, &token, &format!("{family}?{query}")).await, "{family} {query}");
        let as_of = whole.headers["flowtrail-as-of"].to_str().unwrap();
        assert_eq!(last, json!({ "complete": true, "count": count, "as_of": as_of }));
        assert_eq!(whole.headers["content-type"], "application/x-ndjson");
    }
    let asked = format!("{AUDIT}/export");
    assert_eq!(
        export(&world, &token, &asked, "").await.headers["content-disposition"],
        "attachment; filename=\"flowtrail.audit.ndjson\""
    );
}

#[tokio::test]
async fn it_is_compressed_as_the_client_likes() {
    let (world, token) = filled().await;
    let path = format!("{AUDIT}/export?format=ndjson");
    let plain = export(&world, &token, &path, "identity").await;
    assert!(plain.headers.get("content-encoding").is_none());
    let gzip = export(&world, &token, &path, "gzip").await;
    let zstd = export(&world, &token, &path, "gzip, zstd").await;
    let mut unpacked = Vec::new();
    GzDecoder::new(&*gzip.bytes).read_to_end(&mut unpacked).unwrap();
    assert!((&gzip.headers["content-encoding"], &*unpacked) == (&"gzip".parse().unwrap(), &*plain.bytes));
    let unpacked = zstd::decode_all(&*zstd.bytes).unwrap();
    assert!((&zstd.headers["content-encoding"], &*unpacked) == (&"zstd".parse().unwrap(), &*plain.bytes));
}

#[tokio::test]
async fn it_is_of_the_moment_when_it_began() {
    let (world, token) = filled().await;
    let before = listed(&world, &token, &format!("{TRAFFIC}?from=2024-01-01")).await;
    let asked = request(Method::GET, &token, &format!("{TRAFFIC}/export"), Body::empty());
    let mut body = world.router.clone().oneshot(asked).await.unwrap().into_body();
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.unwrap().into_data() else { continue };
        pieces += usize::from(!data.is_empty());
        if pieces == 1 {
            for number in 0..1200_u64 {
                // The oldest rows are amended, and new ones come between the others.
                let data = json!({ "flow_id": format!("f{number}"), "reporter_id": "gw", "tx_bytes": 7 });
                world.traffic("main", &format!("again{number}"), number / 4 + 1, &data);
                let data = json!({ "flow_id": format!("new{number}"), "reporter_id": "gw" });
                world.traffic("main", &format!("new{number}"), number / 4, &data);
            }
        }
        bytes.extend_from_slice(&data);
    }
    assert!(pieces > 1, "{pieces}");
    assert!(lines(&bytes).0 == before);
}

#[tokio::test]
async fn csv_is_read_by_python_and_has_no_formulas() {
    const READ: &str = "import csv, io, json, sys\n\
        rows = csv.DictReader(io.TextIOWrapper(sys.stdin.buffer, 'utf-8', newline=''), strict=True)\n\
        json.dump(list(rows), sys.stdout)";
    let (world, token) = filled().await;
    for family in [AUDIT, TRAFFIC] {
        let whole = export(&world, &token, &format!("{family}/export?format=csv"), "identity").await;
        let items = listed(&world, &token, &format!("{family}?from=2024-01-01")).await;
        let mut python =
            Command::new("python3").args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = python.stdin.take().unwrap();
        let bytes = whole.bytes.clone();
        let writing = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
        let read = python.wait_with_output().unwrap();
        writing.join().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(rows.len(), items.len());
        for (row, item) in rows.iter().zip(&items) {
            for (name, value) in row.as_object().unwrap() {
                let text = value.as_str().unwrap();
                assert!(!text.starts_with(['=', '+', '-', '@']) || text.parse::<f64>().is_ok(), "{name}: {text}");
                assert_eq!(text, cell(item, name), "{name}");
            }
        }
        let trailers = whole.trailers.unwrap();
        assert_eq!(trailers["flowtrail-complete"], "true");
        assert_eq!(trailers["flowtrail-count"], "1200");
        assert_eq!(whole.headers["content-type"], "text/csv; charset=utf-8; header=present");
    }
}

/// What stands in a column of an item.
fn cell(item: &Value, name: &str) -> String {
    let inner = name.split_once('_').and_then(|(part, field)| {
        let field =
            if field == "city_name" || field == "country_code" { &format!("geo_location/{field}") } else { field };
        item.pointer(&format!("/{part}/{field}"))
    });
    match item.get(name).or(inner).unwrap_or(&Value::Null) {
        Value::Null => String::new(),
        Value::String(text) if text == "DIRECTION_UNKNOWN" => String::new(),
        Value::String(text) if text.starts_with('=') => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn parquet_is_typed_and_has_every_row() {
    let (world, token) = filled().await;
    let sum = |whole: &Whole, column: &str| {
        let file = SerializedFileReader::new(whole.bytes.clone()).unwrap();
        let (mut rows, mut sum) = (0, 0);
        for row in file.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let (_, value) = row.get_column_iter().find(|(name, _)| *name == column).unwrap();
            sum += value.to_string().parse::<i64>().unwrap();
            rows += 1;
        }
        (rows, sum)
    };
    let whole = export(&world, &token, &format!("{TRAFFIC}/export?format=parquet"), "gzip").await;
    assert_eq!(sum(&whole, "rx_bytes"), (1200, (0..1200).sum()));
    assert!(whole.headers.get("content-encoding").is_none());
    let whole = export(&world, &token, &format!("{AUDIT}/export?format=parquet&q=type:route.add"), "").await;
    assert_eq!(sum(&whole, "http_status"), (400, -400));
    let whole = export(&world, &token, &format!("{AUDIT}/export?format=parquet&to=2023-01-01"), "").await;
    assert_eq!(sum(&whole, "http_status"), (0, 0));
}

#[tokio::test]
async fn a_projector_elsewhere_gives_the_same_and_where_it_ends_no_answer_is_whole() {
    let (mut world, token) = filled().await;
    let views = world.views.clone();
    world.serve_all(vec![endpoint::<access::ByToken>(&views), endpoint::<audit::Export>(&views)]).await;
    let here = export(&world, &token, &format!("{AUDIT}/export"), "identity").await;
    world.router = gateway(Reader::Remote(world.bus.clone()), &world.bus);
    let there = export(&world, &token, &format!("{AUDIT}/export"), "identity").await;
    assert!(here.bytes == there.bytes);
    for (format, mark) in [("ndjson", &b"complete"[..]), ("csv", b"\ne0000,")] {
        let asked = request(Method::GET, &token, &format!("{AUDIT}/export?format={format}"), Body::empty());
        let mut body = world.router.clone().oneshot(asked).await.unwrap().into_body();
        let (mut bytes, mut broke) = (Vec::new(), false);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(&frame.into_data().expect("there are no trailers")),
                Err(_) => broke = true,
            }
            world.end_services();
        }
        assert!(broke && !bytes.is_empty());
        assert!(!bytes.windows(mark.len()).any(|part| part == mark));
        let views = world.views.clone();
        world.serve_all(vec![endpoint::<access::ByToken>(&views), endpoint::<audit::Export>(&views)]).await;
    }
}

#[tokio::test]
async fn an_account_has_so_many_exports_at_a_time_and_each_is_recorded_once() {
    let (mut world, token) = filled().await;
    world.record(true);
    drop(export(&world, &token, &format!("{TRAFFIC}/export?q=flow:f1"), "").await);
    world.end_recording().await;
    let recorded = world.recorded("main").await;
    assert_eq!((recorded.len(), &recorded[0]["event_type"]), (1, &json!("traffic.read")));
    let meta = &recorded[0]["meta"];
    assert_eq!((&meta["question"], &meta["filter"]["q"]), (&json!("traffic.export"), &json!("flow:f1")));

    let limits = LimitSettings { exports: 1, ..LimitSettings::NONE };
    world.router = routed(Resources { limits, ..world.resources(false).0 }, &Origins::Any);
    let asked = request(Method::GET, &token, &format!("{AUDIT}/export"), Body::empty());
    let one = world.router.clone().oneshot(asked).await.unwrap();
    let refused = world.get(&token, &format!("{TRAFFIC}/export")).await;
    let detail = "exports: the account has 1 at a time already, as many as FLOWTRAIL_EXPORTS allows";
    assert_eq!((refused.status.as_u16(), &refused.json()["detail"]), (429, &json!(detail)));
    drop(one);
    assert_eq!(world.get(&token, &format!("{TRAFFIC}/export")).await.status, 200);
    for (query, expected) in [
        ("format=xml", "format: must be one of ndjson, csv, parquet"),
        ("limit=1", "limit: is no parameter here"),
        ("q=actr:x", "q: column 1: \"actr\" is no field: is actor meant?"),
    ] {
        let answer = world.get(&token, &format!("{AUDIT}/export?{query}")).await;
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(answer.status == 400 && detail.starts_with(expected), "{detail}");
    }
}
