//! What arrives is read as far as there is room.

use std::future::poll_fn;

use headroom_tower::ArrivalMemory;
use http_body::Body;

use crate::arrival::MeteredBody;

use super::*;

/// How many bytes are read until it waits.
async fn read<B: Body<Data = Bytes, Error = Status>>(body: &mut MeteredBody<B>) -> usize {
    let mut bytes = 0;
    loop {
        let frame = poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx))).await;
        let Poll::Ready(Some(frame)) = frame else { return bytes };
        bytes += frame.unwrap().into_data().unwrap().len();
    }
}

#[tokio::test]
async fn what_finds_no_room_waits_until_others_are_done() {
    let memory = ArrivalMemory::new(256 << 10);
    let release = Release::default();
    let pieces = || {
        futures_util::stream::iter(
            (0..40).map(|_| Ok(http_body::Frame::data(Bytes::from(vec![0; 16 << 10])))),
        )
    };
    let open = |release: &Release| {
        MeteredBody::new(http_body_util::StreamBody::new(pieces()), memory.meter(), release.clone())
    };
    let mut first = open(&Release::default());
    assert_eq!(read(&mut first).await, 40 << 14, "one may exceed the bound");
    let mut second = open(&release);
    let waiting = read(&mut second).await;
    assert!(waiting < 40 << 14, "{waiting}");
    assert_eq!(read(&mut second).await, 0, "there is no room");
    drop(first);
    assert_eq!(waiting + read(&mut second).await, 40 << 14);

    // What was taken over is not counted any more.
    let mut third = open(&Release::default());
    let waiting = read(&mut third).await;
    assert!(waiting < 40 << 14);
    release.set();
    read(&mut second).await;
    assert_eq!(waiting + read(&mut third).await, 40 << 14);
}
