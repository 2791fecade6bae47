use model::audit::Filter;
use testkit::Chance;

use super::*;

fn key() -> Key {
    Key::new([7; KEY_LENGTH])
}

fn scope(list: &str, account: &str, search: Option<&str>) -> Scope {
    let filter = Filter { search: search.map(str::to_owned), ..Filter::default() };
    Scope::new(list, &AccountId::parse(account).unwrap(), &filter).unwrap()
}

fn position() -> RowPosition {
    RowPosition { time: Timestamp::from_micros(1_700_000_000_123_456).unwrap(), id: "event-\u{e4}".to_owned() }
}

#[test]
fn a_cursor_opens_to_the_place_it_was_made_for() {
    let scope = scope("audit", "main", Some("x"));
    assert_eq!(key().open(&scope, &key().seal(&scope, &position())), Ok(position()));
}

#[test]
fn a_cursor_with_any_bit_flipped_is_refused() {
    let scope = scope("audit", "main", None);
    let cursor = key().seal(&scope, &position());
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
        assert!(key().open(&scope, &changed).is_err(), "bit {bit}");
    }
    for bit in 0..cursor.len() * 7 {
        let mut changed = cursor.clone().into_bytes();
        changed[bit / 7] ^= 1 << (bit % 7);
        let changed = String::from_utf8(changed).unwrap();
        assert!(key().open(&scope, &changed).is_err(), "bit {bit} of the text");
    }
}

#[test]
fn a_cut_or_lengthened_cursor_is_refused() {
    let scope = scope("audit", "main", None);
    let cursor = key().seal(&scope, &position());
    for end in 0..cursor.len() {
        assert!(key().open(&scope, &cursor[..end]).is_err(), "cut to {end}");
    }
    assert!(key().open(&scope, &format!("{cursor}A")).is_err());
}

#[test]
fn none_of_a_million_random_cursors_is_taken() {
    let scope = scope("audit", "main", None);
    let key = key();
    let mut chance = Chance::new(1);
    for round in 0..1_000_000 {
        let mut bytes: Vec<u8> = (0..8).flat_map(|_| chance.number().to_be_bytes()).collect();
        bytes.truncate(chance.below(64));
        if round % 2 == 0 {
            // Well formed, so that its tag is what it fails for.
            bytes.resize(1 + TIME_LENGTH + TAG_LENGTH + chance.below(27), b'0');
            bytes[0] = VERSION;
            for byte in &mut bytes[1 + TIME_LENGTH + TAG_LENGTH..] {
                *byte &= 0x7f;
            }
        }
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
        assert!(key.open(&scope, &cursor).is_err(), "{cursor}");
    }
}

#[test]
fn a_cursor_is_bound_to_its_list_account_and_filter() {
    let made_for = scope("audit", "main", Some("x"));
    let cursor = key().seal(&made_for, &position());
    for other in [
        scope("traffic", "main", Some("x")),
        scope("audit", "other", Some("x")),
        scope("audit", "main", Some("y")),
        scope("audit", "main", None),
    ] {
        let refused = key().open(&other, &cursor);
        assert!(matches!(&refused, Err(Refusal::Invalid(text)) if text.starts_with("cursor: ")), "{refused:?}");
    }
}

#[test]
fn another_key_signs_other_cursors() {
    let scope = scope("audit", "main", None);
    assert!(Key::new([8; KEY_LENGTH]).open(&scope, &key().seal(&scope, &position())).is_err());
}

#[test]
fn the_key_shows_itself_to_nobody() {
    assert_eq!(format!("{:?}", key()), "Key(****)");
}
