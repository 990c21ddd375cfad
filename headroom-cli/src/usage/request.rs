//! Reads the model that a request names on its way to the provider.

use bytes::Bytes;

use super::find::Finder;
use crate::observed::Observer;

/// Reads the model that a request names, and reports it to a callback, once.
pub(crate) struct ModelReader<F> {
    finder: Option<Finder>,
    told: F,
}

impl<F: FnMut(&str)> ModelReader<F> {
    /// Reads the body only if somebody wants to know.
    pub(crate) fn new(is_wanted: bool, told: F) -> Self {
        Self { finder: is_wanted.then(Finder::default), told }
    }
}

impl<F: FnMut(&str)> Observer for ModelReader<F> {
    fn observe(&mut self, data: &Bytes) {
        let Some(finder) = &mut self.finder else { return };
        finder.read(data);
        if let Some(model) = &finder.found().model {
            (self.told)(model);
            self.finder = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::observed::Observed;

    async fn told(body: &str, step: usize, is_wanted: bool) -> Vec<String> {
        let pieces: Vec<_> = body.as_bytes().chunks(step).map(Bytes::copy_from_slice).collect();
        let pieces = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(piece)));
        let mut models = Vec::new();
        let reader = ModelReader::new(is_wanted, |model: &str| models.push(model.to_owned()));
        let passing = Observed::new(StreamBody::new(stream::iter(pieces)), reader);
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
