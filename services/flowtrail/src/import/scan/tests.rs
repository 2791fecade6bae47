use std::io::{Cursor, ErrorKind};

use super::*;

const LISTS: &[&str] = &["Records", "data", "items"];

/// Gives one byte at a time, then fails: every look ahead has to wait for more.
struct Trickle(Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(1);
        self.0.read(&mut into[..length])
    }
}

fn cut(reader: impl Read) -> Vec<(String, Result<String, String>)> {
    let mut scanner = Scanner::new(reader, LISTS);
    let mut records = Vec::new();
    while let Some(cut) = scanner.next().unwrap() {
        records.push((cut.place.to_string(), cut.text.map(str::to_owned).map_err(|error| error.to_string())));
    }
    records
}

fn json(text: &str) -> Vec<(String, Result<String, String>)> {
    let whole = cut(text.as_bytes());
    let trickled = cut(Trickle(Cursor::new(text.into())));
    assert_eq!(whole, trickled);
    whole
}

fn texts(text: &str) -> Vec<String> {
    json(text).into_iter().map(|(_, text)| text.unwrap()).collect()
}

fn places(text: &str) -> Vec<String> {
    json(text).into_iter().map(|(place, _)| place).collect()
}

#[test]
fn one_object_a_line() {
    assert_eq!(texts("{\"a\":1}\n\n  {\"b\":{}} \r\n{\"c\":2}"), [r#"{"a":1}"#, r#"{"b":{}}"#, r#"{"c":2}"#]);
    assert_eq!(places("{\"a\":1}\n\n  {\"b\":{}} \r\n{\"c\":2}"), ["1:", "3:", "4:"]);
    assert!(texts(" \n\n").is_empty());
}

#[test]
fn arrays_on_one_line_or_many() {
    let elements = [r#"{"a":"],}"}"#, r#"{"b":[{}]}"#];
    assert_eq!(texts(r#"[{"a":"],}"},{"b":[{}]}]"#), elements);
    assert_eq!(texts("[\n  {\"a\":\"],}\"},\n  {\"b\":[{}]}\n]\n"), elements);
    assert_eq!(places("[\n  {\"a\":\"],}\"},\n  {\"b\":[{}]}\n]\n"), ["2: element 1:", "3: element 2:"]);
    assert!(texts("[]").is_empty());
}

#[test]
fn an_object_over_many_lines() {
    assert_eq!(texts("{\n \"a\": 1\n}\n{\"b\":2}"), ["{\n \"a\": 1\n}", "{\"b\":2}"]);
    assert_eq!(places("{\n \"a\": 1\n}\n{\"b\":2}"), ["1:", "4:"]);
}

#[test]
fn the_array_inside_an_object() {
    assert_eq!(texts(r#"{"Records":[{"a":1},{"a":2}]}"#), [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!(texts("{\n \"Records\": [\n  {\"a\":1}\n ]\n}"), [r#"{"a":1}"#]);
    assert_eq!(texts(r#"{"page":1,"total":-2.5e3,"next":null,"data":[{"a":1}],"x":{"y":["}"]}} {"b":2}"#).len(), 2);
    assert_eq!(texts(r#"{"next_cursor":"\"[","items":[]}"#), Vec::<String>::new());
}

#[test]
fn several_documents_one_after_the_other() {
    let text = r#"{"Records":[{"a":1}]}{"Records":[{"a":2}]}[{"a":3}]"#.to_owned() + "\n{\"a\":4}\n";
    assert_eq!(texts(&text), [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#, r#"{"a":4}"#]);
}

#[test]
fn an_object_with_such_a_member_further_in_is_a_record() {
    for text in [r#"{"meta":{},"data":[1]}"#, r#"{"a":[1],"items":[2]}"#, r#"{"data":"x"}"#, r#"{"Records":{}}"#] {
        assert_eq!(texts(text), [text]);
    }
}

#[test]
fn a_torn_line_costs_itself_only() {
    let text = "{\"a\":\n{\"b\":2}\nhello\n{\"c\":\"x\n{\"d\":4}";
    let records = json(text);
    assert_eq!(texts(text), [r#"{"a":"#, r#"{"b":2}"#, "hello", r#"{"c":"x"#, r#"{"d":4}"#]);
    assert_eq!(records[4].0, "5:");
}

#[test]
fn a_torn_array_says_so_once() {
    let torn = Err("not JSON: it does not end".to_owned());
    assert_eq!(json("[{\"a\":1},\n{\"b\":")[1..], [("2: element 2:".to_owned(), torn.clone())]);
    assert_eq!(json("[{\"a\":1},\n")[1..], [("2:".to_owned(), torn.clone())]);
    assert_eq!(json("{\n\"a\":"), [("1:".to_owned(), torn)]);
}

#[test]
fn what_is_no_object_in_an_array_is_handed_out_as_it_is() {
    assert_eq!(texts(r#"[7,"x",[1],{"a":1}]"#), ["7", r#""x""#, "[1]", r#"{"a":1}"#]);
}

#[test]
fn a_text_with_a_line_break_in_an_array_costs_its_line() {
    let records = json("[\n{\"a\":\"x\ny\"},\n{\"b\":1}]");
    assert!(records[0].1.is_err());
    assert_eq!(records.last().unwrap().1.as_deref(), Ok(r#"{"b":1}"#));
}

#[test]
fn too_long_a_record_is_passed_over() {
    let long = "x".repeat(LONGEST + 1);
    let records = cut(format!("{{\"a\":\"{long}\"}}\n{{}}\n").as_bytes());
    assert_eq!(records.last(), Some(&("2:".into(), Ok("{}".into()))));
    assert_eq!(records[0].1.as_ref().err().map(String::as_str), Some("longer than 8 MiB"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    assert_eq!(cut(b"\xef\xbb\xbf{}\n".as_slice())[0].1.as_deref(), Ok("{}"));
}

#[test]
fn other_encodings_are_told_of() {
    let records = cut(b"{\"a\":\"\xff\"}\n{}".as_slice());
    assert_eq!(records[0], ("1:".into(), Err("not UTF-8".into())));
    assert_eq!(records[1].1.as_deref(), Ok("{}"));
}

#[test]
fn lines_without_brackets_are_records() {
    let records = cut("2 eni-1 [\n\n# {b\r\n".as_bytes());
    assert_eq!(records, [("1:".into(), Ok("2 eni-1 [".into())), ("3:".into(), Ok("# {b".into()))]);
}

#[test]
fn what_stands_around_a_list_is_kept_without_its_records() {
    let text = r#"{"page":1,"data":[{"a":1}],"total_pages":2}"#.to_owned() + "\n{\"items\":[]}\n{\n\"b\":2}";
    let mut scanner = Scanner::new(text.as_bytes(), LISTS);
    let mut left = Vec::new();
    while scanner.next().unwrap().is_some() {
        left.extend(scanner.take_left());
    }
    left.extend(scanner.take_left());
    let texts: Vec<String> = left.iter().map(|around| String::from_utf8(around.text.clone()).unwrap()).collect();
    assert_eq!(texts, [r#"{"page":1,"data":[],"total_pages":2}"#, r#"{"items":[]}"#]);
    assert_eq!(left[1].place, RecordPlace { line: 2, element: None });
}

#[test]
fn an_object_that_goes_on_in_the_next_line_may_hold_a_list() {
    assert_eq!(texts("{\"page\":1,\n\"data\":[{\"a\":1}]}"), [r#"{"a":1}"#]);
}

#[test]
fn members_that_services_put_before_their_list_are_passed() {
    let batch = r#"{"messageType":"DATA_MESSAGE","subscriptionFilters":["a","b"],"items":[{"a":1}]}"#;
    assert_eq!(texts(batch), [r#"{"a":1}"#]);
    assert_eq!(texts(r#"{"ResponseMetadata":{"x":{"y":[1]}},"items":[{"a":1}]}"#), [r#"{"a":1}"#]);
    let unended = r#"{"ResponseMetadata":{"x":[1}"#;
    assert_eq!(texts(unended), [unended]);
}

#[test]
fn a_stream_that_fails_hands_out_what_came_before() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }
    let mut scanner = Scanner::new(b"{}\n".as_slice().chain(Failing), LISTS);
    assert!(scanner.next().unwrap().is_some());
    assert!(scanner.next().is_err());
    assert!(scanner.next().unwrap().is_none());
}
