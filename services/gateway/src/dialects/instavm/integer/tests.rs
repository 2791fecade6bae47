//! Each expectation was observed: Pydantic 2.14, lax mode, an `int` from a `str`.

use super::Unreadable::{NoInteger, TooLong};
use super::*;

#[test]
fn whole_numbers_are_read_however_they_are_written() {
    for (text, expected) in [
        ("0", 0),
        ("-0", 0),
        ("7", 7),
        ("-1", -1),
        ("+5", 5),
        ("+0", 0),
        ("010", 10),
        ("-010", -10),
        ("00", 0),
        (" 10 ", 10),
        ("\u{a0}1\t\r\n\u{2003}", 1),
        ("1_0", 10),
        ("-1_0", -10),
        ("0_1", 1),
        ("0_0", 0),
        ("0__1", 1),
        ("1.0", 1),
        ("1.000", 1),
        ("-0.0", 0),
        ("00.0", 0),
        ("01.0", 1),
        ("1_000.0", 1000),
        ("0-1", -1),
        ("0_-1", -1),
        ("9223372036854775808", 9_223_372_036_854_775_808),
    ] {
        assert_eq!(parse(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn what_is_no_whole_number_is_not() {
    for text in [
        "",
        " ",
        "abc",
        "null",
        "true",
        "1.5",
        "1.",
        ".0",
        "0.",
        "1e1",
        "0x10",
        "-",
        "+",
        "+-1",
        "-+1",
        "--1",
        "- 1",
        "+ 1",
        "1_",
        "_1",
        "1__0",
        "_0",
        "0_",
        "000_",
        "-_1",
        "1.0_0",
        "0_.0",
        "0.0_0",
        "1.0.0",
        "1-",
        "0-",
        "\u{661}",
        "\u{ff11}",
        "\u{1c}1",
        "\u{200b}1",
        "1\0",
        "-0-1",
        "1 0",
    ] {
        assert_eq!(parse(text), Err(NoInteger), "{text:?}");
    }
}

#[test]
fn a_number_beyond_128_bits_is_the_nearest_one() {
    let nines = "9".repeat(4300);
    assert_eq!(parse(&nines), Ok(i128::MAX));
    assert_eq!(parse(&format!("-{nines}")), Ok(i128::MIN));
}

#[test]
fn too_many_digits_are_told_apart_only_where_the_text_starts_with_them() {
    let nines = |count: usize| "9".repeat(count);
    for text in [
        nines(4301),
        format!("-{}", nines(4301)),
        format!("{}a", nines(4301)),
        format!("{}.0", nines(4301)),
        format!("{} ", nines(5000)),
        format!("{}_1", nines(5000)),
    ] {
        assert_eq!(parse(&text), Err(TooLong), "{} characters", text.len());
    }
    for text in [
        format!(" {}", nines(4301)),
        format!("+{}", nines(4301)),
        format!("0{}", nines(5000)),
        format!("{}a", nines(4300)),
        "a".repeat(5000),
    ] {
        assert_eq!(parse(&text), Err(NoInteger), "{} characters", text.len());
    }
    for text in [
        format!(" {}", nines(4300)),
        format!("+{}", nines(4300)),
        format!("{}.0", nines(4300)),
        format!("{}1", "0".repeat(4999)),
        format!("1.{}", "0".repeat(5000)),
        format!("{}1", "1_".repeat(2500)),
        format!("{}1", " ".repeat(5000)),
    ] {
        assert!(parse(&text).is_ok(), "{} characters", text.len());
    }
}
