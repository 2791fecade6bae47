//! README.md and docs/ say what is there: links lead somewhere, paths exist, tables name what the code names.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::integration::Platform;
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Folders of the project that paths in the pages begin with.
const FOLDERS: [&str; 7] = ["shared/", "services/", "nats/", "schemas/", "deploy/", "docs/", ".ci/"];

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page, by its path in the project.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "nats/README.md",
        "services/flowtrail/bench/README.md",
    ]
    .map(str::to_owned)
    .into();
    for folder in ["docs", "docs/decisions"] {
        let names = std::fs::read_dir(root(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| format!("{folder}/{}", name.to_str().unwrap()));
        pages.extend(names.filter(|name| name.ends_with(".md")));
    }
    pages.sort();
    pages
}

/// A page without what is printed between fences.
fn prose(page: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text(page).lines() {
        let is_fence = line.starts_with("```");
        if !is_fence && !is_code {
            prose += line;
        }
        prose.push('\n');
        is_code ^= is_fence;
    }
    prose
}

/// What stands in backticks.
fn spans(prose: &str) -> impl Iterator<Item = &str> {
    prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Where the links and pictures of a page lead.
fn links(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let anchor = |heading: &str| {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|kept| kept.is_alphanumeric() || " -_".contains(*kept));
        kept.map(|kept| if kept == ' ' { '-' } else { kept }).collect()
    };
    prose(page).lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn expanded(path: &str) -> Vec<String> {
    let braces = path.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?)));
    let Some((start, (choices, end))) = braces else { return vec![path.to_owned()] };
    choices.split(',').flat_map(|choice| expanded(&format!("{start}{choice}{end}"))).collect()
}

/// The paths that a page names and that are nowhere.
fn missing_paths(prose: &str) -> Vec<String> {
    let is_path =
        |span: &&str| FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains([' ', '<', '*', '…']);
    spans(prose).filter(is_path).flat_map(expanded).filter(|path| !root(path).exists()).collect()
}

#[test]
fn every_path_that_a_page_names_exists() {
    let missing: Vec<String> = pages()
        .iter()
        .flat_map(|page| missing_paths(&prose(page)).into_iter().map(move |path| format!("{page}: {path}")))
        .collect();
    assert!(missing.is_empty(), "named, and not there:\n{}", missing.join("\n"));
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut dead = Vec::new();
    for page in pages() {
        for link in links(&prose(&page)).filter(|link| !link.starts_with("http")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => Path::new(&page).parent().unwrap().join(path).to_str().unwrap().to_owned(),
            };
            let is_there = root(&target).exists() && (anchor.is_empty() || anchors(&target).contains(anchor));
            if !is_there {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn what_is_wrong_in_a_page_is_found() {
    assert_eq!(missing_paths("`shared/model/src/{lib,nowhere}.rs`, `nats/`, `x`"), ["shared/model/src/nowhere.rs"]);
    assert_eq!(links("[a](b.md) and ![c](d/e.svg#f)").collect::<Vec<_>>(), ["b.md", "d/e.svg#f"]);
    assert_eq!(expanded("a/{b,c}/{d,e}.rs"), ["a/b/d.rs", "a/b/e.rs", "a/c/d.rs", "a/c/e.rs"]);
    assert!(anchors("docs/architecture.md").contains("one-event-in"));
}

#[test]
fn every_recipe_that_a_page_names_is_in_the_justfile() {
    let justfile = text("justfile");
    let is_recipe = |name: &str| {
        justfile.lines().any(|line| {
            let head = line.strip_prefix(name);
            head.is_some_and(|rest| rest.starts_with(':') || (rest.starts_with(' ') && rest.contains(':')))
        })
    };
    let mut named = BTreeSet::new();
    for page in pages() {
        for span in spans(&prose(&page)) {
            let command = span.strip_prefix("./just ").or_else(|| span.strip_prefix("just "));
            named.extend(command.and_then(|rest| rest.split(' ').next()).map(str::to_owned));
        }
    }
    assert!(named.len() > 10, "{named:?}");
    let unknown: Vec<&String> = named.iter().filter(|name| !is_recipe(name)).collect();
    assert!(unknown.is_empty(), "no such recipes: {unknown:?}");
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let mut reached = BTreeSet::from(["README.md".to_owned()]);
    let mut waiting = vec!["README.md".to_owned()];
    while let Some(page) = waiting.pop() {
        for link in links(&prose(&page)).filter(|link| !link.starts_with("http")) {
            let path = link.split('#').next().unwrap();
            let target = root(&page).parent().unwrap().join(path);
            let Ok(target) = target.canonicalize() else { continue };
            let target = target.strip_prefix(root("").canonicalize().unwrap()).unwrap().to_str().unwrap().to_owned();
            if target.ends_with(".md") && reached.insert(target.clone()) {
                waiting.push(target);
            }
        }
    }
    let unreached: Vec<String> = pages().into_iter().filter(|page| !reached.contains(page)).collect();
    assert!(unreached.is_empty(), "no link leads to {}", unreached.join(", "));
}

#[test]
fn no_file_is_visited_twice_on_the_way_of_an_event_and_a_query() {
    let page = text("docs/architecture.md");
    let mut visited = BTreeSet::new();
    for (section, stations) in [("One event in", 15), ("One query out", 10)] {
        let section = page.split("\n## ").find(|part| part.starts_with(&format!("{section}\n"))).unwrap();
        let is_station = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
        let found: Vec<&str> = section.lines().filter(is_station).map(|line| spans(line).next().unwrap()).collect();
        assert!(found.len() >= stations, "{found:?}");
        for file in found {
            assert!(root(file).is_file(), "{file} is not there");
            assert!(visited.insert(file.to_owned()), "{file} comes twice");
        }
    }
}

#[test]
fn decisions_are_numbered_and_listed() {
    let index = text("docs/decisions/README.md");
    let records: Vec<String> = pages().into_iter().filter(|page| page.starts_with("docs/decisions/0")).collect();
    assert!(records.len() >= 14);
    for (number, path) in (1..).zip(&records) {
        let name = path.strip_prefix("docs/decisions/").unwrap();
        let number = format!("{number:04}");
        assert!(name.starts_with(&number), "{name} should be number {number}");
        let record = text(path);
        let title = record.lines().next().unwrap().strip_prefix(&format!("# {number} ")).unwrap();
        assert!(index.contains(&format!("| [{number}]({name}) | {title} |\n")), "{name} is not in the list as {title}");
        for part in ["\n## Context\n", "\n## Decision\n", "\n## What follows\n"] {
            assert!(record.contains(part), "{name} has no {part}");
        }
    }
}

/// The first cells of a table's rows, under this heading.
fn first_cells(page: &str, heading: &str) -> Vec<String> {
    let page = text(page);
    let section = page.split("\n## ").find(|part| part.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("there is no heading {heading}"));
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    rows.filter(|cell| cell.starts_with('`'))
        .flat_map(|cell| spans(cell).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_page_on_delivery_names_every_key_of_every_platform() {
    let page = text("docs/delivery.md");
    for platform in Platform::ALL {
        // A platform's section begins with its name in the API.
        let introduces = format!("\n\n`{}`: ", platform.name());
        let heading = page.split("\n## ").find_map(|section| {
            let (heading, rest) = section.split_at(section.find('\n')?);
            rest.starts_with(&introduces).then_some(heading)
        });
        let heading = heading.unwrap_or_else(|| panic!("no section begins with {}", platform.name()));
        assert_eq!(first_cells("docs/delivery.md", heading), platform.keys(), "{heading}");
    }
}

/// Its forms are made of a list of their own, as a description of the API does not say what to ask for.
#[test]
fn the_page_asks_for_every_key_of_every_platform() {
    // Taken for NetBird's clients, and without a meaning.
    const NOT_ASKED_FOR: (Platform, &str) = (Platform::Datadog, "region");
    let source = text("services/gateway/explorer/app/streaming/platforms.ts");
    let (lists, platforms) = source.split_once("export const PLATFORMS").unwrap();
    for platform in Platform::ALL {
        let begins = format!("\n  {{\n    name: \"{}\",", platform.name());
        let (_, form) = platforms.split_once(&begins).unwrap_or_else(|| panic!("no form for {}", platform.name()));
        let (form, _) = form.split_once("\n  },").unwrap();
        let mut keys = asked_for(form);
        // A list that several have in common stands by its name.
        for list in lists.split("\nconst ").skip(1) {
            let (name, fields) = list.split_once(':').unwrap();
            if form.contains(name) {
                keys.extend(asked_for(fields));
            }
        }
        let known = platform.keys().into_iter().filter(|key| (platform, *key) != NOT_ASKED_FOR);
        assert_eq!(keys, known.collect(), "{}", platform.name());
    }
}

/// The keys that fields of a form are for.
fn asked_for(fields: &str) -> BTreeSet<&str> {
    let behind = |name| fields.split(name).skip(1).map(|rest: &str| rest.split('"').next().unwrap());
    behind("key: \"").chain(behind("alias: \"")).collect()
}

#[test]
fn the_page_on_asking_names_every_parameter_of_every_list() {
    let description: Value = serde_json::from_str(&text("schemas/openapi.json")).unwrap();
    for (heading, path) in [
        ("NetBird: audit events", "/api/events/audit"),
        ("NetBird: network traffic", "/api/events/network-traffic"),
        ("InstaVM: audit events", "/v1/audit/events"),
        ("Flowtrail: both lists", "/flowtrail/v1/audit"),
        ("Flowtrail: both lists", "/flowtrail/v1/traffic"),
        ("Flowtrail: completion", "/flowtrail/v1/audit/values"),
        ("Flowtrail: completion", "/flowtrail/v1/traffic/values"),
        ("Flowtrail: all of it", "/flowtrail/v1/audit/export"),
        ("Flowtrail: all of it", "/flowtrail/v1/traffic/export"),
    ] {
        let parameters = description["paths"][path]["get"]["parameters"].as_array().unwrap();
        let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let mut names: BTreeSet<&str> = in_query.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        // What traffic alone has stands in a section of its own.
        if names.remove("merge") {
            assert_eq!(first_cells("docs/query.md", "Flowtrail: one row for a flow")[0], "merge");
        }
        let cells = first_cells("docs/query.md", heading);
        assert_eq!(cells.iter().map(String::as_str).collect::<BTreeSet<_>>(), names, "{heading}");
    }
    let body = &description["paths"]["/api/ni/logs/audit"]["post"]["requestBody"]["content"]["application/json"];
    let names = body["schema"]["properties"].as_object().unwrap().keys();
    // The other name of `user_name` is in the row of that one.
    let names: BTreeSet<&str> = names.map(String::as_str).filter(|name| *name != "username").collect();
    let cells = first_cells("docs/query.md", "vRNI: audit logs");
    assert_eq!(cells.iter().map(String::as_str).collect::<BTreeSet<_>>(), names);
}

#[test]
fn the_page_on_operations_names_every_setting_with_its_default() {
    let mut settings = BTreeSet::new();
    for source in ["shared/runtime/src/settings.rs", "services/flowtrail/src/cli.rs"] {
        let source = text(source);
        for attribute in source.split("env = \"").skip(1) {
            let (name, rest) = attribute.split_once('"').unwrap();
            settings.insert(name.to_owned());
            let attribute = rest.split(")]").next().unwrap();
            let default = attribute.split_once("default_value = \"").and_then(|(_, rest)| rest.split('"').next());
            let typed = attribute.split_once("default_value_t = ").and_then(|(_, rest)| rest.split([',', ')']).next());
            // What is empty is told in words.
            let Some(default) = default.or(typed).filter(|default| !default.is_empty()) else { continue };
            let row = format!("| `{name}` | `{default}` |");
            assert!(text("docs/operations.md").contains(&row), "docs/operations.md has no row that begins with {row}");
        }
    }
    let named: BTreeSet<String> = first_cells("docs/operations.md", "Settings").into_iter().collect();
    assert_eq!(named, settings);
}

#[test]
fn the_table_of_subjects_is_that_of_the_streams() {
    let page = text("nats/README.md");
    let streams: Value = serde_json::from_str(&text("nats/streams.json")).unwrap();
    let streams = streams.as_array().unwrap();
    for stream in streams {
        let name = stream["name"].as_str().unwrap();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        // `<account>` stands for `*`, and what a bucket holds for everything.
        let subject = cells[2].trim_matches('`');
        let parts = subject.split('.').map(|part| if part.starts_with('<') { "*" } else { part });
        let subject = parts.collect::<Vec<_>>().join(".");
        let subjects = stream["subjects"].as_array().unwrap();
        let is_there = subjects.iter().any(|there| *there == subject || *there == subject.replace('*', ">"));
        assert!(subjects.len() == 1 && is_there, "{row}");
        if let Some(age) = stream["max_age"].as_u64().filter(|age| *age > 0) {
            assert_eq!(cells[4], format!("{} days", age / 86_400_000_000_000), "{row}");
        }
    }
    assert_eq!(first_cells("nats/README.md", "Subjects").len(), streams.len());
}

/// `just pictures` draws them again.
#[test]
fn the_pictures_are_drawn_from_their_texts() {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs a Python");
    let mut command = Command::new(python);
    command.args(["draw.py", "data.txt"]).current_dir(root("docs/pictures"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == text("docs/pictures/data.svg").as_bytes(), "docs/pictures/data.svg: run just pictures");
}
