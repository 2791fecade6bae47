//! Real clients: NetBird's and InstaVM's from PyPI, one generated from vRNI's description, nats-py, a FastAPI
//! application that is asked the same, and schemathesis over the descriptions of the dialects and the own one.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::free_port;

use crate::flowtrail::{Flowtrail, Topology};

/// Runs one of the programs in `tests/clients` against a fresh Flowtrail; its exit code is the verdict. What the
/// program reads is recorded in the log that it reads, as it is for everybody who changes no setting. Only how often it brings
/// wrong tokens, and signs in under one name, is not bounded: it does that more often than people do.
async fn passes(program: &str, topology: Topology, more: fn(&Flowtrail) -> Vec<String>) {
    let settings = [("FLOWTRAIL_RATE_UNKNOWN", "0"), ("FLOWTRAIL_RATE_SIGN_INS_NAME", "0")];
    succeeds(&Flowtrail::start_with(topology, &settings).await, program, more).await;
}

async fn succeeds(flowtrail: &Flowtrail, program: &str, more: fn(&Flowtrail) -> Vec<String>) {
    let python = std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs the Python clients");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut command = Command::new(python);
    command.arg(directory.join(program)).args(["--url", &flowtrail.url, "--token", &flowtrail.token]);
    command.args(more(flowtrail)).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program}:\n{said}\n{errors}");
}

fn nothing(_: &Flowtrail) -> Vec<String> {
    Vec::new()
}

fn nats(flowtrail: &Flowtrail) -> Vec<String> {
    vec!["--nats".to_owned(), flowtrail.nats_url.clone()]
}

fn password(flowtrail: &Flowtrail) -> Vec<String> {
    let password = std::fs::read_to_string(flowtrail.data().join("admin.password")).unwrap();
    vec!["--password".to_owned(), password.trim().to_owned()]
}

fn description(dialect: &str) -> Vec<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../schemas/dialects", dialect].iter().collect();
    vec!["--description".to_owned(), path.into_os_string().into_string().unwrap()]
}

fn netbird(_: &Flowtrail) -> Vec<String> {
    description("netbird-openapi.yml")
}

fn instavm(_: &Flowtrail) -> Vec<String> {
    description("instavm-openapi.json")
}

fn vrni(_: &Flowtrail) -> Vec<String> {
    let ends_token = ["--ends-token".to_owned(), "delete".to_owned()];
    description("vrni-openapi.yml").into_iter().chain(ends_token).collect()
}

fn own(_: &Flowtrail) -> Vec<String> {
    ["--description", "/openapi.json", "--examples", "8", "--ends-token", "deleteApiNiAuthToken"]
        .map(str::to_owned)
        .into()
}

#[tokio::test]
async fn netbirds_python_client_works_in_one_process() {
    passes("netbird_client.py", Topology::Together, nothing).await;
}

#[tokio::test]
async fn netbirds_python_client_works_with_split_roles() {
    passes("netbird_client.py", Topology::Split, nothing).await;
}

#[tokio::test]
async fn netbirds_dashboard_and_go_client_are_understood_in_one_process() {
    passes("netbird_dashboard.py", Topology::Together, nothing).await;
}

#[tokio::test]
async fn netbirds_dashboard_and_go_client_are_understood_with_split_roles() {
    passes("netbird_dashboard.py", Topology::Split, nothing).await;
}

#[tokio::test]
async fn events_from_nats_py_are_visible_within_a_second_in_one_process() {
    passes("publish_nats.py", Topology::Together, nats).await;
}

#[tokio::test]
async fn events_from_nats_py_are_visible_within_a_second_with_split_roles() {
    passes("publish_nats.py", Topology::Split, nats).await;
}

#[tokio::test]
async fn netbirds_api_description_holds_in_one_process() {
    // It lists the activity codes that NetBird itself has. Those of other events are none of them, so that the records
    // of reads, which the program makes many of, would be all that it finds.
    succeeds(&Flowtrail::start(Topology::Together).await, "check_openapi.py", netbird).await;
}

#[tokio::test]
async fn netbirds_api_description_holds_with_split_roles() {
    succeeds(&Flowtrail::start(Topology::Split).await, "check_openapi.py", netbird).await;
}

#[tokio::test]
async fn instavms_sdk_and_command_line_work_in_one_process() {
    passes("instavm_client.py", Topology::Together, nothing).await;
}

#[tokio::test]
async fn instavms_sdk_and_command_line_work_with_split_roles() {
    passes("instavm_client.py", Topology::Split, nothing).await;
}

#[tokio::test]
async fn a_fastapi_application_answers_malformed_requests_the_same_in_one_process() {
    passes("fastapi_twin.py", Topology::Together, nothing).await;
}

#[tokio::test]
async fn a_fastapi_application_answers_malformed_requests_the_same_with_split_roles() {
    passes("fastapi_twin.py", Topology::Split, nothing).await;
}

#[tokio::test]
async fn instavms_api_description_holds() {
    passes("check_openapi.py", Topology::Together, instavm).await;
}

/// The one argument that is known only when Flowtrail has been told of it.
fn keys_port(flowtrail: &Flowtrail) -> Vec<String> {
    let url = flowtrail.setting("FLOWTRAIL_OIDC_JWKS_URL").unwrap();
    let port = url.trim_end_matches("/jwks.json").rsplit(':').next().unwrap().to_owned();
    vec!["--port".to_owned(), port]
}

async fn tokens_of_an_openid_provider_let_in(topology: Topology) {
    let keys = format!("http://127.0.0.1:{}/jwks.json", free_port());
    let settings = [
        ("FLOWTRAIL_OIDC_ISSUER", "https://id.example.com/"),
        ("FLOWTRAIL_OIDC_AUDIENCE", "flowtrail"),
        ("FLOWTRAIL_OIDC_JWKS_URL", keys.as_str()),
        // It brings more made-up tokens a second than an address may.
        ("FLOWTRAIL_RATE_UNKNOWN", "0"),
    ];
    let flowtrail = Flowtrail::start_with(topology, &settings).await;
    flowtrail.succeed(["account", "create", "other"]);
    succeeds(&flowtrail, "oidc_client.py", keys_port).await;
}

#[tokio::test]
async fn tokens_of_an_openid_provider_let_in_in_one_process() {
    tokens_of_an_openid_provider_let_in(Topology::Together).await;
}

#[tokio::test]
async fn tokens_of_an_openid_provider_let_in_with_split_roles() {
    tokens_of_an_openid_provider_let_in(Topology::Split).await;
}

#[tokio::test]
async fn a_vrni_client_works_in_one_process() {
    passes("vrni_client.py", Topology::Together, password).await;
}

#[tokio::test]
async fn a_vrni_client_works_with_split_roles() {
    passes("vrni_client.py", Topology::Split, password).await;
}

#[tokio::test]
async fn a_vrni_client_works_with_the_least_rights_on_nats() {
    passes("vrni_client.py", Topology::LeastPrivilege, password).await;
}

#[tokio::test]
async fn vrnis_api_description_holds_in_one_process() {
    passes("check_openapi.py", Topology::Together, vrni).await;
}

#[tokio::test]
async fn vrnis_api_description_holds_with_split_roles() {
    passes("check_openapi.py", Topology::Split, vrni).await;
}

#[tokio::test]
async fn the_own_api_description_holds() {
    passes("check_openapi.py", Topology::Together, own).await;
}
