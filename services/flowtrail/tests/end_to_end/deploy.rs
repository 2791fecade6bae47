//! What `deploy/` has for operators: alerts and a dashboard, a unit, a package, an image, manifests. Each is judged by the
//! tools of those who made the rules for it; where one cannot be had, the test says that it was not run.

mod containers;
mod day;
mod package;
mod unit;
mod watched;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::flowtrail::not_run;

/// A path of the project.
fn root(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Prometheus' own tool, in the folder of its files.
fn promtool() -> Option<Command> {
    let mut promtool = Command::new(named("FLOWTRAIL_TEST_PROMTOOL", "there is no promtool")?);
    promtool.current_dir(root("deploy/prometheus"));
    Some(promtool)
}

/// The Python of `.ci/install-deploy-tools`, next to which its programs are.
fn python() -> Option<PathBuf> {
    let python = named("FLOWTRAIL_TEST_DEPLOY", "the tools that read what is in deploy/ cannot be had")?;
    Some(PathBuf::from(python))
}

fn named(variable: &str, why: &str) -> Option<OsString> {
    let named = std::env::var_os(variable).filter(|named| !named.is_empty());
    if named.is_none() {
        not_run(why);
    }
    named
}

/// Whether the system has a program.
fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        not_run(&format!("there is no {program}"));
    }
    there
}

/// Runs a command to its end, with this input.
fn run(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().unwrap();
    // What reads none of it may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a command that must succeed, and gives what it printed.
fn printed(command: &mut Command, input: &str) -> String {
    let output = run(command, input);
    let (told, why) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{told}{why}", output.status);
    told
}

/// The program that reads what is in `deploy/`, with these arguments.
fn reader(python: &Path, arguments: &[&str]) -> Command {
    let mut reader = Command::new(python);
    reader.arg(root("services/flowtrail/tests/deploy/read.py")).args(arguments).current_dir(root(""));
    reader
}

/// All documents in files of YAML.
fn documents(python: &Path, paths: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = ["yaml"].iter().chain(paths).copied().collect();
    serde_json::from_str(&printed(&mut reader(python, &arguments), "")).unwrap()
}

/// What is in a list; nothing in what is none.
fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The settings of `up`, by their names in the environment, with their values and who says so, as a file leaves them.
fn settings_by(program: &Path, file: &Path) -> Vec<(String, Option<String>, String)> {
    let mut command = Command::new(program);
    let ours =
        std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("FLOWTRAIL_"));
    for name in ours {
        command.env_remove(name);
    }
    let output = run(command.arg("--config").arg(file).args(["config", "--json"]), "");
    let (told, warned) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && warned.is_empty(), "{}: {}{warned}", file.display(), output.status);
    let read = |line: &str| {
        let setting: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| setting[name].as_str().map(str::to_owned);
        (text("setting").unwrap(), text("value"), text("origin").unwrap())
    };
    told.lines().map(read).collect()
}
