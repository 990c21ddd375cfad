//! A fleet under load, of which a proxy is killed again and again.
//!
//! ```sh
//! HEADROOM_FLEET_SECONDS=120 cargo test --release -p headroom-cli --test fleet kills -- --ignored --nocapture
//! ```

use std::{
    collections::BTreeSet,
    env,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Agent, Fleet, Provider, Server, alone, resolve};
use crate::support::{Connection, Message};

/// Conversations at a time.
const CLIENTS: usize = 8;
/// Turns of each conversation.
const TURNS: usize = 5;
/// Between two kills.
const PAUSE: Duration = Duration::from_millis(900);
/// How long a proxy that was killed is gone.
const GONE: Duration = Duration::from_millis(300);

#[tokio::test]
#[ignore = "takes as long as it is told"]
async fn conversations_go_on_as_with_one_proxy_while_one_of_three_is_killed_again_and_again() {
    let seconds = env::var("HEADROOM_FLEET_SECONDS").map_or(5, |seconds| seconds.parse().unwrap());
    let Some(server) = Server::start().await else { return };
    let provider = Provider::start();
    let mut fleet = Fleet::start(provider.upstream.address, &server.url());
    let (balancer, end) = (fleet.balancer.address, Instant::now() + Duration::from_secs(seconds));
    let conversations = AtomicUsize::new(0);
    let cuts = AtomicUsize::new(0);
    let mut kills = 0;
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while Instant::now() < end {
                    let agent = Agent::new(conversations.fetch_add(1, Ordering::Relaxed));
                    cuts.fetch_add(converse(balancer, agent), Ordering::Relaxed);
                }
            });
        }
        while Instant::now() + PAUSE < end {
            thread::sleep(PAUSE - GONE);
            fleet.kill(kills % 3);
            thread::sleep(GONE);
            fleet.replace(kills % 3);
            kills += 1;
        }
    });

    let (conversations, cuts) = (conversations.into_inner(), cuts.into_inner());
    let seen = provider.seen();
    let alone = alone((0..conversations).map(Agent::new).collect(), TURNS);
    eprintln!(
        "{conversations} conversations of {TURNS} turns, {} requests upstream, {kills} kills that cut {cuts} answers",
        seen.len()
    );
    assert!(kills > 0 && cuts <= kills * CLIENTS, "{cuts} answers were cut by {kills} kills");
    if let Some(different) = seen.iter().find(|seen| !alone.contains(seen)) {
        let same = alone.iter().filter(|alone| alone.conversation == different.conversation);
        let same: String = same.map(|seen| format!("\n{}", seen.text())).collect();
        panic!("one proxy never sends\n{}\nbut{same}", different.text());
    }
    assert_eq!(resolve(&server, &seen).await, conversations * TURNS, "each result has a marker");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), alone.len());
}

/// All turns of a conversation. An answer that was cut is asked for again, as every client does. Returns how many were.
fn converse(balancer: SocketAddr, mut agent: Agent) -> usize {
    let mut cuts = 0;
    for _ in 0..TURNS {
        let answer = loop {
            match attempt(balancer, agent.request()) {
                Some(answer) => break answer,
                None => cuts += 1,
            }
        };
        agent.answered(&answer);
    }
    cuts
}

/// The answer, unless the connection ended before it was whole.
fn attempt(balancer: SocketAddr, request: Vec<u8>) -> Option<Message> {
    let mut connection = Connection::open(balancer);
    connection.write(request).ok()?;
    connection.read().ok().filter(|answer| answer.complete)
}
