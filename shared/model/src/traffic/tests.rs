use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::time::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn report(second: i64, data: Reported) -> Report {
    let data = Box::new(data);
    Report { id: "e".into(), time: at(second), received_at: at(second + 1), subject_reporter: "gw".into(), data }
}

fn fold(reports: impl IntoIterator<Item = Report>) -> Record {
    let mut records = reports.into_iter().map(|report| Record::from(&report).owned());
    let mut folded = records.next().unwrap();
    records.for_each(|record| folded.merge(&record));
    folded
}

fn text() -> impl Strategy<Value = Option<String>> {
    select(vec![None, Some("a".to_owned()), Some("b".to_owned())])
}

fn any_report() -> impl Strategy<Value = Report> {
    let kind = select(vec![None, Some(EventType::Start), Some(EventType::End), Some(EventType::Drop)]);
    let events = prop::collection::vec((0..5_i64, select(vec![EventType::Start, EventType::End])), 0..3);
    (kind, events, text(), text(), text(), 0..3_u64, 0..100_i64).prop_map(
        |(kind, events, name, os, policy, bytes, second)| {
            let mut data =
                Reported { flow_id: Some("f".into()), event_type: kind, rx_bytes: bytes, ..Reported::default() };
            data.events = events.into_iter().map(|(s, event_type)| SubEvent { timestamp: at(s), event_type }).collect();
            data.source.name = name;
            data.destination.os = os;
            data.policy.name = policy;
            report(second, data)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_order_and_any_repetition_gives_the_same_record(
        (reports, shuffled) in prop::collection::vec(any_report(), 1..8)
            .prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle())),
        again in any::<prop::sample::Index>(),
    ) {
        let repeated = shuffled.clone().into_iter().chain([shuffled[again.index(shuffled.len())].clone()]);
        prop_assert_eq!(fold(reports), fold(repeated));
    }
}

#[test]
fn start_and_end_fold_into_one_record_ordered_by_its_start() {
    let data = |kind| Reported { flow_id: Some("f".into()), event_type: Some(kind), ..Reported::default() };
    let end = Reported { rx_bytes: 7, ..data(EventType::End) };
    let record = fold([report(20, end), report(10, data(EventType::Start))]);
    assert_eq!((record.time(), record.window_start(), record.window_end()), (at(10), at(10), at(20)));
    assert_eq!((record.given.rx_bytes, record.events.len(), record.key.reporter_id.as_str()), (7, 2, "gw"));
    assert_eq!((record.count(EventType::Start), record.count(EventType::Drop)), (1, 0));
}

#[test]
fn a_report_that_says_nothing_still_has_an_event() {
    let record = fold([report(10, Reported::default())]);
    assert_eq!(record.events.first(), Some(&SubEvent { timestamp: at(10), event_type: EventType::Unknown }));
    assert_eq!(record.key.flow_id, "e");
}
