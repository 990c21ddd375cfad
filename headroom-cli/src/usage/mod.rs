//! Reads the usage that a provider reports in its responses, and the model that a request names, while bodies pass.

mod counts;
mod find;
mod request;
mod response;

use bytes::Bytes;
use http_body::Frame;

pub(crate) use self::{counts::Usage, request::model_reader, response::usage_reader};

/// Looks at the frames of a body, for [`BodyExt::inspect_frame`](http_body_util::BodyExt::inspect_frame).
pub(crate) type FrameReader = Box<dyn FnMut(&Frame<Bytes>) + Send>;
