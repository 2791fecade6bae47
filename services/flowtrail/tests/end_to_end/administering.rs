//! Users and tokens by the command line: what is asked for, and what is shown of names that strangers made up.

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology, flowtrail as program};
use crate::terminal::answering_on_terminal;

/// Clears a terminal, and would be a column and a line of its own.
const NAME: &str = "ci \u{1b}[2J\tx\ny";
const SHOWN: &str = r"ci \u{1b}[2J\tx\ny";

#[tokio::test]
async fn names_of_users_and_tokens_are_lines_that_a_terminal_obeys_nothing_of() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    flowtrail.succeed(["token", "create", "--name", NAME, "--scopes", "audit:read"]);
    flowtrail.succeed(["account", "create", "acme", "--name", NAME]);
    let mut command = program(&flowtrail.data());
    command.args(["user", "create", "alice@example.com", "--name", NAME]);
    let (status, seen) = answering_on_terminal(&command, "Password: ", "Zq7 horse");
    assert!(status.success(), "{seen}");

    for list in [["token", "list"], ["account", "list"], ["user", "list"]] {
        let said = flowtrail.succeed(list);
        let told = said.lines().filter(|line| line.ends_with(&format!("\t{SHOWN}"))).count();
        assert_eq!((told, said.contains('\u{1b}')), (1, false), "{said:?}");
        // A program is told what it is.
        let said = flowtrail.succeed(list.into_iter().chain(["--json"]));
        let objects = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(objects.filter(|object| object["name"] == NAME).count(), 1, "{said}");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_on_a_terminal_and_not_shown_there() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let mut command = program(&flowtrail.data());
    command.args(["user", "create", "alice@example.com"]);
    let (status, seen) = answering_on_terminal(&command, "Password: ", "Zq7 horse");
    assert!(status.success() && !seen.contains("Zq7"), "{seen:?}");
    let sign_in = async |password: &str| {
        let credentials = json!({ "username": "alice@example.com", "password": password });
        let answer = flowtrail.request("POST", "/api/ni/auth/token").json(&credentials).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!((sign_in("Zq7 horse").await, sign_in("Zq7").await), (200, 401));

    command = program(&flowtrail.data());
    command.args(["user", "create", "bob@example.com"]);
    let (status, seen) = answering_on_terminal(&command, "Password: ", "");
    assert_eq!(status.code(), Some(1));
    assert!(seen.contains("error: the password is empty"), "{seen:?}");
}

#[tokio::test]
async fn what_is_told_of_an_import_has_nothing_that_a_terminal_obeys() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let file = flowtrail.directory.path().join("events\u{1b}[2J.ndjson");
    std::fs::write(&file, "{\"id\":\"x\",\"event_type\":\"a\",\"user_id\":\"\u{9b}2J\"}\nnonsense\n").unwrap();
    let rejects = flowtrail.directory.path().join("rejects");
    let arguments = ["import".into(), "audit".into(), "--rejects".into(), rejects.clone(), file.clone()];
    let output = flowtrail.run(arguments);
    assert_eq!(output.status.code(), Some(1));
    for told in [String::from_utf8(output.stderr).unwrap(), std::fs::read_to_string(rejects).unwrap()] {
        assert_eq!(told.matches(r"events\u{1b}[2J.ndjson:").count(), 2, "{told:?}");
        assert!(!told.contains(['\u{1b}', '\u{9b}']), "{told:?}");
    }
    let missing = flowtrail.run(["import".into(), "audit".into(), file.with_extension("missing")]);
    let told = String::from_utf8(missing.stderr).unwrap();
    assert!(told.starts_with(r"error: open ") && told.contains(r"events\u{1b}[2J.missing"), "{told:?}");
}
