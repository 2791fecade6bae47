use model::log::AccountId;

use super::*;
use crate::sink::test_event;

fn name_of_type(values: &Values) -> &'static str {
    match values {
        Values::Times(_) => "timestamp, microseconds, UTC",
        Values::Texts(_) => "text",
        Values::Json(_) => "text that is JSON",
        Values::Integers(_) => "64-bit integer",
        Values::Decimals(_) => "double",
    }
}

fn audit() -> Item {
    test_event(&AccountId::parse("main").unwrap())
}

fn traffic() -> Item {
    let report = Report {
        id: "r".to_owned(),
        time: Timestamp::EPOCH,
        received_at: Timestamp::EPOCH,
        subject_reporter: "gw".to_owned(),
        data: Box::default(),
    };
    Item { kind: Kind::Traffic(Box::new(report)), ..audit() }
}

/// What stands in backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The columns of a kind as the page on delivery lists them, each with its type.
fn documented(kind: &str) -> Vec<(String, String)> {
    let page = include_str!("../../../../../../docs/delivery.md");
    let section = page.split("\n## ").find(|section| section.starts_with("Objects of Parquet\n")).unwrap();
    let mut columns = Vec::new();
    for row in section.lines().filter_map(|line| line.strip_prefix("| ")).skip(1) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let (of, names) = cells[0].split_once(": ").unwrap_or((kind, cells[0]));
        if !of.ends_with(kind) {
            continue;
        }
        let (starts, ends) = names.split_once(" before ").unwrap_or(("``", names));
        for start in spans(starts) {
            columns.extend(spans(ends).map(|end| ([start, end].concat(), cells[1].to_owned())));
        }
    }
    columns
}

fn actual(item: &Item) -> Vec<(String, String)> {
    let columns = columns(&[item]);
    columns.into_iter().map(|column| (column.name, name_of_type(&column.values).to_owned())).collect()
}

#[test]
fn the_page_on_delivery_lists_every_column_with_its_type() {
    for item in [audit(), traffic()] {
        let (mut actual, mut documented) = (actual(&item), documented(item.kind.name()));
        assert!(documented.len() > 30, "{documented:?}");
        actual.sort();
        documented.sort();
        assert_eq!(actual, documented, "{}", item.kind.name());
    }
}

#[test]
fn columns_of_traffic_stand_where_they_always_stood() {
    assert_eq!(
        columns(&[&traffic()]).iter().skip(13).map(|column| column.name.as_str()).collect::<Vec<_>>().join(" "),
        "flow_id reporter_id flow_user_id flow_user_email flow_user_name policy_id policy_name direction source_id \
         source_type source_name source_address source_os source_dns_label source_city_name source_country_code \
         destination_id destination_type destination_name destination_address destination_os destination_dns_label \
         destination_city_name destination_country_code protocol icmp_type icmp_code rx_bytes rx_packets tx_bytes \
         tx_packets num_of_starts num_of_ends num_of_drops window_start window_end"
    );
}
