//! Any order of messages, cut anywhere: nothing panics, and no byte is lost or repeated.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

/// Cuts a body at these places.
fn cut(body: &[u8], at: &[Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = at.iter().map(|index| index.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| body[ends[0]..ends[1]].to_vec()).collect()
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Data,
    Nothing,
    Trailers,
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Data), Just(End::Nothing), Just(End::Trailers)]
}

/// Bodies that are rewritten, that are not, and that are none.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![(0_usize..400).prop_map(request), vec(any::<u8>(), 0..2_000)]
}

/// Messages that belong to no body of a request.
fn others() -> impl Strategy<Value = Part> {
    prop_oneof![
        Just(Part::ResponseHeaders(HttpHeaders::default())),
        vec(any::<u8>(), 0..20)
            .prop_map(|data| Part::ResponseBody(HttpBody { body: data.into(), end_of_stream: false })),
        Just(Part::ResponseTrailers(HttpTrailers::default())),
    ]
}

/// Any message at all.
fn parts() -> impl Strategy<Value = Part> {
    prop_oneof![
        2 => any::<bool>().prop_map(|is_llm| head(if is_llm { "/v1/messages" } else { "/other" }, &[])),
        1 => Just(Part::RequestHeaders(HttpHeaders { end_of_stream: true, ..Default::default() })),
        6 => (vec(any::<u8>(), 0..50), any::<bool>()).prop_map(|(data, is_last)| body(&data, is_last)),
        2 => others(),
        1 => Just(trailers()),
        1 => Just(Part::RequestTrailers(HttpTrailers::default())),
    ]
}

fn modes() -> impl Strategy<Value = Option<BodySendMode>> {
    let modes = (0..6).map(|mode| BodySendMode::try_from(mode).ok()).chain([None]);
    prop::sample::select(modes.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_streamed_body_becomes_what_the_layer_makes_of_the_whole(
        original in bodies(),
        at in vec(any::<Index>(), 0..12),
        end in ends(),
        between in vec((any::<Index>(), others()), 0..3),
        pauses in vec(0_usize..3, 40),
    ) {
        let mut parts = vec![head("/v1/messages", &[])];
        parts.extend(cut(&original, &at).iter().map(|data| body(data, false)));
        match end {
            End::Data => {
                if let Some(Part::RequestBody(last)) = parts.last_mut() {
                    last.end_of_stream = true;
                }
            }
            End::Nothing => parts.push(body(b"", true)),
            End::Trailers => parts.push(trailers()),
        }
        let count = between.len();
        for (place, other) in between {
            // Not before the head, and not behind the end, where nobody listens.
            parts.insert(1 + place.index(parts.len() - 1), other);
        }
        let parts = parts.into_iter().zip(pauses.into_iter().cycle()).map(|(part, pauses)| (pauses, part));
        let Answers { answers, is_broken, .. } = answers(&layer(), Some(DUPLEX), parts.collect());
        prop_assert!(!is_broken);

        let expected = match end {
            End::Trailers => original,
            _ => rewritten(&layer(), &original),
        };
        let pieces = pieces(&answers);
        let data: Vec<u8> = pieces.iter().flat_map(|(data, _)| data.iter().copied()).collect();
        prop_assert_eq!(data, expected);
        let request = |answer: &&PartResponse| {
            matches!(answer, PartResponse::RequestHeaders(_) | PartResponse::RequestBody(_) | PartResponse::RequestTrailers(_))
        };
        let order: Vec<_> = answers.iter().filter(request).collect();
        prop_assert!(matches!(order.first(), Some(PartResponse::RequestHeaders(_))));
        let ends = pieces.iter().filter(|(_, is_last)| *is_last).count();
        match (end, order.last()) {
            (End::Trailers, last) => {
                prop_assert!(matches!(last, Some(PartResponse::RequestTrailers(_))));
                prop_assert_eq!(ends, 0);
            }
            (_, Some(last)) => {
                prop_assert!(piece(last).is_some_and(|(_, is_last)| is_last));
                prop_assert_eq!(ends, 1);
            }
            (_, None) => prop_assert!(false, "no answer"),
        }
        prop_assert_eq!(order.len(), 1 + pieces.len() + usize::from(end == End::Trailers));
        prop_assert_eq!(answers.len() - order.len(), count, "each of the others is answered once");
    }

    #[test]
    fn no_order_of_messages_panics_loses_or_repeats_bytes(
        mode in modes(),
        parts in vec((0_usize..2, parts()), 0..16),
    ) {
        let Answers { answers, is_broken, .. } = answers(&layer(), mode, parts.clone());
        if mode != Some(DUPLEX) {
            prop_assert!(answers.len() <= parts.len());
            prop_assert!(pieces(&answers).is_empty() && !is_broken);
            return Ok(());
        }
        // None of these bodies is one that the layer rewrites, so what goes out is what came, up to the body's end.
        let starts = parts.iter().position(|(_, part)| {
            !matches!(part, Part::ResponseHeaders(_) | Part::ResponseBody(_) | Part::ResponseTrailers(_))
        });
        let is_request = starts == Some(0) && !matches!(&parts[0].1, Part::RequestHeaders(head) if head.end_of_stream);
        let (mut came, mut is_whole) = (Vec::new(), !is_request);
        for (_, part) in parts.iter().filter(|_| is_request) {
            match part {
                Part::RequestBody(part) => {
                    came.extend_from_slice(&part.body);
                    if part.end_of_stream {
                        is_whole = true;
                        break;
                    }
                }
                Part::RequestTrailers(_) => {
                    is_whole = true;
                    break;
                }
                _ => {}
            }
        }
        let went: Vec<u8> = pieces(&answers).into_iter().flat_map(|(data, _)| data).collect();
        prop_assert_eq!(went, came);
        prop_assert_eq!(is_broken, !is_whole);
    }

    #[test]
    fn a_buffered_body_is_answered_once(original in bodies(), before in vec((0_usize..2, others()), 0..3)) {
        let mut parts = vec![(0, head("/v1/messages", &[]))];
        parts.extend(before.clone());
        parts.push((1, body(&original, true)));
        let Answers { answers, .. } = answers(&layer(), Some(BUFFERED), parts);
        prop_assert_eq!(answers.len(), before.len() + 2);
        let expected = rewritten(&layer(), &original);
        let Some(PartResponse::RequestBody(last)) = answers.last() else { panic!("{answers:?}") };
        let change = last.response.as_ref().and_then(|response| response.body_mutation.clone());
        let sent = match change.and_then(|body| body.mutation) {
            Some(Mutation::Body(body)) => body.to_vec(),
            _ => original,
        };
        prop_assert_eq!(sent, expected);
    }
}
