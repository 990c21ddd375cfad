//! Answers to Envoy.

use bytes::Bytes;

use crate::proto::{
    BodyMutation, BodySendMode, ChangeResponse, CommonResponse, HeaderMutation, Mutation, Part, PartResponse,
    ProcessingResponse, ProtocolConfiguration, StreamedBodyResponse, TrailersResponse,
};

/// The most bytes in one piece of a body that both sides stream, as the protocol recommends.
pub(crate) const MAX_PIECE: usize = 64 << 10;

/// How bodies are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modes {
    /// `None` if Envoy did not tell.
    pub(crate) request: Option<BodySendMode>,
    pub(crate) response: Option<BodySendMode>,
}

impl Modes {
    pub(crate) fn new(config: Option<&ProtocolConfiguration>) -> Self {
        let mode =
            |get: fn(&ProtocolConfiguration) -> i32| config.and_then(|config| get(config).try_into().ok());
        Self {
            request: mode(|config| config.request_body_mode),
            response: mode(|config| config.response_body_mode),
        }
    }

    /// Whether pieces of the request's body reach its destination only through this service.
    pub(crate) fn streams_request(self) -> bool {
        self.request == Some(BodySendMode::FullDuplexStreamed)
    }

    /// The same of the response.
    pub(crate) fn streams_response(self) -> bool {
        self.response == Some(BodySendMode::FullDuplexStreamed)
    }
}

/// Lets a part go on as it came.
pub(crate) fn unchanged(part: Part, modes: Modes) -> ProcessingResponse {
    let body = |body: crate::proto::HttpBody, is_streamed| match is_streamed {
        true => change(None, Some(piece(body.body, body.end_of_stream))),
        false => ChangeResponse::default(),
    };
    response(match part {
        Part::RequestHeaders(_) => PartResponse::RequestHeaders(ChangeResponse::default()),
        Part::ResponseHeaders(_) => PartResponse::ResponseHeaders(ChangeResponse::default()),
        Part::RequestBody(part) => PartResponse::RequestBody(body(part, modes.streams_request())),
        Part::ResponseBody(part) => PartResponse::ResponseBody(body(part, modes.streams_response())),
        Part::RequestTrailers(_) => PartResponse::RequestTrailers(TrailersResponse {}),
        Part::ResponseTrailers(_) => PartResponse::ResponseTrailers(TrailersResponse {}),
    })
}

/// Answers the head of a request.
pub(crate) fn head(headers: Option<HeaderMutation>) -> ProcessingResponse {
    response(PartResponse::RequestHeaders(change(headers, None)))
}

/// Replaces the buffered body of a request, and the headers that describe it.
pub(crate) fn body(headers: Option<HeaderMutation>, body: Bytes) -> ProcessingResponse {
    response(PartResponse::RequestBody(change(headers, Some(Mutation::Body(body)))))
}

/// Sends pieces of a request's body on. `is_last` ends the body.
pub(crate) fn pieces(mut body: Bytes, is_last: bool) -> Vec<ProcessingResponse> {
    let mut pieces = Vec::with_capacity(body.len() / MAX_PIECE + 1);
    loop {
        let next = body.split_to(body.len().min(MAX_PIECE));
        let is_end = body.is_empty();
        let mutation = piece(next, is_end && is_last);
        pieces.push(response(PartResponse::RequestBody(change(None, Some(mutation)))));
        if is_end {
            return pieces;
        }
    }
}

/// Answers the trailers of a request.
pub(crate) fn trailers() -> ProcessingResponse {
    response(PartResponse::RequestTrailers(TrailersResponse {}))
}

fn piece(body: Bytes, end_of_stream: bool) -> Mutation {
    Mutation::StreamedResponse(StreamedBodyResponse { body, end_of_stream })
}

fn change(header_mutation: Option<HeaderMutation>, mutation: Option<Mutation>) -> ChangeResponse {
    let body_mutation = mutation.map(|mutation| BodyMutation { mutation: Some(mutation) });
    // A change of nothing is the same as none.
    let has_any = header_mutation.is_some() || body_mutation.is_some();
    ChangeResponse { response: has_any.then_some(CommonResponse { header_mutation, body_mutation }) }
}

fn response(part: PartResponse) -> ProcessingResponse {
    ProcessingResponse { response: Some(part) }
}
