use super::*;

const MAX_PAYLOAD: usize = HEADER_ROOM_BYTES + 10;

fn answer(length: usize) -> Bytes {
    (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

fn put_together(parts: Vec<(HeaderMap, Bytes)>) -> Result<Option<Bytes>, Broken> {
    let mut assembly = Assembly::default();
    let mut whole = None;
    for (headers, payload) in parts {
        assert_eq!(whole, None, "an answer ended before its last part");
        whole = assembly.take(Some(&headers), payload)?;
    }
    Ok(whole)
}

#[test]
fn an_answer_of_any_length_comes_together_again() {
    for length in [0, 1, 9, 10, 11, 20, 105] {
        let parts = split(&answer(length), MAX_PAYLOAD).unwrap();
        assert_eq!(put_together(parts), Ok(Some(answer(length))), "{length}");
    }
}

#[test]
fn an_answer_that_fits_is_a_plain_message() {
    let parts = split(&answer(10), MAX_PAYLOAD).unwrap();
    assert_eq!(parts, vec![(HeaderMap::new(), answer(10))]);
}

#[test]
fn a_missing_part_is_an_error() {
    let mut parts = split(&answer(105), MAX_PAYLOAD).unwrap();
    parts.remove(3);
    assert_eq!(put_together(parts), Err(Broken::OutOfTurn));
}

#[test]
fn a_part_that_lost_bytes_is_an_error() {
    let mut parts = split(&answer(105), MAX_PAYLOAD).unwrap();
    parts[2].1 = answer(9);
    assert_eq!(put_together(parts), Err(Broken::WrongLength));
}

#[test]
fn an_answer_over_the_limit_is_not_sent() {
    let answer = Bytes::from(vec![0; MAX_ANSWER_BYTES + 1]);
    assert_eq!(split(&answer, MAX_PAYLOAD).unwrap_err(), Broken::TooLarge(MAX_ANSWER_BYTES + 1));
}
