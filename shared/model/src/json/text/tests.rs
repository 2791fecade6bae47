use proptest::prelude::*;

use serde_json::value::RawValue;

use super::*;

#[test]
fn the_digits_of_a_number_stay() {
    for text in ["1.50", "117.63331139400017", "18446744073709551616", "-0.0", "1E5", "1e-400", "0.1e+300"] {
        assert_eq!(compact(text).as_deref(), Some(text));
    }
    assert_eq!(compact(" { \"b\" : [ 1.0 , 2 ] , \"a\" : {} } ").as_deref(), Some(r#"{"a":{},"b":[1.0,2]}"#));
}

#[test]
fn a_number_that_no_double_holds_becomes_a_text() {
    assert_eq!(compact("[1e400,-1E+999]").as_deref(), Some(r#"["1e400","-1E+999"]"#));
    let long = "9".repeat(400);
    assert_eq!(compact(&long), Some(format!("\"{long}\"")));
    assert_eq!(mended(r#"{"a":1e400,"b":"1e400"}"#), r#"{"a":"1e400","b":"1e400"}"#);
}

#[test]
fn half_a_surrogate_pair_becomes_u_fffd() {
    assert_eq!(
        compact(r#"{"a\ud83d":"\ud83d\ude00 \ude00\ud83d"}"#).as_deref(),
        Some("{\"a\u{fffd}\":\"😀 \u{fffd}\u{fffd}\"}")
    );
    assert_eq!(mended(r#"{"a":"x\uD83Dy\\ud83d","b":1}"#), r#"{"a":"x\ufffdy\\ud83d","b":1}"#);
    for whole in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""é\é\u00e9""#, "\"\\", "\"\\u", "\"a"] {
        assert!(matches!(mended(whole), Cow::Borrowed(_)), "{whole}");
    }
}

#[test]
fn of_equal_names_the_last_counts() {
    assert_eq!(compact(r#"{"b":1,"a":2,"b":3}"#).as_deref(), Some(r#"{"a":2,"b":3}"#));
    assert_eq!(compact(r#"{"a":1,"\u0061":2}"#).as_deref(), Some(r#"{"a":2}"#));
}

#[test]
fn what_is_no_json_has_no_form() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "nul",
        "1.",
        "01",
        "+1",
        "1 2",
        "\"a",
        "\"\\x\"",
        "\"\n\"",
        "NaN",
        "[}",
    ] {
        assert_eq!(compact(text), None, "{text}");
    }
    assert!(compact(&format!("{}{}", "[".repeat(128), "]".repeat(128))).is_some());
    assert!(compact(&"[".repeat(1_000_000)).is_none());
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_the_form_of_any_value(value in super::super::tests::any_value()) {
        prop_assert_eq!(compact(&value.to_string()), Some(value.to_string()));
        prop_assert_eq!(compact(&serde_json::to_string_pretty(&value).unwrap()), Some(value.to_string()));
    }

    #[test]
    fn any_text_has_a_form_where_it_is_json_and_none_else(text in "[\\[\\]{}\":,\\\\ua-f0-9eE.+ -]{0,24}") {
        let is_json = serde_json::from_str::<&RawValue>(&text).is_ok();
        let form = compact(&text);
        prop_assert_eq!(form.is_some(), is_json, "{}", text);
        if let Some(form) = form {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&form).is_ok());
            prop_assert_eq!(compact(&form), Some(form.clone()));
        }
    }

    #[test]
    fn mending_leaves_json_that_strict_readers_take(text in "[\\[\\]{}\":,\\\\udc8-9eE.+ -]{0,24}") {
        if serde_json::from_str::<&RawValue>(&text).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&mended(&text)).is_ok(), "{}", text);
        }
    }
}
