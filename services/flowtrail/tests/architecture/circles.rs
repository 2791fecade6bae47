//! No circle of files: inside a crate, whatever a file imports does not lead back to it.
//!
//! Imports are read from the text: `use` lines, paths that begin with `crate::` or `super::`, and calls into modules
//! that a file declares. A name that a module only passes on (`pub use`) counts as an import of the file that has it.
//! A `mod` line alone is no import, and tests are left out. Uses the standard library alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// The files of a crate: by module path (`["lists", "page"]`, empty for the root), their text.
type Sources = BTreeMap<Vec<String>, String>;

/// A path in the code, as names.
type Names = Vec<String>;

/// By file, the files that it imports.
type Imports = BTreeMap<Names, BTreeSet<Names>>;

#[test]
fn no_crate_has_a_circle_of_files() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut found, mut looked_at) = (String::new(), 0);
    for group in ["shared", "services"] {
        for entry in std::fs::read_dir(workspace.join(group)).unwrap() {
            let folder = entry.unwrap().path();
            let sources = read(&folder.join("src"));
            looked_at += sources.len();
            let imports = imports(&sources);
            for circle in circles(&imports) {
                writeln!(found, "\n{}: a circle of {} files", folder.file_name().unwrap().display(), circle.len())
                    .unwrap();
                for file in &circle {
                    let inside = imports[file].intersection(&circle).map(|file| file_name(file)).collect::<Vec<_>>();
                    writeln!(found, "  {} -> {}", file_name(file), inside.join(", ")).unwrap();
                }
            }
        }
    }
    assert!(looked_at > 200, "only {looked_at} files were found");
    assert!(found.is_empty(), "{found}");
}

#[test]
fn a_planted_circle_is_found() {
    let planted = [
        ("", "pub mod list;\nmod page;\nmod store;\npub use store::Store;"),
        ("list", "use crate::{Store, page::Page};"),
        ("page", "/// See [`crate::list`].\nfn name() -> &'static str { \"crate::list\" }"),
        ("store", "mod slot;\nfn open() { slot::open() }"),
        ("store::slot", "use super::super::list;"),
    ];
    assert_eq!(found_in(&planted), [["list", "store", "store::slot"]]);
}

#[test]
fn what_only_looks_like_a_circle_is_none() {
    let fine = [
        ("", "mod error;\nmod list;\npub use error::Error;\npub use list::{List, Page as Sheet};"),
        ("error", "// use crate::list::List;\npub enum Error {}"),
        (
            "list",
            "mod tests;\nmod page;\nuse self::page::Page;\nuse crate::Error;\n#[cfg(test)]\nmod inner { use crate::list::List; }",
        ),
        ("list::page", "use crate::Error;\nuse core::fmt::{self, Debug};"),
    ];
    assert_eq!(found_in(&fine), Vec::<Vec<String>>::new());
}

fn found_in(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let names = |path: &str| path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let sources = files.iter().map(|(path, text)| (names(path), code_of(text))).collect();
    circles(&imports(&sources)).iter().map(|circle| circle.iter().map(|file| file.join("::")).collect()).collect()
}

fn file_name(module: &[String]) -> String {
    if module.is_empty() { "lib.rs".to_owned() } else { module.join("/") + ".rs" }
}

/// The files of a crate, without tests, comments and string literals.
fn read(src: &Path) -> Sources {
    let mut sources = Sources::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if is_test {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = path.strip_prefix(src).unwrap().with_extension("");
                let mut names: Names =
                    module.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
                if names == ["lib"] || names == ["main"] {
                    names.clear();
                }
                sources.insert(names, code_of(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    sources
}

/// What is left of a file without comments, string literals and what stands behind `#[cfg(test)]`.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(raw) = raw_string(rest) {
            rest = &rest[raw..];
        } else if next == '"' {
            let mut is_escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, letter)| {
                let ends = *letter == '"' && !is_escaped;
                is_escaped = *letter == '\\' && !is_escaped;
                ends
            });
            rest = end.map_or("", |(end, _)| &rest[end + 1..]);
        } else if let Some(after) = ["'\"'", "'\\\"'"].iter().find_map(|quoted| rest.strip_prefix(quoted)) {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("#[cfg(test)]") {
            rest = skip_item(after);
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

/// The length of the raw string literal that a text begins with.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?.chars().take_while(|letter| *letter == '#').count();
    let body = text.get(1 + hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(2 + hashes + body.find(&end)? + end.len())
}

/// What stands behind an item: a declaration that ends with a semicolon, or a block.
fn skip_item(text: &str) -> &str {
    let Some(end) = text.find([';', '{']) else { return "" };
    if text[end..].starts_with(';') {
        return &text[end + 1..];
    }
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices().skip(end) {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return &text[at + 1..],
            '}' => depth -= 1,
            _ => {}
        }
    }
    ""
}

fn imports(sources: &Sources) -> Imports {
    let passed_on: BTreeMap<&Names, BTreeMap<String, Names>> =
        sources.iter().map(|(file, code)| (file, passed_on_by(file, code, sources))).collect();
    let imports_of = |(file, code): (&Names, &String)| {
        let paths = paths_in(code, &declared_in(code)).into_iter();
        let mut imported: BTreeSet<Names> =
            paths.filter_map(|path| file_of(&absolute(file, &path, sources)?, sources, &passed_on)).collect();
        imported.remove(file);
        (file.clone(), imported)
    };
    sources.iter().map(imports_of).collect()
}

/// The modules that a file declares.
fn declared_in(code: &str) -> Vec<&str> {
    code.lines()
        .filter_map(|line| line.trim().strip_suffix(';')?.rsplit_once(' '))
        .filter(|(before, _)| *before == "mod" || before.ends_with(" mod"))
        .map(|(_, name)| name)
        .collect()
}

/// Every path in the code that may lead to another file: from `use` lines, and wherever one begins with `crate::`,
/// `super::`, `self::` or the name of a declared module.
fn paths_in(code: &str, declared: &[&str]) -> Vec<Names> {
    let mut paths: Vec<Names> = uses(code).into_iter().map(|one| one.path).collect();
    for (start, _) in code.match_indices("::") {
        let first = name_before(code, start);
        let before = &code[..start - first.len()];
        // A group in braces stands in a `use` line, whose paths are there already.
        let begins = !before.ends_with(':') && !first.is_empty() && !code[start..].starts_with("::{");
        if begins && (["crate", "super", "self"].contains(&first) || declared.contains(&first)) {
            paths.push(path_at(&code[start - first.len()..]));
        }
    }
    paths
}

fn is_part_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn name_before(code: &str, end: usize) -> &str {
    let start = code[..end].rfind(|letter| !is_part_of_a_name(letter));
    let start = start.map_or(0, |at| at + code[at..].chars().next().map_or(1, char::len_utf8));
    &code[start..end]
}

/// The path that a text begins with.
fn path_at(text: &str) -> Names {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(|letter| !is_part_of_a_name(letter)).unwrap_or(rest.len());
        if end == 0 {
            return names;
        }
        names.push(rest[..end].to_owned());
        match rest[end..].strip_prefix("::") {
            Some(after) => rest = after,
            None => return names,
        }
    }
}

/// One name that a `use` line brings in.
struct Use {
    path: Names,
    /// What it is called from then on.
    name: String,
    is_passed_on: bool,
}

fn uses(code: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, word) in code.match_indices("use ") {
        let visibility = code[..at].rsplit('\n').next().unwrap_or_default().trim();
        let is_passed_on = visibility.starts_with("pub");
        if !visibility.is_empty() && !is_passed_on {
            continue;
        }
        let tree = code[at + word.len()..].split(';').next().unwrap_or_default();
        let mut expanded = Vec::new();
        expand(&[], &tree.split_whitespace().collect::<Vec<_>>().join(" "), &mut expanded);
        uses.extend(expanded.into_iter().map(|(path, name)| Use { path, name, is_passed_on }));
    }
    uses
}

/// The paths of a tree such as `a::{b, c::{self, D as E}}`, each with the name that it gets.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<(Names, String)>) {
    let tree = tree.trim();
    if let Some((before, group)) = tree.split_once('{') {
        let mut names = prefix.to_vec();
        names.extend(before.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        let (mut depth, mut start) = (0_usize, 0);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    expand(&names, &group[start..at], paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        expand(&names, &group[start..], paths);
        return;
    }
    if tree.is_empty() {
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut names = prefix.to_vec();
    names.extend(path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
    if names.len() > 1 && names.last().is_some_and(|last| last == "self") {
        names.pop();
    }
    let name = alias.map(str::to_owned).or_else(|| names.last().cloned()).unwrap_or_default();
    paths.push((names, name));
}

/// A path from the root of the crate; none where it leads out of it.
fn absolute(file: &Names, path: &Names, sources: &Sources) -> Option<Names> {
    let (mut base, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (file.clone(), &path[1..]),
        "super" => (file.clone(), &path[..]),
        name => {
            let mut child = file.clone();
            child.push(name.to_owned());
            sources.contains_key(&child).then_some((file.clone(), &path[..]))?
        }
    };
    while rest.first().is_some_and(|name| name == "super") {
        base.pop()?;
        rest = &rest[1..];
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The names that a file passes on, and where they come from.
fn passed_on_by(file: &Names, code: &str, sources: &Sources) -> BTreeMap<String, Names> {
    let passed_on = uses(code).into_iter().filter(|one| one.is_passed_on);
    passed_on.filter_map(|one| Some((one.name, absolute(file, &one.path, sources)?))).collect()
}

/// The file that has what a path leads to.
fn file_of(path: &[String], sources: &Sources, passed_on: &BTreeMap<&Names, BTreeMap<String, Names>>) -> Option<Names> {
    let depth = (0..=path.len()).rev().find(|depth| sources.contains_key(&path[..*depth]))?;
    let (module, rest) = path.split_at(depth);
    let source = rest.first().and_then(|name| passed_on.get(&module.to_vec())?.get(name));
    match source {
        // What passes itself on is somebody else's.
        Some(source) if source != path => file_of(source, sources, passed_on),
        _ => Some(module.to_vec()),
    }
}

/// The largest sets of files each of which imports, by way of others, all of them.
fn circles(imports: &Imports) -> Vec<BTreeSet<Names>> {
    let reached: BTreeMap<&Names, BTreeSet<&Names>> =
        imports.keys().map(|file| (file, reached_from(file, imports))).collect();
    let mut circles: Vec<BTreeSet<Names>> = Vec::new();
    for file in imports.keys() {
        let is_known = circles.iter().any(|circle| circle.contains(file));
        if is_known || !reached[file].contains(file) {
            continue;
        }
        circles.push(
            reached[file]
                .iter()
                .filter(|other| reached[**other].contains(file))
                .map(|other| (*other).clone())
                .collect(),
        );
    }
    circles
}

/// What a file imports, by way of others too.
fn reached_from<'a>(file: &Names, imports: &'a Imports) -> BTreeSet<&'a Names> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Names> = imports[file].iter().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(&imports[file]);
        }
    }
    reached
}
