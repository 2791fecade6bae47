//! Each mistake in the settings that the page on operations shows, made: it says what the page says, and nothing is started.

use std::path::Path;

use crate::flowtrail::flowtrail;

/// What is set, as `NAME=VALUE` with blanks between several, and what is said of it.
fn shown() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("\n## Mistakes in settings\n").nth(1).unwrap().split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `FLOWTRAIL_"));
    let row = |row: &str| {
        let (set, said) = row.trim_end_matches(" |").split_once(" | ").unwrap();
        (format!("FLOWTRAIL_{}", set.trim_matches('`')), said.trim_matches('`').replace("\\|", "|"))
    };
    rows.map(row).collect()
}

#[test]
fn every_mistake_in_the_settings_is_a_line_that_names_it_and_exit_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let (shown, mut wrong) = (shown(), Vec::new());
    assert!(shown.len() >= 20, "{} are shown", shown.len());
    for (set, expected) in &shown {
        let settings = set.split(' ').map(|setting| setting.split_once('=').unwrap());
        let output = flowtrail(&data).arg("up").envs(settings).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        if (said.as_str(), output.status.code()) != (&format!("error: {expected}\n"), Some(2)) {
            wrong.push(format!("{set}: {:?}: {said}", output.status.code()));
        }
        assert!(!data.join("nats").exists(), "{set}: something was started");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
