//! Whether lists that services answer with are whole: a page that others follow is told of, when they are not imported
//! with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::json;
use serde_json::{Map, Value};

use super::draft::Rejected;
use super::scan::{Around, RecordPlace};

/// The members that name the next page: InstaVM, vRNI, and AWS's command line and APIs. On the last page they are not
/// there, or null.
const NEXT: [&str; 4] = ["next_cursor", "cursor", "NextToken", "nextToken"];

const GOES_ON: &str = "the list goes on after this page; fetch the pages that follow and import all of them at once, in \
                       their order";

/// The pages seen so far.
#[derive(Default)]
pub(super) struct Pages {
    /// The last list, when it says that it goes on.
    unfollowed: Option<Part>,
    /// Lists of numbered pages, by how many pages they have.
    numbered: BTreeMap<u64, Numbered>,
}

/// The pages of one list.
struct Numbered {
    /// Where the first of them is.
    file: PathBuf,
    place: RecordPlace,
    seen: BTreeSet<u64>,
}

/// A page that is not the whole of its list.
pub(super) struct Part {
    pub(super) file: PathBuf,
    pub(super) place: RecordPlace,
    pub(super) reason: Rejected,
}

impl Pages {
    /// Takes in what stood around a list of records.
    pub(super) fn add(&mut self, file: &Path, around: &Around) {
        let members: Map<String, Value> = json::read_lenient(&around.text).unwrap_or_default();
        let names_next = |name: &&&str| members.get(**name).is_some_and(|next| !next.is_null() && next != "");
        // A page follows the one before it, in the order of the files.
        self.unfollowed = NEXT.iter().find(names_next).map(|name| Part {
            file: file.to_owned(),
            place: around.place,
            reason: Rejected::field(*name, GOES_ON),
        });
        let number = |name: &str| members.get(name).and_then(Value::as_u64);
        let Some(total) = number("total_pages").filter(|total| *total > 1) else { return };
        let page = number("page").unwrap_or(1);
        let first = || Numbered { file: file.to_owned(), place: around.place, seen: BTreeSet::new() };
        self.numbered.entry(total).or_insert_with(first).seen.insert(page);
    }

    /// The lists of which pages are missing.
    pub(super) fn incomplete(self) -> Vec<Part> {
        let missing = |(total, Numbered { file, place, seen }): (u64, Numbered)| {
            let missing = total.saturating_sub(seen.len() as u64);
            let first = (1..=total).find(|page| !seen.contains(page))?;
            let problem = format!(
                "{missing} of {total} pages are missing, the first is page {first}; fetch them (`page={first}`, or a larger \
                 `page_size`) and import all of them at once"
            );
            Some(Part { file, place, reason: Rejected::field("total_pages", problem) })
        };
        self.numbered.into_iter().filter_map(missing).chain(self.unfollowed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incomplete(arounds: &[&str]) -> Vec<String> {
        let mut pages = Pages::default();
        for (index, text) in (1..).zip(arounds) {
            let around = Around { place: RecordPlace { line: index, element: None }, text: text.as_bytes().to_vec() };
            pages.add(Path::new("list.json"), &around);
        }
        let told = |part: Part| format!("{}:{} {}", part.file.display(), part.place, part.reason);
        pages.incomplete().into_iter().map(told).collect()
    }

    #[test]
    fn a_page_that_others_follow_is_not_the_whole() {
        for name in NEXT {
            let told = incomplete(&[&format!(r#"{{"items":[],"{name}":"abc"}}"#)]);
            assert!(
                told[0].starts_with(&format!("list.json:1: {name}: the list goes on after this page; ")),
                "{told:?}"
            );
            assert!(incomplete(&[&format!(r#"{{"items":[],"{name}":null}}"#)]).is_empty());
            assert!(incomplete(&[&format!(r#"{{"items":[],"{name}":""}}"#)]).is_empty());
        }
        assert_eq!(incomplete(&[r#"{"items":[],"next_cursor":"a"}"#, r#"{"items":[]}"#]), Vec::<String>::new());
        // Whatever else stands around the list.
        assert_eq!(incomplete(&[r#"{"items":[],"next_cursor":"a","\ud83d":1e400}"#]).len(), 1);
    }

    #[test]
    fn numbered_pages_are_whole_when_all_of_them_are_there() {
        let page = |page: u64| format!(r#"{{"data":[],"page":{page},"total_pages":3}}"#);
        let told = incomplete(&[&page(1)]);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("list.json:1: total_pages: 2 of 3 pages are missing, the first is page 2; "),
            "{told:?}"
        );
        assert!(incomplete(&[&page(3), &page(1)])[0].contains("1 of 3 pages are missing, the first is page 2"));
        assert!(incomplete(&[&page(3), &page(1), &page(2)]).is_empty());
        assert!(incomplete(&[r#"{"data":[],"page":1,"total_pages":1}"#, r#"{"Records":[]}"#, "{"]).is_empty());
    }
}
