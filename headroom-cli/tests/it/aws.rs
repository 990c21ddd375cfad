//! Requests to Bedrock that the proxy signs, looked at by AWS's own signer.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::support::{Message, Proxy, Upstream, exchange, headroom, ok, post, request, skipped, stderr};

const BOTOCORE: &str = "botocore==1.44.8";
const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIDPROXY"), ("AWS_SECRET_ACCESS_KEY", "proxy/secret+KEY")];

/// Signs what came as AWS does, and says whether the signature is the same.
const VERIFY: &str = r#"
import json, sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
given = json.load(sys.stdin)
headers = {name.lower(): value for name, value in given["headers"]}
scheme, rest = headers["authorization"].split(" ", 1)
fields = dict(part.strip().split("=", 1) for part in rest.split(","))
key, day, region, service, end = fields["Credential"].split("/")
assert (scheme, end) == ("AWS4-HMAC-SHA256", "aws4_request"), headers["authorization"]
names = fields["SignedHeaders"].split(";")
assert names == sorted(names) and {"host", "x-amz-date"} <= set(names), names
assert all(name in names for name in headers if name.startswith("x-amz-")), names
signer = SigV4Auth(Credentials(key, given["secret"], headers.get("x-amz-security-token")), service, region)
asked = AWSRequest(given["method"], "http://" + headers["host"] + given["target"], data=bytes(given["body"]))
for name in names:
    asked.headers[name] = headers[name]
asked.context["timestamp"] = headers["x-amz-date"]
# Signing again sets these.
canonical = signer.canonical_request(asked)
signature = signer.signature(signer.string_to_sign(asked, canonical), asked)
assert signature == fields["Signature"], canonical
print(key, day == headers["x-amz-date"][:8], region, service)
"#;

/// A client of AWS's SDK, which signs with keys of its own.
const CLIENT: &str = r#"
import json, sys
import botocore.session
from botocore.config import Config
session = botocore.session.get_session()
session.set_credentials("AKIDCLIENT", "client-secret", "client-token")
client = session.create_client("bedrock-runtime", region_name="us-east-1", endpoint_url=sys.argv[1],
    config=Config(retries={"max_attempts": 0}))
model, body = sys.argv[2], sys.stdin.buffer.read()
if sys.argv[3] == "invoke":
    answer = client.invoke_model(modelId=model, body=body, contentType="application/json")
    print(answer["body"].read().decode())
else:
    answer = client.invoke_model_with_response_stream(modelId=model, body=body, contentType="application/json")
    print("".join(event["chunk"]["bytes"].decode() for event in answer["body"]))
"#;

/// A Python that has botocore; it is installed once.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("botocore");
        let python = folder.join("bin/python");
        let run = |command: &mut Command| match command.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(stderr(&output)),
            Err(error) => Err(error.to_string()),
        };
        if run(Command::new(&python).args(["-c", "import botocore"])).is_err() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            run(Command::new(&python).args(["-m", "pip", "install", "-q", BOTOCORE]))?;
        }
        Ok(python)
    });
    python
        .as_ref()
        .map_err(|reason| skipped(&format!("botocore cannot be had: {reason}")))
        .ok()
        .map(PathBuf::as_path)
}

/// What botocore says of the signature: key, whether the day fits, region and service.
fn verified(python: &Path, request: &Message, secret: &str) -> String {
    let given = serde_json::json!({
        "method": request.start.split(' ').next(), "target": request.target(), "headers": request.headers,
        "body": request.body, "secret": secret});
    let output =
        crate::support::pipe(Command::new(python).args(["-c", VERIFY]), given.to_string().as_bytes());
    assert!(output.status.success(), "{}\n{request:?}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn proxy(upstream: SocketAddr, variables: &[(&str, &str)]) -> Proxy {
    let url = format!("http://{upstream}");
    let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0", "--bedrock-sign", "--upstream", &url]);
    Proxy::start(command.envs(variables.iter().copied()).env("PATH", env::var_os("PATH").unwrap()))
}

#[test]
#[ignore = "installs botocore from PyPI"]
fn what_is_sent_on_is_signed_as_aws_signs_it() {
    let Some(python) = python() else { return };
    let upstream = Upstream::answering(ok("{}"));
    let with_token = [KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", "tok/en+=="), ("AWS_REGION", "eu-west-3")];
    let proxy = proxy(upstream.address, &with_token);
    for target in [
        "/model/anthropic.claude-opus-5-5-v1%3A0/invoke",
        "/model/anthropic.claude-opus-5-5-v1:0/invoke-with-response-stream",
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Feu.anthropic.claude/converse-stream",
        "/model/m/converse?b=2&a=%20x&c",
        "/model/a%20b~c/invoke",
    ] {
        let body = request(if target.contains("converse") { "converse" } else { "anthropic" });
        for headers in [
            // Nobody's.
            "",
            // A client's, for another host.
            "authorization: AWS4-HMAC-SHA256 Credential=AKIDCLIENT/20260101/us-east-1/bedrock/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=00\r\nx-amz-date: 20260101T000000Z\r\n\
             x-amz-security-token: client\r\nx-amz-content-sha256: 00\r\nx-amzn-bedrock-trace: ENABLED\r\n",
        ] {
            assert_eq!(exchange(proxy.address, post(target, headers, &body)).status(), 200, "{target}");
            let sent = upstream.request();
            assert_eq!(sent.target(), target);
            assert!(sent.body.len() < body.len() / 2, "{target}: it was not rewritten");
            assert_eq!(verified(python, &sent, KEYS[1].1), "AKIDPROXY True eu-west-3 bedrock", "{target}");
            assert_eq!(sent.header("x-amz-security-token"), Some("tok/en+=="));
            assert_eq!(sent.header("x-amz-content-sha256"), None);
        }
    }
}

#[test]
#[ignore = "installs botocore from PyPI"]
fn clients_of_the_sdk_are_signed_anew_also_for_streams() {
    let Some(python) = python() else { return };
    let frame = frame(br#"{"type":"message_stop"}"#);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        if request.target().ends_with("-stream") {
            connection.write(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ncontent-length: {}\r\n\r\n",
                frame.len()
            ))?;
            connection.write(&frame)?;
        } else {
            connection.write(ok(r#"{"content":[]}"#))?;
        }
        Ok(request)
    });
    let proxy = proxy(upstream.address, &[KEYS[0], KEYS[1], ("AWS_REGION", "us-east-1")]);
    let body = request("anthropic");
    for (how, expected) in [("invoke", r#"{"content":[]}"#), ("stream", r#"{"type":"message_stop"}"#)] {
        let mut client = Command::new(python);
        client.args([
            "-c",
            CLIENT,
            &format!("http://{}", proxy.address),
            "anthropic.claude-opus-5-5-v1:0",
            how,
        ]);
        let output = crate::support::pipe(&mut client, &body);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected, "{}", stderr(&output));
        let sent = upstream.request();
        assert!(sent.body.len() < body.len() / 2, "it was not rewritten");
        assert_eq!(sent.header("x-amz-security-token"), None, "a part of the client's signature is left");
        assert_eq!(verified(python, &sent, KEYS[1].1), "AKIDPROXY True us-east-1 bedrock");
    }
}

/// One event of Bedrock, framed as AWS does.
fn frame(event: &[u8]) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let payload = serde_json::json!({"bytes": STANDARD.encode(event)}).to_string();
    let mut headers = Vec::new();
    for (name, value) in
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")]
    {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let total = u32::try_from(12 + headers.len() + payload.len() + 4).unwrap();
    let mut frame = [total.to_be_bytes(), u32::try_from(headers.len()).unwrap().to_be_bytes()].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

#[test]
fn a_bearer_key_goes_on_as_it_is_and_other_providers_are_never_signed() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = proxy(upstream.address, &[KEYS[0], KEYS[1], ("AWS_REGION", "us-east-1")]);
    let body = request("anthropic");
    exchange(proxy.address, post("/model/m/invoke", "authorization: Bearer key\r\n", &body));
    let sent = upstream.request();
    assert_eq!((sent.header("authorization"), sent.header("x-amz-date")), (Some("Bearer key"), None));
    exchange(proxy.address, post("/v1/messages", "", &body));
    assert_eq!(upstream.request().header("authorization"), None);
}

#[test]
fn no_web_page_has_a_request_signed() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = proxy(upstream.address, &[KEYS[0], KEYS[1], ("AWS_REGION", "us-east-1")]);
    for page in [
        "origin: https://evil.example\r\nsec-fetch-site: cross-site\r\n",
        "origin: null\r\n",
        "sec-fetch-site: cross-site\r\n",
    ] {
        // A simple request: the browser asks nobody before it.
        let mut sent = post("/model/m/invoke", page, &request("anthropic"));
        let simple = String::from_utf8(sent).unwrap().replace("application/json", "text/plain");
        sent = simple.into_bytes();
        let answer = exchange(proxy.address, sent);
        assert_eq!(answer.status(), 403, "{page}");
        assert!(answer.json()["message"].as_str().unwrap().contains("allow_origins"), "{answer:?}");
    }
    assert!(upstream.is_untouched());
}

#[test]
fn without_being_asked_nothing_is_signed() {
    let upstream = Upstream::answering(ok("{}"));
    let url = format!("http://{}", upstream.address);
    let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url]);
    let proxy = Proxy::start(command.envs(KEYS));
    let (body, signature) = (request("anthropic"), "AWS4-HMAC-SHA256 Credential=x");
    exchange(proxy.address, post("/model/m/invoke", &format!("authorization: {signature}\r\n"), &body));
    let sent = upstream.request();
    assert_eq!((sent.header("authorization"), sent.body == body), (Some(signature), true));
    exchange(proxy.address, post("/model/m/invoke", "", &body));
    assert_eq!(upstream.request().header("authorization"), None);
}

#[test]
#[ignore = "installs botocore from PyPI"]
fn credentials_are_found_where_awss_tools_find_them() {
    let Some(python) = python() else { return };
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let file = |name: &str, text: &str| fs::write(home.path().join(".aws").join(name), text).unwrap();
    file("credentials", "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file-secret\n");
    let process = r#"echo run >> "$HOME/runs"; echo '{"Version":1,"AccessKeyId":"AKIDPROC","SecretAccessKey":"proc","SessionToken":"t"}'"#;
    file(
        "config",
        &format!(
            "[default]\nregion = no\n[profile work]\ncredential_process = {process}\n\
             [profile sso]\nsso_session = x\n[profile bad]\ncredential_process = exit 3\n"
        ),
    );
    let upstream = Upstream::answering(ok("{}"));
    let home_variable = ("HOME", home.path().to_str().unwrap());
    let ask = |variables: &[(&str, &str)]| {
        let variables: Vec<_> =
            [home_variable, ("AWS_REGION", "us-east-1")].iter().chain(variables).copied().collect();
        let proxy = proxy(upstream.address, &variables);
        let answers: Vec<_> =
            (0..3).map(|_| exchange(proxy.address, post("/model/m/invoke", "", b"{}"))).collect();
        (answers.into_iter().next().unwrap(), proxy)
    };
    for (variables, secret, key) in [
        (&[][..], "file-secret", "AKIDFILE"),
        (&[("AWS_PROFILE", "work")], "proc", "AKIDPROC"),
        (&KEYS, KEYS[1].1, "AKIDPROXY"),
    ] {
        assert_eq!(ask(variables).0.status(), 200, "{key}");
        for _ in 0..3 {
            assert_eq!(
                verified(python, &upstream.request(), secret),
                format!("{key} True us-east-1 bedrock")
            );
        }
    }
    assert_eq!(
        fs::read_to_string(home.path().join("runs")).unwrap(),
        "run\n",
        "it is not run for every request"
    );
    for (profile, why) in [
        ("sso", "credential_process = aws configure"),
        ("bad", "credential_process of"),
        ("none", "is in no file"),
    ] {
        let (answer, proxy) = ask(&[("AWS_PROFILE", profile)]);
        assert_eq!(answer.status(), 401, "{profile}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(why), "{message}");
        let warned = proxy.wait_for("cannot be signed");
        assert!(warned.contains(why), "{warned}");
        assert!(upstream.is_untouched());
    }
}
