//! Calls as they are on the wire.

use http::Request;
use prost::Message;
use tower_service::Service;

use super::*;
use crate::{ExternalProcessor, Health};

const PROCESS: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

/// A message behind its length.
fn framed(message: &impl Message) -> Vec<u8> {
    let data = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    frame.extend(data);
    frame
}

/// The messages of an answer, and its status.
async fn call<S>(mut service: S, path: &str, body: Vec<u8>) -> (Vec<Vec<u8>>, String)
where
    S: Service<
            Request<Full<Bytes>>,
            Response = http::Response<tonic::body::Body>,
            Error = std::convert::Infallible,
        >,
{
    let request = Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
    let response = service.call(request.body(Full::from(body)).unwrap()).await.unwrap();
    let head = response.headers().clone();
    let collected = response.into_body().collect().await.unwrap();
    let end = collected.trailers().cloned().unwrap_or(head);
    let status = end["grpc-status"].to_str().unwrap().to_owned();
    let mut data = collected.to_bytes();
    let mut messages = Vec::new();
    while data.len() >= 5 {
        let length = u32::from_be_bytes(data[1..5].try_into().unwrap()) as usize;
        messages.push(data[5..5 + length].to_vec());
        data = data.slice(5 + length..);
    }
    (messages, status)
}

#[tokio::test]
async fn a_stream_of_messages_is_answered_with_one() {
    let original = request(200);
    let expected = {
        let request = Request::post("/v1/messages").body(Full::new(Bytes::from(original.clone()))).unwrap();
        layer().rewrite(request).await.into_body().collect().await.unwrap().to_bytes()
    };
    let config = ProtocolConfiguration { request_body_mode: BUFFERED.into(), ..Default::default() };
    let first = ProcessingRequest {
        protocol_config: Some(config),
        request: Some(head("/v1/messages", &[])),
        ..Default::default()
    };
    let second = ProcessingRequest { request: Some(body(&original, true)), ..Default::default() };
    let sent = [framed(&first), framed(&second)].concat();
    let (messages, status) = call(ExternalProcessor::new(layer()), PROCESS, sent).await;
    assert_eq!((messages.len(), status.as_str()), (2, "0"));
    let last = ProcessingResponse::decode(&messages[1][..]).unwrap();
    let Some(PartResponse::RequestBody(change)) = last.response else { panic!("{last:?}") };
    let mutation = change.response.unwrap().body_mutation.unwrap().mutation;
    assert_eq!(mutation, Some(Mutation::Body(expected)));
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_stream_without_an_error() {
    let config = ProtocolConfiguration { request_body_mode: BUFFERED.into(), ..Default::default() };
    let first = framed(&ProcessingRequest {
        protocol_config: Some(config),
        request: Some(head("/v1/messages", &[])),
        ..Default::default()
    });
    let too_long = [&[0][..], &(40_u32 << 20).to_be_bytes(), b"abc"].concat();
    let no_message = [&[0][..], &3_u32.to_be_bytes(), &[0xff; 3]].concat();
    for end in [too_long, no_message, first[..7].to_vec()] {
        let (messages, status) =
            call(ExternalProcessor::new(layer()), PROCESS, [first.clone(), end.clone()].concat()).await;
        assert_eq!((messages.len(), status.as_str()), (1, "0"), "the head was answered");
        let (messages, status) = call(ExternalProcessor::new(layer()), PROCESS, end).await;
        assert_eq!((messages.len(), status.as_str()), (0, "0"));
    }
}

#[tokio::test]
async fn other_methods_and_callers_that_are_refused_get_a_status() {
    let path = "/envoy.service.ext_proc.v3.ExternalProcessor/Other";
    assert_eq!(call(ExternalProcessor::new(layer()), path, Vec::new()).await, (Vec::new(), "12".to_owned()));
    let refusal = ExternalProcessor::unauthenticated("no");
    assert_eq!((refusal.status().as_u16(), &refusal.headers()["grpc-status"]), (200, &"16".parse().unwrap()));
}

#[tokio::test]
async fn probes_hear_that_it_serves_until_it_stops() {
    let health = Health::new().await;
    let path = "/grpc.health.v1.Health/Check";
    // The field `service`, and the field `status` of the answer: SERVING is 1, NOT_SERVING 2.
    let name = b"envoy.service.ext_proc.v3.ExternalProcessor";
    let named = [&[0, 0, 0, 0, 45, 0x0a, 43][..], name].concat();
    for asked in [vec![0; 5], named] {
        let before = call(health.clone(), path, asked.clone()).await;
        assert_eq!(before, (vec![vec![8, 1]], "0".to_owned()));
    }
    health.stop().await;
    assert_eq!(call(health, path, vec![0; 5]).await, (vec![vec![8, 2]], "0".to_owned()));
}
