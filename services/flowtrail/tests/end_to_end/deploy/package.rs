//! The Debian package, packed of the binary under test, looked into, and installed into a root folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{has, printed, python, root, settings_by, text, unit};
use crate::flowtrail::not_run;

/// What is packed, with its modes; manual pages, one for each command, apart.
const FILES: [(&str, &str); 17] = [
    ("/etc/flowtrail/flowtrail.toml", "-rw-r-----"),
    ("/usr/bin/flowtrail", "-rwxr-xr-x"),
    ("/usr/lib/systemd/system/flowtrail.service", "-rw-r--r--"),
    ("/usr/lib/sysusers.d/flowtrail.conf", "-rw-r--r--"),
    ("/usr/lib/tmpfiles.d/flowtrail.conf", "-rw-r--r--"),
    ("/usr/share/bash-completion/completions/flowtrail", "-rw-r--r--"),
    ("/usr/share/doc/flowtrail/changelog.gz", "-rw-r--r--"),
    ("/usr/share/doc/flowtrail/copyright", "-rw-r--r--"),
    ("/usr/share/doc/flowtrail/licences.gz", "-rw-r--r--"),
    ("/usr/share/doc/flowtrail/operations.md", "-rw-r--r--"),
    ("/usr/share/fish/vendor_completions.d/flowtrail.fish", "-rw-r--r--"),
    ("/usr/share/flowtrail/grafana/flowtrail.json", "-rw-r--r--"),
    ("/usr/share/flowtrail/prometheus/prometheus.yml", "-rw-r--r--"),
    ("/usr/share/flowtrail/prometheus/rules.yml", "-rw-r--r--"),
    ("/usr/share/man/man1/flowtrail-up.1.gz", "-rw-r--r--"),
    ("/usr/share/man/man1/flowtrail.1.gz", "-rw-r--r--"),
    ("/usr/share/zsh/vendor-completions/_flowtrail", "-rw-r--r--"),
];

/// Packs the binary under test into a folder.
pub(super) fn packed(directory: &Path) -> Option<PathBuf> {
    let python = python()?;
    if !has("dpkg-deb") || !has("strip") {
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root("deploy/package")).arg(env!("CARGO_BIN_EXE_flowtrail")).arg(directory);
    Some(PathBuf::from(printed(&mut command, "").trim()))
}

#[test]
fn the_package_holds_what_an_operator_needs_and_belongs_to_root() {
    let directory = tempfile::tempdir().unwrap();
    let Some(package) = packed(directory.path()) else { return };
    let field =
        |name: &str| printed(Command::new("dpkg-deb").arg("--field").arg(&package).arg(name), "").trim().to_owned();
    assert_eq!(field("Package"), "flowtrail");
    assert_eq!(field("Version"), format!("{}-1", env!("CARGO_PKG_VERSION")));
    assert!(field("Depends").starts_with("libc6 (>= 2."), "{}", field("Depends"));
    let kept = printed(Command::new("dpkg-deb").arg("--info").arg(&package).arg("conffiles"), "");
    assert_eq!(kept.trim(), "/etc/flowtrail/flowtrail.toml");

    let listed = printed(Command::new("dpkg-deb").arg("--contents").arg(&package), "");
    let mut files = BTreeMap::new();
    for line in listed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (mode, owner, path) = (words[0], words[1], words[5].trim_start_matches('.'));
        assert_eq!(owner, "root/root", "{line}");
        if mode.starts_with('d') {
            assert_eq!(mode, "drwxr-xr-x", "{line}");
        } else {
            files.insert(path, mode);
        }
    }
    let expected = BTreeMap::from(FILES);
    for (path, mode) in &expected {
        assert_eq!(files.get(path), Some(mode), "{path}\n{listed}");
    }
    let is_a_page = |path: &str| path.starts_with("/usr/share/man/man1/flowtrail-");
    let more: Vec<&&str> = files.keys().filter(|path| !expected.contains_key(*path) && !is_a_page(path)).collect();
    assert!(more.is_empty(), "{more:?}");

    let first = fs::read(&package).unwrap();
    assert!(first == fs::read(packed(directory.path()).unwrap()).unwrap(), "packed again, it is another one");
}

#[test]
fn the_package_is_installed_works_and_goes_again_but_for_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let Some(package) = packed(directory.path()) else { return };
    if !can_install() || !has("systemd-analyze") {
        return;
    }
    let place = installed(&package);
    let at = |path: &str| place.path().join(path.trim_start_matches('/'));
    let program = at("/usr/bin/flowtrail");
    let version = printed(Command::new(&program).arg("--version"), "");
    assert!(version.starts_with(&format!("flowtrail {}", env!("CARGO_PKG_VERSION"))), "{version}");
    assert_eq!(unit::complaints(place.path()), "");

    // The settings are for the service and nobody else, and say where its data is.
    let users = fs::read_to_string(at("/etc/passwd")).unwrap();
    let user: Vec<&str> = users.lines().find(|line| line.starts_with("flowtrail:")).unwrap().split(':').collect();
    assert_eq!(user[5..], ["/var/lib/flowtrail", "/usr/sbin/nologin"]);
    let file = at("/etc/flowtrail/flowtrail.toml");
    let (metadata, group) = (fs::metadata(&file).unwrap(), user[3].parse::<u32>().unwrap());
    assert_eq!((metadata.permissions().mode() & 0o777, metadata.uid(), metadata.gid()), (0o640, 0, group));
    let settings = settings_by(&program, &file);
    let of = |name: &str| settings.iter().find(|(own, _, _)| own == name).unwrap();
    let (_, data, origin) = of("FLOWTRAIL_DATA_DIR");
    assert_eq!((data.as_deref(), origin.as_str()), (Some("/var/lib/flowtrail"), file.to_str().unwrap()));

    // What the operator wrote stays until the package is purged, and the log after that.
    fs::create_dir_all(at("/var/lib/flowtrail/nats")).unwrap();
    fs::write(&file, "listen = \"127.0.0.1:1\"\n").unwrap();
    dpkg(place.path(), &["--install", package.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "listen = \"127.0.0.1:1\"\n");
    dpkg(place.path(), &["--remove", "flowtrail"]);
    assert!(!program.exists() && file.exists());
    dpkg(place.path(), &["--purge", "flowtrail"]);
    assert!(!at("/etc/flowtrail").exists() && at("/var/lib/flowtrail/nats").exists());
}

/// Whether a package can be installed here, which it is into a folder.
pub(super) fn can_install() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        not_run("only root can install packages, be it into a folder");
    }
    is_root && has("systemd-sysusers") && has("systemd-tmpfiles")
}

/// A root folder with the package, and nothing else, installed.
pub(super) fn installed(package: &Path) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for folder in ["etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    for file in ["status", "available"] {
        fs::write(place.path().join("var/lib/dpkg").join(file), "").unwrap();
    }
    dpkg(place.path(), &["--install", package.to_str().unwrap()]);
    place
}

pub(super) fn dpkg(place: &Path, arguments: &[&str]) {
    let mut command = Command::new("dpkg");
    command.arg(format!("--root={}", place.display())).arg("--log=/dev/null");
    // Its scripts run on this system for that folder, in which the packages that it depends on are not.
    command.args(["--force-script-chrootless", "--force-depends"]).args(arguments);
    printed(&mut command, "");
}

/// A comment begins with `# `, and a setting that is left as it is with `#`.
#[test]
fn the_settings_that_are_installed_are_settings_and_show_their_defaults() {
    let directory = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_flowtrail"));
    let given = |name: &str, content: &str| {
        let file = directory.path().join(name);
        fs::write(&file, content).unwrap();
        settings_by(program, &file)
    };
    let installed = text("deploy/flowtrail.toml");
    let left = |line: &str| line.strip_prefix('#').is_some_and(|rest| rest.contains('=') && !rest.starts_with(' '));
    let all: String =
        installed.lines().map(|line| if left(line) { &line[1..] } else { line }).fold(String::new(), joined);
    let lines = all.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    let (all, none) = (given("all.toml", &all), given("none.toml", ""));
    assert_eq!(
        all.iter().filter(|(_, _, origin)| origin.ends_with("all.toml")).count(),
        lines,
        "each line is a setting"
    );
    for ((name, value, origin), (_, default, _)) in all.iter().zip(&none) {
        let in_file = name.trim_start_matches("FLOWTRAIL_").to_lowercase();
        let is_left = origin.ends_with("all.toml") && installed.contains(&format!("\n#{in_file} = "));
        // What has no default is shown by an example.
        if is_left && default.as_ref().is_some_and(|default| !default.is_empty()) {
            assert_eq!(value, default, "{name}");
        }
    }
}

fn joined(mut lines: String, line: &str) -> String {
    lines += line;
    lines.push('\n');
    lines
}
