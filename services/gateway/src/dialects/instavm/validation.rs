//! Parameters as FastAPI declares and Pydantic checks them: everything that is wrong is told, in the order of asking.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Serialize;

use super::integer::{self, Unreadable};
use super::query::Parameters;

/// One thing that is wrong with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ValidationError")]
pub(super) struct Problem {
    /// Pydantic's name for it.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where: in the query, under this name.
    loc: [String; 2],
    /// What is wrong, in words.
    msg: String,
    /// The value as it was given.
    input: String,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Bound>,
}

/// The limit that a number is beyond, or what else a value has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Limit")]
enum Bound {
    Ge(i128),
    Le(i128),
    Expected(String),
}

/// Reads parameters one by one, each once, and remembers what is wrong.
///
/// What is wrong reads as if it were not given; [`Self::finish`] then says so.
pub(super) struct Validation<'a> {
    parameters: &'a Parameters,
    problems: Vec<Problem>,
}

impl<'a> Validation<'a> {
    pub(super) fn of(parameters: &'a Parameters) -> Self {
        Self { parameters, problems: Vec::new() }
    }

    /// A text, which may be empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.parameters.last(name).map(str::to_owned)
    }

    /// Whether a parameter is given that has only one value.
    pub(super) fn choice(&mut self, name: &str, only: &str) -> bool {
        let given = self.parameters.last(name);
        if given.is_some_and(|given| given != only) {
            let expected = format!("'{only}'");
            let msg = format!("Input should be {expected}");
            self.add("literal_error", name, msg, Some(Bound::Expected(expected)));
        }
        given.is_some()
    }

    /// A whole number of any size; one beyond 128 bits becomes the one nearest to it.
    pub(super) fn integer(&mut self, name: &str) -> Option<i128> {
        let text = self.parameters.last(name)?;
        match integer::parse(text) {
            Ok(number) => Some(number),
            Err(unreadable) => {
                let (kind, msg) = explained(unreadable);
                self.add(kind, name, msg.to_owned(), None);
                None
            }
        }
    }

    /// A whole number within bounds, both included.
    pub(super) fn bounded(&mut self, name: &str, bounds: RangeInclusive<usize>) -> Option<usize> {
        let number = self.integer(name)?;
        let (least, most) = (*bounds.start() as i128, *bounds.end() as i128);
        if number > most {
            let msg = format!("Input should be less than or equal to {most}");
            self.add("less_than_equal", name, msg, Some(Bound::Le(most)));
            return None;
        }
        if number < least {
            let msg = format!("Input should be greater than or equal to {least}");
            self.add("greater_than_equal", name, msg, Some(Bound::Ge(least)));
            return None;
        }
        // In the bounds of a type, it is of that type.
        usize::try_from(number).ok()
    }

    /// # Errors
    /// With all that was wrong.
    pub(super) fn finish(self) -> Result<(), Vec<Problem>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }

    fn add(&mut self, kind: &'static str, name: &str, msg: String, ctx: Option<Bound>) {
        let input = self.parameters.last(name).unwrap_or_default().to_owned();
        self.problems.push(Problem { kind, loc: ["query".to_owned(), name.to_owned()], msg, input, ctx });
    }
}

fn explained(unreadable: Unreadable) -> (&'static str, &'static str) {
    match unreadable {
        Unreadable::NoInteger => {
            ("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
        }
        Unreadable::TooLong => {
            ("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn problems(query: &str) -> String {
        let parameters = Parameters::parse(Some(query));
        let mut validation = Validation::of(&parameters);
        validation.integer("id");
        validation.bounded("size", 1..=200);
        serde_json::to_string(&validation.finish().unwrap_err()).unwrap()
    }

    #[test]
    fn every_problem_is_told_in_the_order_of_asking() {
        let expected = r#"[{"type":"int_parsing","loc":["query","id"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"\u0001é\"\u007f"},{"type":"less_than_equal","loc":["query","size"],"msg":"Input should be less than or equal to 200","input":" 2_01.0","ctx":{"le":200}}]"#;
        let expected = expected.replace("\\u007f", "\u{7f}");
        assert_eq!(problems("size=+2_01.0&id=%01%C3%A9%22%7F"), expected);
    }

    #[test]
    fn a_number_is_told_which_limit_it_is_beyond() {
        let found = problems("size=0");
        assert!(found.contains(r#""type":"greater_than_equal""#) && found.contains(r#""ctx":{"ge":1}"#), "{found}");
        assert!(problems(&format!("size={}", "9".repeat(4300))).contains("less_than_equal"));
        assert!(problems(&format!("size=-{}", "9".repeat(4300))).contains("greater_than_equal"));
        assert!(problems(&format!("size={}", "9".repeat(4301))).contains("int_parsing_size"));
    }

    #[test]
    fn the_only_value_of_a_choice_is_told() {
        let parameters = Parameters::parse(Some("reads=all"));
        let mut validation = Validation::of(&parameters);
        validation.choice("reads", "include");
        let expected = r#"[{"type":"literal_error","loc":["query","reads"],"msg":"Input should be 'include'","input":"all","ctx":{"expected":"'include'"}}]"#;
        assert_eq!(serde_json::to_string(&validation.finish().unwrap_err()).unwrap(), expected);
    }

    #[test]
    fn what_is_right_is_read() {
        let parameters = Parameters::parse(Some("size=0&size=200&id=-1.0&text=&reads=include"));
        let mut validation = Validation::of(&parameters);
        assert_eq!(validation.bounded("size", 1..=200), Some(200));
        assert_eq!((validation.integer("id"), validation.integer("absent")), (Some(-1), None));
        assert_eq!((validation.text("text"), validation.text("absent")), (Some(String::new()), None));
        assert_eq!((validation.choice("reads", "include"), validation.choice("absent", "x")), (true, false));
        assert_eq!(validation.finish(), Ok(()));
    }
}
