use super::*;

fn parse(query: &str) -> Parameters {
    Parameters::parse(Some(query)).unwrap()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Checks that the refusal names the parameter.
fn names<T: std::fmt::Debug>(name: &str, refused: Result<T, Refusal>) {
    let Err(Refusal::Invalid(text)) = refused else { panic!("{name} is taken") };
    assert!(text.starts_with(&format!("{name}: ")), "{text}");
}

#[test]
fn a_query_is_decoded_as_forms_are_encoded() {
    let parameters = parse("search=a+b%20c%2B&&empty=&bare&x=%C3%A4&odd=%zz&eq=a=b");
    assert_eq!(parameters.text("search"), Ok(Some("a b c+".to_owned())));
    assert_eq!(parameters.text("x"), Ok(Some("\u{e4}".to_owned())));
    assert_eq!(parameters.text("odd"), Ok(Some("%zz".to_owned())));
    assert_eq!(parameters.text("eq"), Ok(Some("a=b".to_owned())));
    for name in ["empty", "bare", "absent"] {
        assert_eq!(parameters.text(name), Ok(None), "{name}");
    }
}

#[test]
fn what_is_no_utf8_is_refused() {
    names("search", Parameters::parse(Some("search=%FF")));
    names("query", Parameters::parse(Some("%C3=1")));
}

#[test]
fn a_control_character_is_a_character_like_any_other() {
    assert_eq!(parse("search=%00%0A").text("search"), Ok(Some("\0\n".to_owned())));
}

#[test]
fn a_parameter_that_is_meant_once_is_refused_twice() {
    let parameters = parse("a=1&a=1&b=&b=");
    names("a", parameters.text("a"));
    names("a", parameters.number("a", 1..=9));
    names("b", parameters.text("b"));
    assert_eq!(parameters.texts("a"), ["1", "1"]);
    assert!(parameters.texts("b").is_empty());
}

#[test]
fn a_number_is_whole_and_within_its_bounds() {
    let number = |text: &str| parse(&format!("page={text}")).number("page", 1..=u64::MAX);
    assert_eq!(number("1"), Ok(Some(1)));
    assert_eq!(number("1000000000000000000"), Ok(Some(1_000_000_000_000_000_000)));
    assert_eq!(number("18446744073709551615"), Ok(Some(u64::MAX)));
    for text in ["", "0", "-1", "1.0", "1e3", "%2B1", "1_0", "x", "18446744073709551616", "0x1", "%D9%A1", "+1"] {
        names("page", number(text));
    }
    names("page", number(&format!("1{}", "0".repeat(30))));
    assert_eq!(parse("").number("page", 1..=2), Ok(None));
}

#[test]
fn an_integer_beyond_64_bits_is_the_one_nearest_to_it() {
    let integer = |text: &str| parse(&format!("protocol={text}")).integer("protocol");
    assert_eq!(integer("6"), Ok(Some(6)));
    assert_eq!(integer("-6"), Ok(Some(-6)));
    assert_eq!(integer(&"9".repeat(30)), Ok(Some(i64::MAX)));
    assert_eq!(integer(&format!("-{}", "9".repeat(30))), Ok(Some(i64::MIN)));
    for text in ["", "-", "--1", "tcp", "6.0", "null"] {
        names("protocol", integer(text));
    }
}

#[test]
fn a_choice_is_one_of_those_there_are() {
    let choose = |text: &str| parse(&format!("type={text}")).choice("type", &[("A", 1), ("B", 2)]);
    assert_eq!(choose("B"), Ok(Some(2)));
    for text in ["", "b", "C", "A,B"] {
        names("type", choose(text));
    }
    assert_eq!(choose("C"), Err(Refusal::Invalid("type: must be one of A, B".to_owned())));
}

#[test]
fn a_period_has_two_ends_and_each_may_be_open() {
    let period = parse("start_date=2024-01-01T00:00:00Z").period().unwrap();
    assert_eq!(period, Period { from: Some(time("2024-01-01T00:00:00Z")), to: None });
    for text in ["", "yesterday", "2024-01-01", "2024-13-01T00:00:00Z", "1704067200"] {
        names("end_date", parse(&format!("end_date={text}")).period());
    }
}

#[test]
fn the_plus_of_an_offset_may_stand_as_it_is() {
    for text in ["2024-01-01T02:00:00+02:00", "2024-01-01T02:00:00%2B02:00", "2024-01-01T00:00:00.000Z"] {
        let period = parse(&format!("end_date={text}")).period().unwrap();
        assert_eq!(period.to, Some(time("2024-01-01T00:00:00Z")), "{text}");
    }
}

#[test]
fn the_next_page_has_the_same_parameters_and_another_cursor() {
    let parameters = parse("activity_code=a.b&activity_code=c&cursor=old&page=3&search=x+%26+y&other=1");
    let query = parameters.with_cursor("new", &["page"]);
    assert_eq!(query, "activity_code=a.b&activity_code=c&search=x+%26+y&other=1&cursor=new");
}
