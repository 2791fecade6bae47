use super::*;

const ACCEPTED: &str =
    "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const REJECTED: &str =
    "2 123456789010 eni-1235b8ca 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK";
const NO_DATA: &str = "2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA";

fn draft(lines: &[&str]) -> Option<Draft<'static>> {
    let mut fields = Fields::default();
    let mut last = None;
    for line in lines {
        last = map(line, &mut fields, None).unwrap();
    }
    last
}

fn mapped(lines: &[&str]) -> Reported {
    serde_json::from_str(&draft(lines).unwrap().data).unwrap()
}

fn rejected(line: &str) -> String {
    map(line, &mut Fields::default(), None).unwrap_err().to_string()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn accepted_traffic_is_a_start_and_an_end_in_its_window() {
    let data = mapped(&[ACCEPTED]);
    let (start, end) = (time("2014-12-14T04:06:50Z"), time("2014-12-14T04:07:50Z"));
    assert_eq!((data.window_start, data.window_end), (Some(start), Some(end)));
    let event = |timestamp, event_type| SubEvent { timestamp, event_type };
    assert_eq!(data.events, [event(start, EventType::Start), event(end, EventType::End)]);
    assert_eq!(data.reporter_id.as_deref(), Some("eni-1235b8ca"));
    assert_eq!(data.source.address.as_deref(), Some("172.31.16.139:20641"));
    assert_eq!(data.destination.address.as_deref(), Some("172.31.16.21:22"));
    assert_eq!((data.protocol, data.tx_packets, data.tx_bytes, data.rx_bytes), (Some(6), 20, 4249, 0));
}

#[test]
fn rejected_traffic_is_a_drop() {
    let start = time("2014-12-14T04:06:50Z");
    assert_eq!(mapped(&[REJECTED]).events, [SubEvent { timestamp: start, event_type: EventType::Drop }]);
}

#[test]
fn lines_that_tell_of_no_flow_are_skipped() {
    assert_eq!(draft(&[NO_DATA]), None);
    assert_eq!(draft(&[&NO_DATA.replace("NODATA", "SKIPDATA")]), None);
    assert_eq!(draft(&[&DEFAULT_FIELDS.join(" ")]), None);
}

#[test]
fn the_first_line_may_name_the_fields() {
    let data = mapped(&["start end srcaddr dstaddr flow-direction", "1 2 10.0.0.1 2001:db8::1 egress"]);
    assert_eq!(data.source.address.as_deref(), Some("10.0.0.1:0"));
    assert_eq!(data.destination.address.as_deref(), Some("[2001:db8::1]:0"));
    assert_eq!(data.direction, Direction::Egress);
    assert_eq!(data.reporter_id.as_deref(), Some("aws-vpc-flow"));
    assert_eq!(data.events[0].event_type, EventType::Unknown);
}

#[test]
fn the_names_may_stand_as_in_the_definition_of_a_flow_log() {
    let data = mapped(&["${pkt-srcaddr} ${pkt-dstaddr} ${start} ${end} ${action}", "::1 ::2 1 2 REJECT"]);
    assert_eq!(data.source.address.as_deref(), Some("[::1]:0"));
}

#[test]
fn a_line_is_its_own_flow_by_its_values_and_their_names() {
    let id = |lines: &[&str]| draft(lines).unwrap().id;
    assert_eq!(id(&[ACCEPTED]), id(&[&DEFAULT_FIELDS.join(" "), &ACCEPTED.replace(' ', "  ")]));
    assert_ne!(id(&[ACCEPTED]), id(&[REJECTED]));
    assert_ne!(id(&["srcaddr dstaddr start end", "::1 ::2 1 2"]), id(&["dstaddr srcaddr start end", "::1 ::2 1 2"]));
    assert_eq!(mapped(&[ACCEPTED]).flow_id, None);
}

#[test]
fn what_does_not_fit_is_named() {
    assert_eq!(rejected("1 2 3"), "line: has 3 fields, but 14 are named");
    assert!(rejected(&ACCEPTED.replace("20641", "99999")).starts_with("srcport: "));
    assert!(rejected(&ACCEPTED.replace("172.31.16.21", "there")).starts_with("dstaddr: "));
    assert_eq!(rejected(&ACCEPTED.replace("ACCEPT", "MAYBE")), "action: must be ACCEPT or REJECT");
    assert_eq!(rejected(&ACCEPTED.replace("1418530010", "-")), "start: is missing");
}
