//! JSON values as publishers write them: numbers of every form, texts of every kind, half of a surrogate pair, nesting.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

/// A JSON value as some publisher wrote it, and as it is expected back: compact, its members in the order of their names,
/// its numbers to the digit, U+FFFD for half of a surrogate pair.
#[derive(Clone, Debug)]
pub struct Sample {
    /// With blanks, and members in another order.
    pub written: String,
    /// What comes back.
    pub expected: String,
}

impl Sample {
    fn same(text: String) -> Self {
        Self { expected: text.clone(), written: text }
    }
}

/// So many values, each with a number; the same at every call.
///
/// # Panics
/// Never: no value of these is refused.
#[must_use]
pub fn samples(count: usize) -> Vec<(Sample, String)> {
    let mut runner = TestRunner::deterministic();
    let pair = (any_sample(), any_number());
    (0..count).map(|_| pair.new_tree(&mut runner).expect("no value is refused").current()).collect()
}

fn any_number() -> impl Strategy<Value = String> {
    let finite = || any::<f64>().prop_map(|number| if number.is_finite() { number } else { 0.1 });
    prop_oneof![
        finite().prop_map(|number| number.to_string()),
        finite().prop_map(|number| format!("{number:e}")),
        (0.0..1000.0).prop_map(|number: f64| number.to_string()),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,30}",
        "-?[1-9]\\.[0-9]{1,20}[eE][+-]?[0-9]{1,2}",
    ]
}

fn quoted(text: String) -> String {
    Value::from(text).to_string()
}

/// A text with half of a surrogate pair in it.
fn any_half() -> impl Strategy<Value = Sample> {
    let half = prop_oneof![0xd800_u32..0xe000];
    ("[a-z]{0,4}", half, "[a-z]{0,4}").prop_map(|(before, half, after)| Sample {
        written: format!("\"{before}\\u{half:04x}{after}\""),
        expected: format!("\"{before}\u{fffd}{after}\""),
    })
}

/// A text of what formats and terminals take for more than itself: control characters, quotes, separators, marks.
fn any_marks() -> impl Strategy<Value = String> {
    let controls = prop_oneof![prop::char::range('\0', '\u{1f}'), prop::char::range('\u{7f}', '\u{9f}')];
    let marks = prop::sample::select(vec!['"', '\\', ']', '<', '=', ',', '\u{2028}', '\u{feff}', '\u{fffd}']);
    prop::collection::vec(prop_oneof![controls, marks], 1..6).prop_map(String::from_iter)
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        4 => any_number().prop_map(Sample::same),
        4 => any::<String>().prop_map(|text| Sample::same(quoted(text))),
        2 => prop::sample::select(vec!["null", "true", "false", "{}", "[]"]).prop_map(|word| Sample::same(word.to_owned())),
        2 => any_marks().prop_map(|text| Sample::same(quoted(text))),
        1 => any_half(),
        // What no double holds is kept as a text.
        1 => "-?[1-9][0-9]{0,3}[eE][4-9][0-9]{2}".prop_map(|number| Sample { expected: format!("\"{number}\""), written: number }),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        let array = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| {
            let of = |text: fn(&Sample) -> &str| items.iter().map(text).collect::<Vec<_>>();
            Sample {
                written: format!("[ {} ]", of(|item| &item.written).join(" ,\n")),
                expected: format!("[{}]", of(|item| &item.expected).join(",")),
            }
        });
        let object = prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|members| {
            let members: Vec<(String, Sample)> =
                members.into_iter().map(|(name, value)| (quoted(name), value)).collect();
            let written = members.iter().rev().map(|(name, value)| format!("{name} : {}", value.written));
            let expected = members.iter().map(|(name, value)| format!("{name}:{}", value.expected));
            Sample {
                written: format!("{{ {} }}", written.collect::<Vec<_>>().join(" , ")),
                expected: format!("{{{}}}", expected.collect::<Vec<_>>().join(",")),
            }
        });
        prop_oneof![array, object]
    })
}
