//! Requests as Envoy sends them.

use std::io::Write;

use crate::proto::{HeaderMutation, HttpHeaders};

use super::*;

fn mutation(answer: &PartResponse) -> (Option<HeaderMutation>, Option<Vec<u8>>) {
    let (PartResponse::RequestHeaders(change) | PartResponse::RequestBody(change)) = answer else {
        panic!("{answer:?}")
    };
    let Some(response) = &change.response else { return (None, None) };
    let body = response.body_mutation.as_ref().and_then(|body| match body.mutation.as_ref()? {
        Mutation::Body(body) => Some(body.to_vec()),
        Mutation::StreamedResponse(_) => None,
    });
    (response.header_mutation.clone(), body)
}

fn set(mutation: &HeaderMutation) -> Vec<(String, String)> {
    let headers = mutation.set_headers.iter().filter_map(|set| set.header.as_ref());
    headers.map(|set| (set.key.clone(), String::from_utf8(set.raw_value.to_vec()).unwrap())).collect()
}

#[test]
fn a_buffered_body_is_replaced_with_its_length() {
    let original = request(200);
    let expected = rewritten(&layer(), &original);
    assert!(expected.len() < original.len());
    let length = original.len().to_string();
    let head = head("/v1/messages", &[("content-length", &length), ("transfer-encoding", "chunked")]);
    let Answers { answers, seen, .. } =
        answers(&layer(), Some(BUFFERED), vec![(0, head), (1, body(&original, true))]);
    assert_eq!(seen, ["POST /v1/messages rewritten"]);
    assert_eq!(answers.len(), 2);
    assert_eq!(mutation(&answers[0]), (None, None), "the head goes on as it is");
    let (headers, body) = mutation(&answers[1]);
    assert_eq!(body.as_deref(), Some(&expected[..]));
    let headers = headers.unwrap();
    assert_eq!(set(&headers), [("content-length".to_owned(), expected.len().to_string())]);
    assert_eq!(headers.remove_headers, ["transfer-encoding"]);
}

#[test]
fn an_encoded_body_is_decoded_and_loses_its_encoding() {
    let original = request(200);
    let expected = rewritten(&layer(), &original);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&original).unwrap();
    let encoded = encoder.finish().unwrap();
    let head = || head("/v1/messages", &[("content-encoding", "gzip")]);
    let parts = || vec![(0, head()), (0, body(&encoded, true))];

    let Answers { answers: buffered, .. } = answers(&layer(), Some(BUFFERED), parts());
    let (headers, body) = mutation(&buffered[1]);
    assert_eq!(body, Some(expected.clone()));
    assert_eq!(headers.unwrap().remove_headers, ["content-encoding"]);

    let Answers { answers: streamed, .. } = answers(&layer(), Some(DUPLEX), parts());
    assert_eq!(mutation(&streamed[0]).0.unwrap().remove_headers, ["content-encoding"]);
    assert_eq!(pieces(&streamed).concat(), expected);

    let Answers { answers: untold, seen, .. } = answers(&layer(), None, parts());
    assert_eq!((untold.len(), seen.len()), (1, 0), "whether headers can change is not known");
}

#[test]
fn where_the_mode_is_not_told_a_body_in_one_piece_is_replaced() {
    let original = request(200);
    let parts = vec![(0, head("/v1/messages", &[])), (0, body(&original, true))];
    let Answers { answers, .. } = answers(&layer(), None, parts);
    assert_eq!(mutation(&answers[1]).1, Some(rewritten(&layer(), &original)));
}

#[test]
fn a_body_that_does_not_change_gets_no_change() {
    for (path, data) in [("/v1/messages", &b"{\"messages\":[]}"[..]), ("/v1/messages", b"no JSON")] {
        let Answers { answers, seen, .. } =
            answers(&layer(), Some(BUFFERED), vec![(0, head(path, &[])), (0, body(data, true))]);
        assert_eq!((answers.len(), seen.len()), (2, 1));
        assert!(answers.iter().all(|answer| mutation(answer) == (None, None)), "{answers:?}");
    }
}

#[test]
fn what_is_not_read_is_not_asked_for() {
    let original = request(200);
    let length = (64 << 20).to_string();
    let unread = [
        head("/v1/messages/batches", &[("content-type", "application/json")]),
        head("/form", &[]),
        head("/v1/messages", &[("content-length", &length)]),
        head("/v1/messages", &[("x-amz-content-sha256", "0")]),
        head("/v1/messages", &[("content-encoding", "compress")]),
        head("/v1/messages", &[("bad name", "x")]),
        Part::RequestHeaders(HttpHeaders::default()),
    ];
    for head in unread {
        let Answers { answers, seen, .. } =
            answers(&layer(), Some(BUFFERED), vec![(0, head.clone()), (0, body(&original, true))]);
        assert_eq!((answers.len(), seen.len()), (1, 0), "the stream ends after the head: {head:?}");
        assert_eq!(mutation(&answers[0]), (None, None));
    }
    for mode in
        [BodySendMode::None, BodySendMode::Streamed, BodySendMode::BufferedPartial, BodySendMode::Grpc]
    {
        let parts = vec![(0, head("/v1/messages", &[])), (0, body(&original, true))];
        let Answers { answers, is_broken, .. } = answers(&layer(), Some(mode), parts);
        assert_eq!((answers.len(), is_broken), (0, false), "{mode:?}: the stream ends");
    }
}

#[test]
fn a_body_with_trailers_or_only_a_part_of_one_goes_on_as_it_came() {
    let parts = vec![(0, head("/v1/messages", &[])), (0, body(&request(200), false)), (0, trailers())];
    let Answers { answers: buffered, .. } = answers(&layer(), Some(BUFFERED), parts);
    assert_eq!(buffered.len(), 2);
    assert_eq!(mutation(&buffered[1]), (None, None));
}

#[test]
fn a_long_streamed_body_goes_on_in_pieces() {
    let original = request(6_000);
    let layer = layer().max_body(100_000);
    assert_eq!(rewritten(&layer, &original), original);
    let mut parts = vec![(0, head("/v1/messages", &[]))];
    parts.extend(original.chunks(70_000).map(|data| (1, body(data, false))));
    parts.push((0, body(b"", true)));
    let Answers { answers, seen, .. } = answers(&layer, Some(DUPLEX), parts);
    assert_eq!(seen, ["POST /v1/messages body_too_large"]);
    assert_eq!(mutation(&answers[0]), (None, None), "with its headers");
    let pieces = pieces(&answers);
    assert_eq!(pieces.concat(), original);
    assert!(pieces.len() > 3 && pieces.iter().all(|(data, _)| data.len() <= 64 << 10));
    let ends: Vec<_> = pieces.iter().map(|(_, is_last)| *is_last).collect();
    assert_eq!(ends.iter().filter(|is_last| **is_last).count(), 1);
    assert_eq!(ends.last(), Some(&true));
}

#[test]
fn a_mode_in_which_nothing_can_change_is_told() {
    let told = |mode: BodySendMode| {
        let config = ProtocolConfiguration { request_body_mode: mode.into(), ..Default::default() };
        let message = ProcessingRequest {
            protocol_config: Some(config),
            request: Some(head("/v1/messages", &[])),
            ..Default::default()
        };
        let replies = Replies::default();
        let messages = Messages::new(Script::new(vec![(0, message)]), Release::default());
        let exchange = Exchange::new(layer(), Arc::new(|_| {}), messages, replies.clone());
        let told = Arc::<Mutex<Option<BodySendMode>>>::default();
        let warning = Arc::clone(&told);
        let work = async move {
            let end = exchange.run(move |mode| *warning.lock().unwrap() = Some(mode)).await;
            end.map_err(|Interrupted| Status::data_loss(""))
        };
        block_on(ReplyStream::new(replies, work).count());
        *told.lock().unwrap()
    };
    assert_eq!(told(BodySendMode::Streamed), Some(BodySendMode::Streamed));
    assert_eq!(told(BUFFERED), None);
    assert_eq!(told(DUPLEX), None);
}

#[test]
fn nothing_is_answered_where_envoy_only_shows() {
    let message = ProcessingRequest {
        observability_mode: true,
        request: Some(head("/v1/messages", &[])),
        ..Default::default()
    };
    let replies = Replies::default();
    let messages = Messages::new(Script::new(vec![(0, message)]), Release::default());
    let exchange = Exchange::new(layer(), Arc::new(|_| {}), messages, replies.clone());
    let work = async move { exchange.run(|_| {}).await.map_err(|Interrupted| Status::data_loss("")) };
    assert_eq!(block_on(ReplyStream::new(replies, work).count()), 0);
}

#[test]
fn a_streamed_body_that_breaks_off_does_not_end_as_if_it_were_whole() {
    let original = request(200);
    for path in ["/v1/messages", "/other"] {
        let parts = vec![(0, head(path, &[])), (0, body(&original[..1_000], false))];
        let Answers { answers, is_broken, .. } = answers(&layer(), Some(DUPLEX), parts);
        assert!(is_broken, "{path}");
        assert!(pieces(&answers).iter().all(|(_, is_last)| !is_last), "{path}");
        let parts = vec![(0, head(path, &[])), (0, body(&original[..1_000], false))];
        assert!(!super::answers(&layer(), Some(BUFFERED), parts).is_broken, "Envoy has all of it");
    }
}

/// Pieces as one body.
trait Concat {
    fn concat(&self) -> Vec<u8>;
}

impl Concat for Vec<(Vec<u8>, bool)> {
    fn concat(&self) -> Vec<u8> {
        self.iter().flat_map(|(data, _)| data.iter().copied()).collect()
    }
}
