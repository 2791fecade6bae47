//! `nats/permissions.conf` lets the gateway ask the other roles for what its code asks them for, and for nothing else.
//!
//! What can be asked is read from the text: each command and question with the subject that it has. It is asked where the
//! gateway's code has its name. Uses the standard library alone.

use std::collections::BTreeSet;
use std::path::Path;

/// Where commands and questions are, with what their subjects begin with.
const ASKED: [(&str, &str); 6] = [
    ("shared/model/src/command.rs", "flowtrail.command."),
    ("shared/model/src/search/command.rs", "flowtrail.command."),
    ("shared/model/src/delivery/ask.rs", "flowtrail.streamer."),
    ("shared/views/src/all/access.rs", "flowtrail.query."),
    ("shared/views/src/status.rs", "flowtrail.query."),
    ("shared/views/src/dump.rs", "flowtrail.query."),
];

/// Views of which the gateway answers every question, so that they are granted as a whole; and dead letters, which are
/// asked for by a subject alone.
const WHOLE: [&str; 5] = [
    "flowtrail.query.audit.*",
    "flowtrail.query.traffic.*",
    "flowtrail.query.integrations.*",
    "flowtrail.query.searches.*",
    "flowtrail.query.dead_letters",
];

#[test]
fn the_gateway_may_ask_for_what_it_asks_for_and_nothing_else() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let code = words_below(&workspace.join("services/gateway/src"));
    let mut used: BTreeSet<String> = WHOLE.map(str::to_owned).into();
    let mut found = 0;
    for (file, prefix) in ASKED {
        let text = std::fs::read_to_string(workspace.join(file)).unwrap();
        for (name, path) in asked_in(&text) {
            found += 1;
            if code.contains(&name) {
                used.insert(format!("{prefix}{path}"));
            }
        }
    }
    assert!(found > 25, "only {found} commands and questions were found");
    let permissions = std::fs::read_to_string(workspace.join("nats/permissions.conf")).unwrap();
    assert_eq!(granted(&permissions, "gateway"), used);
}

#[test]
fn what_is_asked_and_granted_is_read_from_the_text() {
    let code = "impl Command for Make {\n type Done = ();\n const PATH: &'static str = \"thing.make\";\n}\n\
                impl Question for Look {\n const PATH: &'static str = \"look\";\n}";
    assert_eq!(asked_in(code), [("Make".to_owned(), "thing.make".to_owned()), ("Look".to_owned(), "look".to_owned())]);
    let conf = "user: a\n \"flowtrail.command.x\"\nuser: b\n \"$JS.API.X\"\n \"flowtrail.query.y\"\n \"flowtrail.v1.z\"\nuser: c\n \"flowtrail.command.w\"";
    assert_eq!(granted(conf, "b"), BTreeSet::from(["flowtrail.query.y".to_owned()]));
}

/// The commands and questions of a file: the name of each, and its path.
fn asked_in(text: &str) -> Vec<(String, String)> {
    let mut asked = Vec::new();
    for kind in ["impl Command for ", "impl Question for "] {
        for part in text.split(kind).skip(1) {
            let name = part.split(' ').next().unwrap().to_owned();
            let path = part.split("const PATH: &'static str = \"").nth(1).and_then(|rest| rest.split('"').next());
            asked.push((name, path.unwrap().to_owned()));
        }
    }
    asked
}

/// What a user may publish to other roles.
fn granted(permissions: &str, user: &str) -> BTreeSet<String> {
    let section = permissions.split(&format!("user: {user}\n")).nth(1).unwrap();
    let section = section.split("user: ").next().unwrap();
    let subjects = section.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
    let to_roles = ["flowtrail.command.", "flowtrail.query.", "flowtrail.streamer.", "flowtrail.control."];
    subjects.filter(|subject| to_roles.iter().any(|role| subject.starts_with(role))).map(str::to_owned).collect()
}

/// The words of all code below a folder, but for tests.
fn words_below(folder: &Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            words.append(&mut words_below(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let of_line = |line: &str| {
                let words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                words.map(str::to_owned).collect::<Vec<_>>()
            };
            words.extend(code.flat_map(of_line));
        }
    }
    words
}
