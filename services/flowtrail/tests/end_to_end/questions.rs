//! The questions of `docs/query.md`, asked of real logs as the page says, are answered as jq answers them from the files that
//! were imported.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::flowtrail::{Flowtrail, Topology, flowtrail as program, sample};

const CLOUDTRAIL: &[&str] = &["aws-cloudtrail-s3-exfiltration.ndjson"];
const ZEEK: &[&str] = &["zeek-conn-nashua.ndjson", "zeek-conn-scranton.ndjson"];

/// What an answer comes down to, so that it can be compared: of lists the ids, of counts each value with its count and sum.
const IDS: &str = "map(.id) | sort";
const FLOWS: &str = "map(.flow_id) | sort";
const VALUES: &str = ".[0].facets[0].values | map([.value, .count]) | sort";
const PAIRS: &str = ".[0].pairs | map([.values[], .count, .sum]) | sort";

/// For each row of the page's table: how its answer is read, the files that it is about, and what jq is asked of these.
const ANSWERS: [(&str, &[&str], &str); 12] = [
    (IDS, CLOUDTRAIL, r#"map(select(.userIdentity.arn // "" | test("BankingWAFRole")) | .eventID) | sort"#),
    (IDS, CLOUDTRAIL, r#"map(select(.userAgent | ascii_downcase | contains("aws-cli")) | .eventID) | sort"#),
    (IDS, CLOUDTRAIL, r#"map(select(.eventName | test("^(Describe|List|Get)") | not) | .eventID) | sort"#),
    (IDS, CLOUDTRAIL, "map(select(.requestParameters | objects | .bucketName) | .eventID) | sort"),
    (
        IDS,
        CLOUDTRAIL,
        r#"map(select([.requestParameters | objects | .instancesSet | objects | .items | arrays | .[].instanceId]
                      | index("i-044b1baf4c96e1b62")) | .eventID) | sort"#,
    ),
    (
        IDS,
        CLOUDTRAIL,
        r#"map(select(.["@timestamp"] >= "2020-09-14T00:50:00.000Z" and .["@timestamp"] < "2020-09-14T00:55:00.000Z")
               | .eventID) | sort"#,
    ),
    (
        VALUES,
        CLOUDTRAIL,
        r#"map(select(.userIdentity.arn // "" | test("user/pedro"))
               | (.eventSource | split(".")[0]) + "." + .eventName) | group_by(.) | map([.[0], length]) | sort"#,
    ),
    (
        VALUES,
        ZEEK,
        r#"map(select(.id_resp_h == "10.0.0.4" and .id_resp_p == 53) | .id_orig_h)
           | group_by(.) | map([.[0], length]) | sort"#,
    ),
    (
        VALUES,
        ZEEK,
        r#"map(select(.conn_state == "REJ" and .ts >= 1588204800 and .ts < 1588208400) | .["@system"])
           | group_by(.) | map([.[0], length]) | sort"#,
    ),
    (
        FLOWS,
        ZEEK,
        "map(select((.orig_bytes // .orig_ip_bytes // 0) + (.resp_bytes // .resp_ip_bytes // 0) > 100000) | .uid) | sort",
    ),
    (
        FLOWS,
        ZEEK,
        r#"map(select((.id_orig_h | startswith("10.0.1.")) and (.id_resp_h | startswith("10.") | not)) | .uid) | sort"#,
    ),
    (
        PAIRS,
        ZEEK,
        r#"group_by([.id_orig_h, .id_resp_h])
           | map([.[0].id_orig_h, .[0].id_resp_h, length,
                  (map((.orig_bytes // .orig_ip_bytes // 0) + (.resp_bytes // .resp_ip_bytes // 0)) | add)]) | sort"#,
    ),
];

#[tokio::test]
async fn the_questions_of_the_page_are_answered_as_jq_answers_them() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    for (format, files) in [("aws-cloudtrail", CLOUDTRAIL), ("zeek-conn", ZEEK)] {
        for file in files {
            flowtrail.succeed(["import".as_ref(), format.as_ref(), sample(file).as_os_str()]);
        }
    }
    flowtrail.has_traffic(613).await;
    testkit::eventually("all events are listed", async || {
        (flowtrail.get("/flowtrail/v1/audit?limit=1&q=source:aws-cloudtrail").await["total"] == 103).then_some(())
    })
    .await;

    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/query.md")).unwrap();
    let section = page.split("## Twelve questions").nth(1).unwrap().split("\n## ").next().unwrap();
    let commands: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once("| `")?.1.strip_suffix("` |")).collect();
    assert_eq!(commands.len(), ANSWERS.len());
    for (command, (shape, files, told)) in commands.into_iter().zip(ANSWERS) {
        let answer = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(answer.path(), asked(&flowtrail, command)).unwrap();
        let files: Vec<PathBuf> = files.iter().map(|file| sample(file)).collect();
        let (answer, expected) = (jq(shape, &[answer.path().to_owned()]), jq(told, &files));
        assert_eq!(answer, expected, "{command}");
        assert_ne!(expected, Value::Array(Vec::new()), "{command}: there is something to be found");
    }
}

/// What a command of the page prints, run by a shell as people do.
fn asked(flowtrail: &Flowtrail, command: &str) -> String {
    let program = program(&flowtrail.data());
    let directory = Path::new(program.get_program()).parent().unwrap();
    let mut shell = Command::new("sh");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([directory.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let output = shell.env("PATH", path).env("FLOWTRAIL_URL", &flowtrail.url).args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What jq makes of files.
fn jq(asked: &str, files: &[PathBuf]) -> Value {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs jq");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/jq_says.py");
    let output = Command::new(python).arg(script).arg(asked).args(files).output().unwrap();
    assert!(output.status.success(), "{asked}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
