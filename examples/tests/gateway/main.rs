//! Runs the gateways as programs, in front of providers on this machine.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong in a test ends it")]
#![cfg(unix)]

mod client;
mod edge;
mod mock;

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;
use tokio::io::AsyncReadExt;

use self::{
    client::{APIS, Api, Gateway, PATIENCE, common, next, send, tenant},
    mock::Providers,
};

const PROGRAMS: [&str; 2] = [env!("CARGO_BIN_EXE_gateway"), env!("CARGO_BIN_EXE_actix-gateway")];
const ANTHROPIC: Api = APIS[0];

#[tokio::test]
async fn a_conversation_with_each_provider_gets_smaller_and_keeps_its_prefix() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway = Gateway::start(program, &providers.start().await, &tenant("a", ""));
        for api in APIS {
            let turns = api.conversation();
            for turn in &turns {
                assert_eq!(api.ask(&gateway, "a", turn).await.0, 200, "{program} {api:?}");
            }
            let got = providers.got().split_off(providers.got().len() - turns.len());
            assert_eq!(got[1].body, turns[1], "{program} {api:?}: a first read stays whole");
            for (got, turn) in got.iter().zip(&turns).skip(2) {
                assert!(got.body.len() < turn.len() * 3 / 4, "{program} {api:?}: {}", got.body.len());
            }
            for (pair, sent) in turns.windows(2).zip(got.windows(2)) {
                // What a provider has cached for one turn is the beginning of the next: all but what closes the arrays.
                let closing = pair[0].len() - common(&pair[0], &pair[1]);
                let kept = common(&sent[0].body, &sent[1].body);
                assert_eq!(sent[0].body.len() - kept, closing, "{program} {api:?}");
            }
            for got in &got {
                let (name, before) = api.key;
                assert_eq!(got.headers[name], format!("{before}provider-{}", api.name), "{program}");
                let all = format!("{:?} {}", got.headers, got.path);
                assert!(!all.contains("key-of-a"), "the tenant's key goes no further: {all}");
                assert_eq!(got.path, api.path);
            }
        }
    }
}

#[tokio::test]
async fn a_stranger_is_told_so_in_the_shape_of_the_provider() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway = Gateway::start(program, &providers.start().await, &tenant("a", ""));
        for api in APIS {
            let (status, answer) = api.ask(&gateway, "b", b"{}").await;
            let (message, kind) = api.message(&answer);
            let expected = if api.name == "gemini" { "UNAUTHENTICATED" } else { "authentication_error" };
            assert_eq!((status, kind.as_str()), (401, expected), "{program} {api:?}");
            assert_eq!(message, "the key belongs to no tenant of this gateway");
        }
        let other = Api { path: "/v1/files", ..ANTHROPIC };
        assert_eq!(other.ask(&gateway, "a", b"{}").await.0, 404, "{program}");
        assert!(providers.got().is_empty());
    }
}

#[tokio::test]
async fn a_tenant_that_has_used_its_tokens_waits_and_others_do_not() {
    for program in PROGRAMS {
        for api in APIS {
            let providers = Providers::default();
            // An answer has 12 tokens.
            let tenants = [tenant("a", "tokens_per_day = 20"), tenant("b", "")].concat();
            let gateway = Gateway::start(program, &providers.start().await, &tenants);
            for _ in 0..2 {
                assert_eq!(api.ask(&gateway, "a", b"{}").await.0, 200, "{program} {api:?}");
            }
            let refused = send(api.request(&gateway, "a", b"{}")).await;
            assert_eq!(refused.status(), 429, "{program} {api:?}");
            let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((86_300..=86_400).contains(&wait), "{wait}");
            let answer = refused.into_body().collect().await.unwrap().to_bytes();
            let (message, kind) = api.message(&serde_json::from_slice(&answer).unwrap());
            let expected = if api.name == "gemini" { "RESOURCE_EXHAUSTED" } else { "rate_limit_error" };
            assert_eq!(kind, expected);
            assert!(
                message.starts_with("tenant a has used its 20 tokens of this day; try again in "),
                "{message}"
            );
            assert_eq!(api.ask(&gateway, "b", b"{}").await.0, 200, "{program} {api:?}");
            assert_eq!(providers.got().len(), 3);
        }
    }
}

#[tokio::test]
async fn a_streams_tokens_are_counted_though_its_client_leaves() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway = Gateway::start(program, &providers.start().await, &tenant("a", "tokens_per_day = 9"));
        let mut answer = send(ANTHROPIC.request(&gateway, "a", br#"{"stream":true}"#)).await;
        providers.say("data: {\"message\":{\"usage\":{\"input_tokens\":9}}}\n\n");
        assert!(next(answer.body_mut()).await.is_some());
        drop(answer);
        let start = Instant::now();
        while ANTHROPIC.ask(&gateway, "a", b"{}").await.0 != 429 {
            assert!(start.elapsed() < PATIENCE, "{program}: nothing was charged");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn requests_over_the_rate_wait() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway =
            Gateway::start(program, &providers.start().await, &tenant("a", "requests_per_minute = 1"));
        assert_eq!(ANTHROPIC.ask(&gateway, "a", b"{}").await.0, 200);
        let (status, answer) = ANTHROPIC.ask(&gateway, "a", b"{}").await;
        let (message, _) = ANTHROPIC.message(&answer);
        assert!(status == 429 && message.starts_with("tenant a may send 1 requests a minute"), "{message}");
    }
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_with_the_same_bytes() {
    for program in PROGRAMS {
        for (api, status) in APIS.into_iter().zip([529, 503, 503]) {
            let providers = Providers::default();
            let gateway = Gateway::start(program, &providers.start().await, &tenant("a", ""));
            providers.next(status, json!({"error": "busy"}));
            let turn = api.conversation().pop().unwrap();
            assert_eq!(api.ask(&gateway, "a", &turn).await.0, 200, "{program} {api:?}");
            let mut got = providers.got();
            assert_eq!(got.len(), 2);
            for got in &mut got {
                got.headers.remove("date"); // the client of actix-web tells the second
            }
            assert!(got[0].body.len() < turn.len(), "it was rewritten");
            assert_eq!(got[0].body, got[1].body, "{program} {api:?}");
            assert_eq!(got[0].headers, got[1].headers, "{program} {api:?}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_stays_busy_is_left_alone_in_the_end() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway = Gateway::start(program, &providers.start().await, &tenant("a", ""));
        for _ in 0..5 {
            providers.next(503, json!({"error": "busy"}));
        }
        assert_eq!(ANTHROPIC.ask(&gateway, "a", b"{}").await, (503, json!({"error": "busy"})), "{program}");
        assert_eq!(providers.got().len(), 3, "{program}: it is asked three times");
    }
}

#[tokio::test]
async fn what_a_model_may_have_worked_on_is_not_sent_again() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway = Gateway::start(program, &providers.start().await, &tenant("a", ""));
        for status in [500, 502, 429] {
            providers.next(status, json!({"error": "x"}));
            assert_eq!(
                ANTHROPIC.ask(&gateway, "a", b"{}").await,
                (status, json!({"error": "x"})),
                "{program}"
            );
        }
        assert_eq!(providers.got().len(), 3);

        // A provider that takes the request and ends the connection.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = tokio::spawn(async move {
            let mut taken = 0;
            while let Ok(Ok((mut stream, _))) =
                tokio::time::timeout(Duration::from_secs(2), listener.accept()).await
            {
                taken += usize::from(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            }
            taken
        });
        let gateway = Gateway::start(program, &url, &tenant("a", ""));
        let (status, answer) = ANTHROPIC.ask(&gateway, "a", b"{}").await;
        assert_eq!((status, ANTHROPIC.message(&answer).1.as_str()), (502, "api_error"), "{program}");
        assert_eq!(taken.await.unwrap(), 1, "{program}");
    }
}

#[tokio::test]
async fn a_change_of_the_settings_holds_for_new_requests_and_drops_no_stream() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway = Gateway::start(program, &providers.start().await, &tenant("a", "concurrent = 1"));
        let mut answer = send(ANTHROPIC.request(&gateway, "a", br#"{"stream":true}"#)).await;
        providers.say("data: 1\n\n");
        assert_eq!(next(answer.body_mut()).await.unwrap(), "data: 1\n\n");
        let (status, refused) = ANTHROPIC.ask(&gateway, "a", b"{}").await;
        assert_eq!(status, 429, "{program}: its only place is taken: {refused}");

        gateway.reload("[tenants.a]\nkey_sha256 = 'no hash'");
        gateway.reload(&tenant("a", "concurrent = 2"));
        let start = Instant::now();
        while ANTHROPIC.ask(&gateway, "a", b"{}").await.0 != 200 {
            assert!(start.elapsed() < PATIENCE, "{program}: the change does not hold");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        providers.say("data: 2\n\n");
        assert_eq!(next(answer.body_mut()).await.unwrap(), "data: 2\n\n", "{program}");
        providers.end();
        assert!(next(answer.body_mut()).await.is_none());
    }
}

#[tokio::test]
async fn settings_with_a_mistake_change_nothing() {
    for program in PROGRAMS {
        let providers = Providers::default();
        let gateway =
            Gateway::start(program, &providers.start().await, &tenant("a", "requests_per_minute = 2"));
        gateway.reload("[tenants.a]\nkey_sha256 = 'no hash'");
        for expected in [200, 200, 429] {
            assert_eq!(ANTHROPIC.ask(&gateway, "a", b"{}").await.0, expected, "{program}");
        }
    }
}
