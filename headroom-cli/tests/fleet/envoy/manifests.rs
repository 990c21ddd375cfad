//! The files of `deploy/envoy`. Envoy checks what is Envoy's own; what only a cluster can check is compared with the other files.

use super::*;
use crate::{deploy::strings, support::stderr};

fn parse(name: &str) -> Vec<Value> {
    deploy::parse(&deploy::root().join("deploy/envoy").join(name))
}

/// The object of this kind.
fn object(name: &str, kind: &str) -> Value {
    let found = parse(name).into_iter().find(|object| object["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {name}"))
}

/// Whether Envoy takes a configuration.
fn validate(program: &Path, config: &Path) -> Result<(), String> {
    let output = Command::new(program).args(["--mode", "validate", "-c"]).arg(config).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(stderr(&output)) }
}

#[test]
#[ignore = "installs Envoy"]
fn envoy_takes_the_static_configuration_and_the_patches_of_istio() {
    let Some(program) = program() else { return };
    let shipped = deploy::root().join("deploy/envoy/envoy.yaml");
    validate(program, &shipped).unwrap();

    let mut config = parse("envoy.yaml").remove(0);
    let filter = object("istio.yaml", "EnvoyFilter");
    let patches = filter["spec"]["configPatches"].as_array().unwrap();
    let value = |kind: &str| {
        let patch = patches.iter().find(|patch| patch["applyTo"] == kind).unwrap();
        patch["patch"]["value"].clone()
    };
    let filter = value("HTTP_FILTER");
    let cluster = &filter["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"];
    config["static_resources"]["clusters"][0]["name"] = cluster.clone();
    config["static_resources"]["clusters"][0]["load_assignment"]["cluster_name"] = cluster.clone();
    let filters = FILTER.strip_suffix("/typed_config").unwrap();
    *config.pointer_mut(filters).unwrap() = filter;
    let listener = config["static_resources"]["listeners"][0].as_object_mut().unwrap();
    listener.extend(value("LISTENER").as_object().unwrap().clone());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    fs::write(&file, config.to_string()).unwrap();
    validate(program, &file).unwrap();

    config.pointer_mut(FILTER).unwrap()["no_such_field"] = json!(true);
    fs::write(&file, config.to_string()).unwrap();
    assert!(
        validate(program, &file).unwrap_err().contains("no_such_field"),
        "it would have refused a wrong one"
    );
}

#[test]
fn every_manifest_names_the_same_service() {
    let deployment = object("kubernetes.yaml", "Deployment");
    let service = object("kubernetes.yaml", "Service");
    let pod = &deployment["spec"]["template"];
    let labels = &pod["metadata"]["labels"];
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &service["spec"]["selector"],
        &object("kubernetes.yaml", "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ] {
        assert!(selector.is_object() && selector == labels, "{selector}");
    }
    let container = &pod["spec"]["containers"][0];
    let port = &container["ports"][0];
    let number = port["containerPort"].as_u64().unwrap();
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    assert_eq!(service["spec"]["ports"][0]["port"], number);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["grpc"]["port"], number, "{probe}");
    }
    let policy = object("kubernetes.yaml", "NetworkPolicy");
    assert_eq!(policy["spec"]["ingress"][0]["ports"][0]["port"], number);

    let args = strings(&container["args"]);
    assert!(args.contains(&format!("0.0.0.0:{number}").as_str()));
    let output = headroom(&args).arg("--help").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));

    let name = service["metadata"]["name"].as_str().unwrap();
    let extension = &object("envoy-gateway.yaml", "EnvoyExtensionPolicy")["spec"];
    let backend = &extension["extProc"][0]["backendRefs"][0];
    assert_eq!((&backend["name"], &backend["port"]), (&json!(name), &json!(number)));
    let cluster = format!("outbound|{number}||{name}.default.svc.cluster.local");
    let patch = &object("istio.yaml", "EnvoyFilter")["spec"]["configPatches"][0]["patch"]["value"];
    assert_eq!(patch["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"], cluster);
}

#[test]
fn every_file_has_the_same_filter() {
    let of_static = parse("envoy.yaml").remove(0).pointer(FILTER).unwrap().clone();
    let patch = &object("istio.yaml", "EnvoyFilter")["spec"]["configPatches"][0]["patch"]["value"];
    let extension = object("envoy-gateway.yaml", "EnvoyExtensionPolicy");
    let of_gateway = &extension["spec"]["extProc"][0];
    for name in ["processing_mode", "message_timeout", "failure_mode_allow", "mutation_rules"] {
        assert_eq!(of_static[name], patch["typed_config"][name], "{name}");
    }
    assert_eq!(of_static["message_timeout"], of_gateway["messageTimeout"]);
    assert_eq!(of_static["failure_mode_allow"], of_gateway["failOpen"]);
    assert_eq!(of_gateway["processingMode"]["request"]["body"], "Buffered");
    let traffic = object("envoy-gateway.yaml", "ClientTrafficPolicy");
    let limit =
        &parse("envoy.yaml")[0]["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"];
    assert_eq!((&traffic["spec"]["connection"]["bufferLimit"], limit), (&json!("32Mi"), &json!(32 << 20)));
}
