use super::*;

const ACCEPTED: &str =
    "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const REJECTED: &str =
    "2 123456789010 eni-1235b8ca 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK";
const NO_DATA: &str = "2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA";

/// What becomes of the last of lines that follow one another in a file.
fn last(lines: &[&str]) -> Mapped<'static> {
    let mut fields = Fields::default();
    let mut mapped = None;
    for line in lines {
        mapped = Some(map(line, &mut fields, None).unwrap());
    }
    mapped.unwrap()
}

fn draft(lines: &[&str]) -> Draft<'static> {
    last(lines).event()
}

fn mapped(lines: &[&str]) -> Reported {
    serde_json::from_str(&draft(lines).data).unwrap()
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
    assert_eq!(last(&[NO_DATA]).skipped(), Skipped::NoFlow);
    assert_eq!(last(&[&NO_DATA.replace("NODATA", "SKIPDATA")]).skipped(), Skipped::NoFlow);
    assert_eq!(last(&[&DEFAULT_FIELDS.join(" ")]).skipped(), Skipped::Header);
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
    let id = |lines: &[&str]| draft(lines).id;
    assert_eq!(id(&[ACCEPTED]), id(&[&DEFAULT_FIELDS.join(" "), &ACCEPTED.replace(' ', "  ")]));
    assert_ne!(id(&[ACCEPTED]), id(&[REJECTED]));
    assert_ne!(id(&["srcaddr dstaddr start end", "::1 ::2 1 2"]), id(&["dstaddr srcaddr start end", "::1 ::2 1 2"]));
    assert_eq!(mapped(&[ACCEPTED]).flow_id, None);
}

#[test]
fn what_does_not_fit_is_named() {
    let why = rejected("1 2 3");
    assert!(why.starts_with("line: has 3 fields, but 14 are named; "), "{why}");
    assert!(rejected(&ACCEPTED.replace("20641", "99999")).starts_with("srcport: "));
    assert!(rejected(&ACCEPTED.replace("172.31.16.21", "there")).starts_with("dstaddr: "));
    assert_eq!(rejected(&ACCEPTED.replace("ACCEPT", "MAYBE")), "action: must be ACCEPT or REJECT");
    assert_eq!(rejected(&ACCEPTED.replace("1418530010", "-")), "start: is missing");
}

#[test]
fn a_record_has_the_same_id_by_every_way_it_may_have_come() {
    let expected = draft(&[ACCEPTED]);
    let ways = [
        format!("2014-12-14T04:08:00.000Z {ACCEPTED}"),
        format!("2014-12-14T04:08:00+00:00 eni-1235b8ca-all {ACCEPTED}"),
        format!("2014-12-14T04:08:00 {ACCEPTED}"),
        serde_json::json!({ "message": ACCEPTED }).to_string(),
        serde_json::json!({ "id": "3", "timestamp": 1_418_530_010_000_u64, "message": ACCEPTED }).to_string(),
        serde_json::json!({ "logStreamName": "eni-1235b8ca-all", "message": format!("{ACCEPTED}\n"), "eventId": "3" })
            .to_string(),
    ];
    for way in ways {
        assert_eq!(draft(&[&way]), expected, "{way}");
    }
    let check = r#"{"message":"CWL CONTROL MESSAGE: Checking health of destination"}"#;
    assert_eq!(last(&[check]).skipped(), Skipped::HealthCheck);
    assert_eq!(rejected(r#"{"text":"2"}"#), "message: is missing");
}

#[test]
fn times_in_milliseconds_are_the_same_times() {
    let data = mapped(&[&ACCEPTED.replace("1418530010", "1418530010250").replace("1418530070", "1418530070000")]);
    assert_eq!(data.window_start, Some(time("2014-12-14T04:06:50.25Z")));
    assert_eq!(data.window_end, Some(time("2014-12-14T04:07:50Z")));
}

#[test]
fn each_transit_gateway_reports_its_own_flows() {
    let values = "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 1 2 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 a b \
                  tgw-attach-2 10.1.0.5 10.2.0.6 33000 443 6 9 1200 1706702400 1706702460 OK IPv4 0 0 0 0 2 us-east-1 egress - -";
    let data = mapped(&[values]);
    assert_eq!(data.reporter_id.as_deref(), Some("tgw-1"));
    assert_eq!(data.source.address.as_deref(), Some("10.1.0.5:33000"));
    assert_eq!((data.tx_bytes, data.direction), (1200, Direction::Egress));
    assert_eq!(draft(&[&TRANSIT_GATEWAY_FIELDS.join(" "), values]), draft(&[values]));
    let with_fields = mapped(&["tgw-id srcaddr dstaddr start end", "tgw-2 10.0.0.1 10.0.0.2 1 2"]);
    assert_eq!(with_fields.reporter_id.as_deref(), Some("tgw-2"));
}

#[test]
fn ipv6_is_written_in_one_form_however_it_was_spelled() {
    let data = mapped(&["srcaddr dstaddr start end", "2001:0db8:0:0:0:0:0:5 2001:DB8::5 1 2"]);
    assert_eq!(data.source.address, data.destination.address);
    assert_eq!(data.source.address.as_deref(), Some("[2001:db8::5]:0"));
}
