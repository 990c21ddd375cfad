//! Reads the model that a request names on its way to the provider.

use bytes::Bytes;
use http_body::Frame;

use super::find::Finder;

/// Returns what reads the frames of a request. It reports the model to a callback, once, and reads only if somebody
/// wants to know.
pub(crate) fn model_reader(is_wanted: bool, mut told: impl FnMut(&str)) -> impl FnMut(&Frame<Bytes>) {
    let mut finder = is_wanted.then(Finder::default);
    move |frame| {
        if let (Some(reading), Some(data)) = (&mut finder, frame.data_ref()) {
            reading.read(data);
            if let Some(model) = &reading.found().model {
                told(model);
                finder = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    async fn told(body: &str, step: usize, is_wanted: bool) -> Vec<String> {
        let pieces: Vec<_> = body.as_bytes().chunks(step).map(Bytes::copy_from_slice).collect();
        let pieces = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(piece)));
        let mut models = Vec::new();
        let reader = model_reader(is_wanted, |model: &str| models.push(model.to_owned()));
        let passing = StreamBody::new(stream::iter(pieces)).inspect_frame(reader);
        assert_eq!(passing.collect().await.unwrap().to_bytes(), body);
        models
    }

    #[tokio::test]
    async fn the_model_is_told_once_wherever_it_stands() {
        for (body, model) in [
            (r#"{"model":"m-1","messages":[{"content":"{\"model\":\"x\"}"}],"model2":1}"#, Some("m-1")),
            (r#"{"messages":[{"model":"no"}],"model":"m/2:a"}"#, Some("m/2:a")),
            (r#"{"model":"not a name, but content"}"#, None),
            ("model", None),
        ] {
            for step in [1, 5, 1000] {
                let expected: Vec<_> = model.into_iter().map(str::to_owned).collect();
                assert_eq!(told(body, step, true).await, expected, "{body} by {step}");
                assert!(told(body, step, false).await.is_empty());
            }
        }
    }
}
