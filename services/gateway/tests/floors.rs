//! The files stand on floors, and import only what is on their own floor or below. The story in `lib.rs` is told by
//! files that are there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top down, by the first part of a module's path.
const FLOORS: [&[&str]; 11] = [
    &["serve"],
    &["router"],
    &["openapi"],
    &["route", "console"],
    &["app", "parsers"],
    &["dialects"],
    &["lists"],
    &["access"],
    &["witness"],
    &["upstream"],
    &["http", "render", "describe"],
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of the crate but for tests, by their path in `src`.
fn files() -> Vec<(String, String)> {
    let (mut files, mut folders) = (Vec::new(), vec![src()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(src()).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The modules at the root of the crate that a text names.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split("crate::").skip(1)).map(|path| {
        let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(path.len());
        &path[..end]
    })
}

#[test]
fn every_file_imports_only_its_own_floor_and_those_below() {
    let files = files();
    assert!(files.len() > 60, "only {} files are found", files.len());
    for (name, text) in files.iter().filter(|(name, _)| name != "lib.rs") {
        let own = name.split(['/', '.']).next().unwrap();
        let own = floor(own).unwrap_or_else(|| panic!("{name} is on no floor"));
        for module in named(text) {
            let imported = floor(module).unwrap_or_else(|| panic!("{name} imports {module:?}, which is on no floor"));
            assert!(imported >= own, "{name} imports {module}, which is above it");
        }
    }
}

#[test]
fn no_dialect_knows_another() {
    const DIALECTS: [&str; 4] = ["instavm", "native", "netbird", "vrni"];
    for (name, text) in files() {
        let Some(own) = name.strip_prefix("dialects/").and_then(|path| path.split(['/', '.']).next()) else { continue };
        for other in DIALECTS.into_iter().filter(|other| *other != own) {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let imports = code.into_iter().filter(|line| line.contains(&format!("dialects::{other}")));
            assert_eq!(imports.collect::<Vec<_>>(), Vec::<&str>::new(), "{name} imports {other}");
        }
    }
}

#[test]
fn the_story_of_a_request_names_files_that_are_there_each_once() {
    let text = fs::read_to_string(src().join("lib.rs")).unwrap();
    let story = text.lines().filter_map(|line| line.strip_prefix("//! "));
    let told: Vec<&str> =
        story.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|word| word.ends_with(".rs")).collect();
    assert!(told.len() > 10, "{told:?}");
    for file in &told {
        assert!(src().join(file).is_file(), "{file} is not there");
    }
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len(), "a file is visited twice: {told:?}");
}
