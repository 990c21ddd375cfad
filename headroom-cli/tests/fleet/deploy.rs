//! The files of `deploy/`, against the program that they run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{Proxy, Upstream, exchange, headroom, ok, stderr};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(is) => json!(is),
        Yaml::String(text) | Yaml::Real(text) => json!(text),
        Yaml::Array(items) => items.iter().map(to_json).collect(),
        Yaml::Hash(members) => {
            let member = |(key, value): (&Yaml, &Yaml)| (key.as_str().unwrap().to_owned(), to_json(value));
            Value::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
        Yaml::Null => Value::Null,
        Yaml::Alias(_) | Yaml::BadValue => panic!("not understood: {yaml:?}"),
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn parse(path: &Path) -> Vec<Value> {
    let documents = YamlLoader::load_from_str(&read(path));
    documents.unwrap_or_else(|error| panic!("{}: {error}", path.display())).iter().map(to_json).collect()
}

/// The objects of the manifests by their kind.
fn manifests() -> BTreeMap<String, Value> {
    let files = fs::read_dir(root().join("deploy/kubernetes")).unwrap().map(|file| file.unwrap().path());
    let objects = files.flat_map(|path| parse(&path));
    objects.map(|object| (object["kind"].as_str().unwrap().to_owned(), object)).collect()
}

fn compose() -> Value {
    parse(&root().join("deploy/compose.yaml")).remove(0)
}

pub(crate) fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn the_manifests_belong_together() {
    let manifests = manifests();
    let kinds: Vec<_> = manifests.keys().map(String::as_str).collect();
    let expected =
        ["Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service"];
    assert_eq!(kinds, expected);
    let deployment = &manifests["Deployment"];
    let pod = &deployment["spec"]["template"];
    let labels = &pod["metadata"]["labels"];
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &manifests["Service"]["spec"]["selector"],
        &manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        &manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        &pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ] {
        assert!(selector.is_object() && selector == labels, "{selector}");
    }
    let target = &manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"];
    assert_eq!((&target["kind"], &target["name"]), (&json!("Deployment"), &deployment["metadata"]["name"]));

    let container = &pod["spec"]["containers"][0];
    let port = &container["ports"][0];
    assert_eq!(manifests["Service"]["spec"]["ports"][0]["targetPort"], port["name"]);
    let listen = format!("0.0.0.0:{}", port["containerPort"]);
    assert!(strings(&container["args"]).contains(&listen.as_str()), "it listens where the port is");
    assert_eq!(manifests["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"], port["containerPort"]);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], port["name"], "{probe}");
    }
    let mounted: BTreeSet<_> =
        container["volumeMounts"].as_array().unwrap().iter().map(|mount| mount["name"].to_string()).collect();
    let volumes: BTreeSet<_> =
        pod["spec"]["volumes"].as_array().unwrap().iter().map(|volume| volume["name"].to_string()).collect();
    assert_eq!(mounted, volumes);

    // What is open has time to end before it is killed.
    let args = strings(&container["args"]);
    let drain = args[args.iter().position(|arg| *arg == "--drain-seconds").unwrap() + 1];
    let pause = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let grace = pod["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace > drain.parse::<u64>().unwrap() + pause);
}

#[test]
fn what_runs_has_no_more_rights_than_it_needs() {
    let deployment = &manifests()["Deployment"];
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let security = &pod["containers"][0]["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"], true);
    assert_eq!(security["allowPrivilegeEscalation"], false);
    assert_eq!(security["capabilities"]["drop"], json!(["ALL"]));
    let proxy = &compose()["services"]["proxy"];
    assert_eq!((&proxy["read_only"], &proxy["cap_drop"]), (&json!(true), &json!(["ALL"])));

    let dockerfile = read(&root().join("deploy/Dockerfile"));
    let last = dockerfile.rsplit_once("\nFROM ").unwrap().1;
    assert!(last.contains("\nUSER nonroot:nonroot\n"), "{last}");
    assert!(dockerfile.contains("cargo build --locked --profile dist --features envoy,otel -p headroom-cli"));
    let ignored = read(&root().join(".dockerignore"));
    let members = read(&root().join("Cargo.toml"));
    let members = members.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
    for member in members.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty())
    {
        let is_sent = |line: &str| match line.strip_prefix('!') {
            Some(name) => name.strip_suffix('*').map_or(name == member, |start| member.starts_with(start)),
            None => false,
        };
        assert!(ignored.lines().any(is_sent), "the builder lacks {member}");
    }
}

#[test]
fn every_flag_and_every_variable_is_one_of_the_programs() {
    let takes = |args: &[&str]| headroom(args).arg("--help").output().unwrap();
    assert!(!takes(&["proxy", "--no-such-flag"]).status.success(), "an unknown one is refused");
    let deployment = &manifests()["Deployment"]["spec"]["template"]["spec"]["containers"][0];
    let compose = compose();
    let proxy = &compose["services"]["proxy"];
    for args in [strings(&deployment["args"]), strings(&proxy["command"])] {
        assert_eq!(args[0], "proxy");
        let output = takes(&args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        for flag in args.iter().filter(|arg| arg.starts_with("--")) {
            assert!(help.contains(&format!("{flag} <")), "{flag}");
        }
    }

    let mut variables: Vec<(String, String)> = Vec::new();
    for variable in deployment["env"].as_array().unwrap() {
        let value = variable["value"].as_str().unwrap_or("rediss://:PASSWORD@HOST:6379/0?prefix=headroom");
        variables.push((variable["name"].as_str().unwrap().to_owned(), value.to_owned()));
    }
    for (name, value) in proxy["environment"].as_object().unwrap() {
        let value = value.as_str().unwrap().replace("${VALKEY_PASSWORD:?}", "0123");
        assert!(!value.contains('$'), "{value}");
        variables.push((name.clone(), value));
    }
    let dockerfile = read(&root().join("deploy/Dockerfile"));
    let settings = dockerfile.split_whitespace().filter(|word| word.starts_with("HEADROOM_"));
    let settings = settings.filter_map(|word| word.split_once('='));
    variables.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(variables.len() >= 6, "{variables:?}");
    for (name, value) in variables {
        let output = headroom(&["config", "check"]).env(&name, value).output().unwrap();
        let said = stderr(&output);
        assert!(output.status.success() && !said.contains("unknown variable"), "{name}: {said}");
    }
}

#[test]
fn probes_ask_routes_that_answer() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--store", "memory"]);
    let container = &manifests()["Deployment"]["spec"]["template"]["spec"]["containers"][0];
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        assert_eq!(exchange(proxy.address, request).status(), 200, "{probe}");
    }
    assert!(upstream.is_untouched());
}

/// The metrics and labels that the code has.
#[derive(Debug, Default)]
struct Metrics {
    plain: BTreeSet<String>,
    histograms: BTreeSet<String>,
    labels: BTreeSet<String>,
}

impl Metrics {
    fn from_code() -> Self {
        let accounting = root().join("headroom-cli/src/proxy/accounting");
        let mut files: Vec<PathBuf> =
            fs::read_dir(accounting).unwrap().map(|file| file.unwrap().path()).collect();
        files.extend(
            [
                "headroom-tower/src/metrics.rs",
                "headroom-cli/src/proxy/shared_store.rs",
                "headroom-cli/src/proxy/server/mod.rs",
            ]
            .map(|name| root().join(name)),
        );
        let code: String = files.iter().map(|path| read(path)).collect();
        let quoted = |text: &str| Some(text.strip_prefix('"')?.split_once('"')?.0.to_owned());
        let constant = |name: &str| {
            let (_, rest) = code.split_once(&format!("const {name}: &str = "))?;
            quoted(rest)
        };
        let mut metrics = Self::default();
        for (kind, is_histogram) in [("counter!(", false), ("gauge!(", false), ("histogram!(", true)] {
            for rest in code.split(kind).skip(1) {
                let word = rest.trim_start().split([',', ')']).next().unwrap().trim();
                let Some(name) = quoted(word).or_else(|| constant(word)) else { continue };
                if is_histogram {
                    metrics.histograms.insert(name)
                } else {
                    metrics.plain.insert(name)
                };
            }
        }
        let keys = code.split("\" =>").filter_map(|before| before.rsplit_once('"'));
        metrics.labels = keys.map(|(_, key)| key.to_owned()).collect();
        metrics
    }

    /// The metric that a name in a query stands for.
    fn find(&self, name: &str) -> Option<&str> {
        let parts = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let histogram = parts.and_then(|name| self.histograms.get(name));
        self.plain.get(name).or(histogram).map(String::as_str)
    }
}

/// The words of a query.
fn words(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn the_dashboard_shows_the_metrics_that_there_are() {
    let metrics = Metrics::from_code();
    assert!(metrics.plain.len() > 12 && metrics.histograms.len() == 2, "{metrics:?}");
    let text = read(&root().join("deploy/grafana/headroom.json"));
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["title"]);
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let names: Vec<_> = words(query).filter(|word| word.starts_with("headroom_")).collect();
            assert!(!names.is_empty(), "{query}");
            for name in names {
                let found = metrics.find(name);
                shown.insert(found.unwrap_or_else(|| panic!("no metric {name}: {query}")).to_owned());
            }
            for list in query.split("by (").skip(1) {
                for label in words(list.split(')').next().unwrap()) {
                    let is_of_prometheus = ["instance", "job", "le"].contains(&label);
                    assert!(is_of_prometheus || metrics.labels.contains(label), "no label {label}: {query}");
                }
            }
            assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
            assert_eq!(query.matches('{').count(), query.matches('}').count(), "{query}");
        }
    }
    let all: BTreeSet<_> = metrics.plain.union(&metrics.histograms).cloned().collect();
    assert_eq!(shown, all, "all of them");
}
