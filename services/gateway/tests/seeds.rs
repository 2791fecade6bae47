//! The fuzz targets' properties, over their seeds and over what chance makes of them: `just fuzz` does it for long.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

use testkit::Chance;

/// How often each seed is changed by chance.
const CHANGES: usize = 500;

fn change(input: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    let byte = chance.byte();
    match chance.below(4) {
        0 => input.insert(at, byte),
        1 if at < input.len() => input[at] = byte,
        2 if at < input.len() => drop(input.remove(at)),
        _ => {
            let part = input[at..].to_vec();
            let to = chance.below(input.len() + 1);
            input.splice(to..to, part);
        }
    }
}

fn hold(target: &str, property: fn(&[u8])) {
    let mut chance = Chance::new(1);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let seed = fs::read(file).unwrap();
        property(&seed);
        for _ in 0..CHANGES {
            let mut changed = seed.clone();
            for _ in 0..=chance.below(4) {
                change(&mut changed, &mut chance);
            }
            property(&changed);
        }
    }
}

#[test]
fn only_a_cursor_that_was_given_opens_its_list() {
    hold("cursor", properties::cursor);
}

#[test]
fn every_query_and_body_is_read_or_refused() {
    hold("filter", properties::filter);
}

#[test]
fn every_text_is_an_expression_or_a_mistake_in_it() {
    hold("query", properties::query);
}

#[test]
fn every_message_is_decoded_or_has_a_reason() {
    hold("cloudevents", properties::cloudevents);
}

#[test]
fn every_wrong_parameter_is_named_once_and_in_order() {
    hold("instavm_validation", properties::instavm_validation);
}
