use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::time::Timestamp;

/// What NetBird's dashboard proposes.
const PROPOSED: &str = r#"{
  "id": "{{.ID}}",
  "timestamp": "{{.Timestamp.Format "2006-01-02T15:04:05.999Z07:00"}}",
  "message": "{{.Message}}",
  "initiator_id": "{{.InitiatorID}}",
  "target_id": "{{.TargetID}}",
  "meta": "{{.Meta}}"
}"#;

fn time() -> Timestamp {
    Timestamp::parse("2024-01-31T09:05:07.250Z").unwrap()
}

fn value(field: &Field, text: &str) -> Value {
    match field {
        Field::Id | Field::Message | Field::InitiatorId | Field::TargetId | Field::Reference => Value::from(text),
        Field::Timestamp => Value::from(time().to_string()),
        Field::TimestampAs(layout) => Value::from(layout.format(time())),
        Field::TimestampIn(unit) => Value::from(unit.count(time())),
        Field::Meta => json!({ "name": text }),
        Field::MetaMember(name) if name == "name" => Value::from(text),
        Field::MetaMember(_) => Value::Null,
    }
}

fn rendered(template: &str, text: &str) -> Value {
    let template: Template = template.parse().unwrap();
    serde_json::from_slice(&template.render(|field| value(field, text))).unwrap()
}

fn refusal(template: &str) -> String {
    template.parse::<Template>().unwrap_err().to_string()
}

#[test]
fn what_the_dashboard_proposes_gives_valid_json() {
    let text = "a \"b\" \\ + <c>\n";
    assert_eq!(
        rendered(PROPOSED, text),
        json!({
            "id": text, "timestamp": "2024-01-31T09:05:07.25Z", "message": text, "initiator_id": text,
            "target_id": text, "meta": json!({ "name": text }).to_string(),
        })
    );
}

/// Every template of NetBird's documentation, and what becomes of it: pages "Generic HTTP" and "SentinelOne Data Lake".
#[test]
fn what_netbirds_documentation_shows_gives_valid_json() {
    const SENTINEL_ONE: &str = r#"{
  "id": "{{.ID}}",
  "time": "{{.Timestamp.UnixNano}}",
  "event": "{{.Message}}",
  "initiator_id": "{{.InitiatorID}}",
  "target_id": "{{.TargetID}}",
  "host": "netbird",
  "source": "netbird",
  "sourcetype": "json",
  "fields": "{{.Meta}}"
}"#;
    let nanos = "1706691907250000000";
    for (template, expected) in [
        (r#"{"event_id": "{{.ID}}"}"#, json!({"event_id": "x"})),
        ("{{.Timestamp.UnixNano}}", json!(1_706_691_907_250_000_000_i64)),
        (r#""{{.Timestamp.Format "2006-01-02T15:04:05.999Z07:00"}}""#, json!("2024-01-31T09:05:07.25Z")),
        (r#"{"text": "{{.Message}}"}"#, json!({"text": "x"})),
        (r#"{"user": "{{.InitiatorID}}"}"#, json!({"user": "x"})),
        (r#"{"resource": "{{.TargetID}}"}"#, json!({"resource": "x"})),
        (r#"{"source": "{{.Meta.name}}"}"#, json!({"source": "x"})),
        (r#"{"ref": "{{.Reference}}"}"#, json!({"ref": "x"})),
        (
            SENTINEL_ONE,
            json!({
                "id": "x", "time": nanos, "event": "x", "initiator_id": "x", "target_id": "x", "host": "netbird",
                "source": "netbird", "sourcetype": "json", "fields": "{\"name\":\"x\"}",
            }),
        ),
    ] {
        assert_eq!(rendered(template, "x"), expected, "{template}");
    }
}

#[test]
fn the_event_has_a_name_too() {
    let template = r#"{"i":"{{.Event.ID}}","t":{{.Event.Timestamp.Unix}},"n":{{index .Event.Meta "name"}},"m":{{ json .Event.Meta }}}"#;
    assert_eq!(rendered(template, "x"), json!({"i": "x", "t": 1_706_691_907, "n": "x", "m": {"name": "x"}}));
    for unknown in ["{{.Event}}", "{{.Events.ID}}", "{{.EventID}}", "{{.Event.Event.ID}}"] {
        assert!(refusal(&format!("[{unknown}]")).starts_with("cannot do"), "{unknown}");
    }
}

#[test]
fn times_are_counted_in_whole_units_also_before_1970() {
    let before = Timestamp::parse("1969-12-31T23:59:59.999999Z").unwrap();
    let counts = [Unit::Seconds, Unit::Millis, Unit::Micros, Unit::Nanos].map(|unit| unit.count(before));
    assert_eq!(counts, [-1, -1, -1, -1000]);
    assert_eq!(Unit::Nanos.count(Timestamp::LAST), i64::MAX);
}

#[test]
fn a_value_outside_of_a_string_is_a_value_of_its_own() {
    let template = r#"{"m":{{.Meta}},"n":{{ .Meta.name }},"o":{{index .Meta "other"}},"s":{{.Timestamp.Unix}},"j":{{json .ID}},"k":{{.ID | toJson}}}"#;
    let expected = json!({"m": {"name": "x"}, "n": "x", "o": null, "s": 1_706_691_907, "j": "x", "k": "x"});
    assert_eq!(rendered(template, "x"), expected);
}

#[test]
fn blanks_are_trimmed_and_comments_dropped_as_in_go() {
    let template: Template = "[1 {{- /* note */ -}} , {{- .ID -}} ]".parse().unwrap();
    assert_eq!(template.render(|field| value(field, "x")), b"[1,\"x\"]");
}

#[test]
fn on_one_line_it_is_one_line() {
    let template: Template = PROPOSED.parse().unwrap();
    let line = template.on_one_line().render(|field| value(field, "a\nb"));
    assert!(!line.contains(&b'\n'));
    assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), rendered(PROPOSED, "a\nb"));
}

#[test]
fn what_is_no_template_says_why() {
    assert!(refusal("{{.Color}}").starts_with("cannot do {{.Color}}; known are .ID"));
    assert!(refusal("{{range .Meta}}{{end}}").starts_with("cannot do {{range .Meta}}"));
    assert!(refusal("{{if .ID}}1{{end}}").starts_with("cannot do {{if .ID}}"));
    assert!(refusal("{{.Meta.}}").starts_with("cannot do"));
    assert!(refusal("{{}}").starts_with("cannot do"));
    assert_eq!(refusal("{\"a\": \"{{.ID\"}"), "opens {{ and does not close it");
    assert!(refusal("id={{.ID}}").starts_with("does not give valid JSON"));
    assert!(refusal("{{.ID}}{{.ID}}").starts_with("does not give valid JSON"));
    for glued in ["[1{{.Timestamp.Unix}}]", "[{{.Timestamp.Unix}}1]", "[-{{.Timestamp.Unix}}]", "{ {{.Meta.name}}: 1 }"]
    {
        assert!(refusal(glued).starts_with("does not give valid JSON"), "{glued}");
    }
    assert!(refusal("").starts_with("does not give valid JSON"));
    assert_eq!(refusal(&" ".repeat(20_000)), "must not be longer than 16384 bytes");
}

#[test]
fn times_are_written_as_go_writes_them() {
    // The right side is what Go's time.Format gives.
    for (layout, expected) in [
        ("2006-01-02T15:04:05Z07:00", "2024-01-31T09:05:07Z"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2024-01-31T09:05:07.25Z"),
        ("2006-01-02T15:04:05.000000Z07:00", "2024-01-31T09:05:07.250000Z"),
        ("Mon Jan _2 15:04:05 2006", "Wed Jan 31 09:05:07 2024"),
        ("Mon, 02 Jan 2006 15:04:05 -0700", "Wed, 31 Jan 2024 09:05:07 +0000"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Wednesday, 31-Jan-24 09:05:07 UTC"),
        ("3:04PM", "9:05AM"),
        ("02.1.06 4m5s", "31.1.24 5m7s"),
        ("15h", "09h"),
    ] {
        assert_eq!(Layout::new(layout).format(time()), expected, "{layout}");
    }
}

proptest! {
    #[test]
    fn no_value_breaks_out_of_its_place(text in ".*") {
        prop_assert_eq!(&rendered(PROPOSED, &text)["message"], &Value::from(text.as_str()));
        prop_assert_eq!(rendered("[{{.ID}}]", &text), json!([text]));
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_gives_json(template in "[{}\\[\\]\":,a-z .\\\\]{0,12}(\\{\\{(-? ?)(\\.ID|\\.Meta|\\.Message)( ?-?)\\}\\}[{}\\[\\]\":,a-z\\\\ ]{0,8}){0,3}", text in ".*") {
        if let Ok(template) = template.parse::<Template>() {
            let out = template.render(|field| value(field, &text));
            prop_assert!(serde_json::from_slice::<Value>(&out).is_ok());
        }
    }
}
