//! Who may import whom. Any other arrow between our crates fails here.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Every allowed arrow. Development dependencies may also lead to `testkit`, and from tests to whatever they test.
const ARROWS: &[(&str, &[&str])] = &[
    ("archive", &[]),
    ("explorer", &[]),
    ("model", &[]),
    ("runtime", &[]),
    ("bus", &["model"]),
    ("feed", &["bus", "model"]),
    ("segments", &[]),
    ("views", &["model", "segments"]),
    ("vault", &["model"]),
    ("testkit", &[]),
    ("commands", &["bus", "feed", "model", "runtime", "vault"]),
    ("projector", &["bus", "feed", "model", "runtime", "views"]),
    ("gateway", &["archive", "bus", "explorer", "feed", "model", "runtime", "vault", "views"]),
    ("streamer", &["archive", "bus", "feed", "model", "runtime", "vault"]),
    (
        "flowtrail",
        &["bus", "commands", "feed", "gateway", "model", "projector", "runtime", "streamer", "vault", "views"],
    ),
];

#[test]
fn crates_import_only_along_the_arrows() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "a crate is new or gone: draw its arrows here and in docs/architecture.md");
    for package in &metadata.packages {
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == package.name.as_str()).unwrap();
        for dependency in &package.dependencies {
            if dependency.kind != DependencyKind::Normal || !ours.contains(dependency.name.as_str()) {
                continue;
            }
            let is_allowed = allowed.contains(&dependency.name.as_str());
            assert!(is_allowed, "{} may not import {}", package.name, dependency.name);
        }
    }
}

#[test]
fn the_fixed_packages_are_all_in_use() {
    const FIXED: [&str; 9] =
        ["tokio", "async-nats", "serde", "serde_json", "axum", "sled", "chrono", "ulid", "tracing"];
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let is_used = |name: &str| {
        metadata.packages.iter().any(|package| {
            package
                .dependencies
                .iter()
                .any(|dependency| dependency.name == name && dependency.kind == DependencyKind::Normal)
        })
    };
    assert!(FIXED.into_iter().all(is_used));
    let sled =
        metadata.packages.iter().flat_map(|package| &package.dependencies).find(|dependency| dependency.name == "sled");
    assert!(sled.unwrap().req.to_string().starts_with("^0.34"));
}

/// The targets are no member of the workspace, so their lock file goes stale unseen.
#[test]
fn the_lock_file_of_the_fuzz_targets_names_what_our_crates_depend_on() {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../gateway/fuzz/Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let mut compared = 0;
    for package in MetadataCommand::new().no_deps().exec().unwrap().packages {
        let name = format!("name = \"{}\"", package.name);
        let entry = lock.split("[[package]]").find(|entry| entry.lines().any(|line| line == name));
        // The others are nothing that the targets need.
        let Some(entry) = entry else { continue };
        // A dependency of which there are two versions has its version behind it.
        let locked = entry.lines().filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next());
        let depends_on =
            package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        assert_eq!(
            locked.collect::<BTreeSet<_>>(),
            depends_on.map(|dependency| dependency.name.as_str()).collect(),
            "{}: cargo metadata --manifest-path services/gateway/fuzz/Cargo.toml brings it up to date",
            package.name
        );
        compared += 1;
    }
    assert!(compared >= 5, "{compared}");
}
