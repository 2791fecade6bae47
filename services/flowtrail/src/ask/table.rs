//! Items as a table for people: what matters most of each, a line each.

use std::env;

use anyhow::Context;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, Width};
use indicatif::HumanBytes;
use model::filter::protocol_name;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Family;
use crate::terminal::visible;

/// The columns of a table, and how wide what is in them mostly is.
type Columns = &'static [(&'static str, u16)];

const EVENTS: Columns = &[("TIME", 19), ("STATUS", 7), ("EVENT", 24), ("ACTOR", 24), ("RESOURCE", 24), ("ADDRESS", 15)];
const RECORDS: Columns = &[
    ("TIME", 19),
    ("EVENT", 9),
    ("PROTOCOL", 8),
    ("SOURCE", 28),
    ("DESTINATION", 28),
    ("SENT", 10),
    ("RECEIVED", 10),
    ("REPORTER", 12),
];

/// A table of items, as wide as the terminal.
///
/// # Errors
/// When an item cannot be read.
pub(super) fn of(family: Family, items: &[Box<RawValue>]) -> anyhow::Result<Table> {
    let mut table = with_head(family);
    for item in items {
        table.add_row(row(family, item.get())?);
    }
    Ok(table)
}

/// The head of items that come line by line.
pub(super) fn head(family: Family) -> Table {
    as_line(family, with_head(family))
}

/// An item as a line by itself. Columns are as wide as in every other line, but for what needs more room.
///
/// # Errors
/// When the item cannot be read.
pub(super) fn line(family: Family, item: &str) -> anyhow::Result<Table> {
    let mut table = blank();
    table.add_row(row(family, item)?);
    Ok(as_line(family, table))
}

/// A table without lines, as wide as the terminal.
pub(super) fn blank() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // https://no-color.org
    if env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()) {
        // Without styling it does not look how wide the terminal is.
        if let Some(width) = table.width() {
            table.set_width(width);
        }
        table.force_no_tty();
    }
    table
}

/// The names of columns.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Row {
    names.into_iter().map(|name| Cell::new(visible(name)).add_attribute(Attribute::Bold)).collect::<Vec<_>>().into()
}

fn columns(family: Family) -> Columns {
    match family {
        Family::Audit => EVENTS,
        Family::Traffic => RECORDS,
    }
}

fn with_head(family: Family) -> Table {
    let mut table = blank();
    table.set_header(names(columns(family).iter().map(|(name, _)| *name)));
    table
}

fn as_line(family: Family, mut table: Table) -> Table {
    const PADDING: u16 = 2;
    table.set_content_arrangement(ContentArrangement::Disabled);
    let widths = columns(family).iter().map(|(_, width)| Width::Fixed(width + PADDING));
    table.set_constraints(widths.map(ColumnConstraint::LowerBoundary));
    table
}

fn row(family: Family, item: &str) -> anyhow::Result<Row> {
    let item: Value = serde_json::from_str(item).context("read an item")?;
    Ok(match family {
        Family::Audit => event(&item),
        Family::Traffic => record(&item),
    })
}

fn event(event: &Value) -> Row {
    let status = text(&event["status"]);
    let color = match status.as_str() {
        "success" => Color::Green,
        "failure" | "error" | "denied" => Color::Red,
        _ => Color::Yellow,
    };
    let actor = first(event, &["actor_email", "actor_name", "actor_id", "actor_type"]);
    let resource = together(&text(&event["resource_type"]), "/", &text(&event["resource_id"]));
    Row::from(vec![
        time(event),
        Cell::new(status).fg(color),
        Cell::new(text(&event["event_type"])),
        Cell::new(actor),
        Cell::new(resource),
        Cell::new(text(&event["ip_address"])),
    ])
}

fn record(record: &Value) -> Row {
    let events: Vec<String> =
        record["events"].as_array().into_iter().flatten().map(|event| text(&event["type"])).collect();
    let counted = [("num_of_starts", "TYPE_START"), ("num_of_ends", "TYPE_END"), ("num_of_drops", "TYPE_DROP")];
    let counted = counted.into_iter().filter(|(count, name)| {
        record[count].as_u64().is_some_and(|count| count > 0) && !events.iter().any(|event| event == name)
    });
    let kinds = events.iter().map(String::as_str).chain(counted.map(|(_, name)| name));
    let mut kinds: Vec<String> = kinds.map(|kind| kind.trim_start_matches("TYPE_").to_lowercase()).collect();
    kinds.dedup();
    let kind = kinds.join(" ");
    let color = if kind.contains("drop") { Color::Red } else { Color::Reset };
    let protocol = record["protocol"].as_u64().map(|number| {
        let name = u16::try_from(number).ok().and_then(protocol_name);
        name.map_or_else(|| number.to_string(), str::to_owned)
    });
    Row::from(vec![
        time(record),
        Cell::new(kind).fg(color),
        Cell::new(protocol.unwrap_or_default()),
        Cell::new(end(&record["source"])),
        Cell::new(end(&record["destination"])),
        Cell::new(bytes(&record["tx_bytes"])),
        Cell::new(bytes(&record["rx_bytes"])),
        Cell::new(text(&record["reporter_id"])),
    ])
}

/// To the second, which is what fits.
fn time(item: &Value) -> Cell {
    let time = text(&item["time"]);
    let whole = time.split_once('.').map_or(time.trim_end_matches('Z'), |(whole, _)| whole);
    Cell::new(whole.replace('T', " "))
}

/// An end of a flow: its name and its address.
fn end(end: &Value) -> String {
    together(&first(end, &["name", "dns_label", "id"]), " ", &text(&end["address"]))
}

fn bytes(count: &Value) -> String {
    count.as_u64().map(|count| HumanBytes(count).to_string()).unwrap_or_default()
}

/// The first of the members that is there.
fn first(item: &Value, names: &[&str]) -> String {
    names.iter().map(|name| text(&item[name])).find(|text| !text.is_empty()).unwrap_or_default()
}

fn together(one: &str, between: &str, other: &str) -> String {
    let between = if one.is_empty() || other.is_empty() { "" } else { between };
    format!("{one}{between}{other}")
}

/// A text as it may be shown, on one line; nothing where there is none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => visible(text).into_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(family: Family, item: &str) -> Vec<String> {
        let item = RawValue::from_string(item.to_owned()).unwrap();
        let table = of(family, &[item]).unwrap();
        let row = table.row(0).unwrap();
        row.cell_iter().map(Cell::content).collect()
    }

    #[test]
    fn an_event_is_shown_by_what_matters_most_of_it() {
        let event = r#"{"id":"e1","time":"2024-01-31T12:00:00.250Z","status":"success","event_type":"route.add",
            "actor_id":"u1","actor_email":"alice@example.com","resource_type":"route","resource_id":"r1",
            "ip_address":"203.0.113.7"}"#;
        let row = ["2024-01-31 12:00:00", "success", "route.add", "alice@example.com", "route/r1", "203.0.113.7"];
        assert_eq!(shown(Family::Audit, event), row);
        let event = r#"{"id":"e1","time":"2024-01-31T12:00:00Z","status":"error","event_type":"a\u001b[2Jb","actor_type":"system","resource_id":"r1"}"#;
        assert_eq!(shown(Family::Audit, event), ["2024-01-31 12:00:00", "error", "a\\u{1b}[2Jb", "system", "r1", ""]);
    }

    #[test]
    fn items_that_come_line_by_line_stand_below_one_another() {
        let event = |actor: &str| {
            format!(
                r#"{{"time":"2024-01-31T12:00:00Z","status":"success","event_type":"a.b","actor_id":"{actor}","ip_address":"203.0.113.7"}}"#
            )
        };
        let (long, short) = ("a".repeat(40), "bob");
        let lines = [&long, short].map(|actor| line(Family::Audit, &event(actor)).unwrap().to_string());
        let head = head(Family::Audit).to_string();
        assert!(lines.iter().chain([&head]).all(|line| line.lines().count() == 1), "{head}\n{lines:?}");
        let place = |line: &str, text: &str| line.find(text).unwrap();
        assert_eq!(place(&head, "ACTOR"), place(&lines[0], &long));
        assert_eq!(place(&head, "ACTOR"), place(&lines[1], short));
        assert_eq!(place(&head, "ADDRESS"), place(&lines[1], "203.0.113.7"));
        assert!(lines[0].contains("203.0.113.7"));
    }

    #[test]
    fn a_record_is_shown_by_what_matters_most_of_it() {
        let record = r#"{"id":"r","time":"2024-01-31T12:00:00Z","reporter_id":"gw-1","protocol":17,"tx_bytes":2048,
            "source":{"name":"laptop","address":"10.0.0.4:5000"},"destination":{"id":"dns","address":"10.0.0.1:53"},
            "events":[{"type":"TYPE_START","timestamp":"2024-01-31T12:00:00Z"}],"num_of_starts":1,"num_of_drops":2}"#;
        let row = [
            "2024-01-31 12:00:00",
            "start drop",
            "udp",
            "laptop 10.0.0.4:5000",
            "dns 10.0.0.1:53",
            "2.00 KiB",
            "",
            "gw-1",
        ];
        assert_eq!(shown(Family::Traffic, record), row);
        let record = r#"{"id":"r","time":"2024-01-31T12:00:00Z","reporter_id":"gw-1","protocol":250}"#;
        assert_eq!(shown(Family::Traffic, record), ["2024-01-31 12:00:00", "", "250", "", "", "", "", "gw-1"]);
    }
}
