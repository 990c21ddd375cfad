//! Many conversations at once that look alike: the same ids, names, places and texts. A model keeps what was said in
//! each, behind the client's back too, and every request that the provider gets must be what the model says: no turn of
//! one conversation in another.

pub(super) mod dice;
mod items;
mod says;

use std::{collections::HashMap, sync::Arc};

use headroom_core::{Api, CompressOptions, Original, Outcome, Report, Retrieval};
use headroom_store::MemoryStore;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::dice::Dice;
pub(super) use self::items::{calls, results, user};
use self::items::{copy, plain, said, say, strip, without_ours};
use super::{
    anthropic, chat, gemini, responses,
    support::{Setup, tool},
};
use crate::{HeadroomLayer, config::PromptEngine, test_support::block_on};

/// Offers the tool, and sets the secret of the project aside that a request is about.
pub(super) struct Secrets;

impl PromptEngine for Secrets {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
        let body = std::str::from_utf8(body).unwrap();
        assert!(*options == options.clone().retrieval(Retrieval::ServerTool));
        let tools = headroom_json::Value::parse(body).unwrap().get("tools").unwrap();
        let (before, after) = body.split_at(tools.end() - 1);
        let mut report = Report::default();
        (report.api, report.retrieval) = (Some(api), Retrieval::ServerTool);
        let content = secret(numbers(body, "project ")[0]);
        let originals = vec![Original::new(content)];
        Outcome::Rewritten { body: format!("{before},{}{after}", tool(api)).into(), originals, report }
    }
}

pub(super) fn secret(project: usize) -> String {
    format!("the secret of number {project}")
}

/// The numbers that stand behind these words.
fn numbers(text: &str, words: &str) -> Vec<usize> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(words).skip(1).filter_map(|rest| digits(rest).parse().ok()).collect()
}

/// What a conversation and its client are like.
#[derive(Clone, Copy, Debug)]
struct Kind {
    project: usize,
    api: Api,
    streaming: bool,
    /// Ids of calls: counted, or random.
    random_ids: bool,
    signatures: Signatures,
    /// The client takes all thinking out of what it sends back.
    strips: bool,
    /// The client changes the arguments of calls before it sends them back.
    edits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signatures {
    None,
    Constant,
    Unique,
}

/// A conversation up to an answer. Others may go on from it: forks and rewinds.
#[derive(Clone)]
struct Node {
    kind: Kind,
    /// What the client knows.
    client: Vec<Value>,
    steps: Vec<Step>,
    /// Ids of the client's calls that wait for results.
    open: Vec<String>,
}

/// What the client added to a conversation, and all that it knew after the answer to it.
#[derive(Clone)]
struct Step {
    news: Vec<Value>,
    known: String,
}

/// What was said to the provider and by it in one turn.
struct Turn {
    items: Vec<Value>,
    /// Whether a call of ours waits for its result in the next request.
    mixed: bool,
}

/// What the model says in one round.
struct Round {
    text: &'static str,
    ours: bool,
    /// The command of the client's call.
    call: Option<String>,
}

struct World {
    dice: Dice,
    store: MemoryStore,
    layer: HeadroomLayer,
    setups: HashMap<&'static str, Setup>,
    nodes: Vec<Node>,
    /// The turns that a client knows the same of. Where all that it knows is the same, one may stand for another.
    turns: HashMap<String, Vec<Turn>>,
    projects: usize,
    /// Random ids and signatures so far.
    made: u64,
    put_back: usize,
}

fn layer(store: &MemoryStore) -> HeadroomLayer {
    let mut layer = HeadroomLayer::with_store(store.clone()).retrieval(Retrieval::ServerTool);
    layer.set(|config| config.engine = Arc::new(Secrets));
    layer
}

const APIS: [Api; 4] = [Api::Anthropic, Api::OpenAiChat, Api::OpenAiResponses, Api::Gemini];

impl World {
    fn new(seed: u64) -> Self {
        let store = MemoryStore::new();
        Self {
            dice: Dice::new(seed),
            layer: layer(&store),
            store,
            setups: HashMap::new(),
            nodes: Vec::new(),
            turns: HashMap::new(),
            projects: 0,
            made: 0,
            put_back: 0,
        }
    }

    fn open(&mut self) -> Node {
        let dice = &mut self.dice;
        self.projects += 1;
        let signatures = [Signatures::None, Signatures::Constant, Signatures::Unique][dice.below(3)];
        let kind = Kind {
            project: self.projects,
            api: APIS[dice.below(4)],
            streaming: dice.one_in(2),
            random_ids: dice.one_in(3),
            signatures,
            strips: dice.one_in(4),
            edits: dice.one_in(4),
        };
        Node { kind, client: Vec::new(), steps: Vec::new(), open: Vec::new() }
    }

    fn random(&mut self) -> String {
        self.made += 1;
        let hash = blake3::hash(&self.made.to_be_bytes()).to_hex();
        format!("x_{}", &hash.as_str()[..32])
    }

    /// One request of one conversation, and its answer.
    async fn step(&mut self) {
        if self.dice.one_in(40) {
            // The process is started again, or another one has the same store.
            self.layer = layer(&self.store);
        }
        let count = self.nodes.len();
        let node = match self.dice.below(8) {
            0 => self.open(),
            _ if count == 0 => self.open(),
            // A fork, or a rewind.
            1 => self.nodes[self.dice.below(count)].clone(),
            _ => self.nodes[count - 1 - self.dice.below(count.min(6))].clone(),
        };
        let kind = node.kind;
        let news = self.news(&node);
        let rounds = self.rounds(kind);
        let mut blocks = Vec::new();
        for round in &rounds {
            let calls = node.client.iter().filter(|item| item.to_string().contains("Bash")).count();
            blocks.push(self.blocks(kind, round, calls));
        }
        let list: Vec<_> = node.client.iter().chain(&news).cloned().collect();
        let (got, shown) = self.send(kind, &list, &blocks).await;
        assert_eq!(got.len(), rounds.len(), "{kind:?}");
        for list in &got {
            self.check_privacy(kind, list);
        }
        self.check(&node, &news, &got[0]);

        // What the client knows, and what is true.
        let last = &rounds[rounds.len() - 1];
        let from = list.len();
        let mut client = list;
        client.extend(copy(kind, shown));
        let mut items = got[got.len() - 1][got[0].len()..].to_vec();
        if rounds.len() > 1 || last.ours {
            items.extend(copy(kind, said(kind.api, &blocks[blocks.len() - 1])));
        } else {
            items.extend_from_slice(&client[from..]);
        }
        if kind.strips {
            strip(&mut items);
        }
        let known = format!("{:?} {}", kind.api, Value::from(plain(&client)));
        let turn = Turn { items: plain(&items), mixed: last.ours };
        self.turns.entry(known.clone()).or_default().push(turn);
        let open = calls(kind.api, &client[from..]);
        let steps = node.steps.into_iter().chain([Step { news: plain(&news), known }]).collect();
        self.nodes.push(Node { kind, client, steps, open });
    }

    /// What the client adds.
    fn news(&mut self, node: &Node) -> Vec<Value> {
        let api = node.kind.api;
        if !node.open.is_empty() {
            return results(api, &node.open, ["ok", "a.txt"][self.dice.below(2)]);
        }
        if node.client.is_empty() {
            // Alike for longer than anybody looks, and of one project all the same.
            let words = "Read the reminder about how this is done here. ".repeat(8);
            return vec![user(api, &format!("{words}It is about project {}.", node.kind.project))];
        }
        vec![user(api, ["go on", "why?"][self.dice.below(2)])]
    }

    fn rounds(&mut self, kind: Kind) -> Vec<Round> {
        let dice = &mut self.dice;
        let text = |dice: &mut Dice| ["Done. ", "Look. ", ""][dice.below(3)];
        let mut rounds: Vec<_> = (0..dice.below(3).saturating_sub(1) + dice.below(2))
            .map(|_| Round { text: text(dice), ours: true, call: None })
            .collect();
        let call = dice.one_in(2).then(|| {
            let own = format!("deploy number {}", kind.project);
            ["ls".to_owned(), own][dice.below(2)].clone()
        });
        let ours = call.is_some() && dice.one_in(2);
        let text = if call.is_none() { "Done. " } else { text(dice) };
        rounds.push(Round { text, ours, call });
        rounds
    }

    /// The lists that the provider got, and what the client was shown.
    async fn send(
        &mut self,
        kind: Kind,
        list: &[Value],
        blocks: &[Vec<Value>],
    ) -> (Vec<Vec<Value>>, Vec<Value>) {
        let (path, ask, member) = match (kind.api, kind.streaming) {
            (Api::Anthropic, _) => ("/v1/messages", anthropic::ASK, "messages"),
            (Api::OpenAiChat, _) => ("/v1/chat/completions", chat::ASK, "messages"),
            (Api::OpenAiResponses, _) => ("/v1/responses", responses::ASK, "input"),
            (_, true) => (gemini::STREAM, gemini::ASK, "contents"),
            (_, false) => (gemini::WHOLE, gemini::ASK, "contents"),
        };
        let says = blocks.iter().zip(1..).map(|(blocks, n)| say(kind, n, blocks)).collect::<Vec<_>>();
        let mut setup = self.setups.entry(path).or_insert_with(|| Setup::new(path)).clone().says(says);
        setup.layer = self.layer.clone();
        let mut body: Value = serde_json::from_str(ask).unwrap();
        body[member] = self.written(kind, list);
        if !kind.streaming {
            body.as_object_mut().unwrap().remove("stream");
        }
        // Tokens are renewed between turns.
        let token = format!("Bearer token-{}-{}", kind.project, self.dice.below(3));
        let response = setup.open_with(&body.to_string(), &[("authorization", &token)]).await;
        let answer = super::support::read(response).await;
        assert_eq!((answer.status, setup.left()), (200, 0), "{}", answer.body);
        let shown = match kind.api {
            Api::Anthropic => {
                let content = anthropic::read(&answer, kind.streaming)["content"].clone();
                vec![json!({"role":"assistant","content":content})]
            }
            Api::OpenAiChat => vec![chat::read(&answer, kind.streaming)["message"].clone()],
            Api::OpenAiResponses => {
                responses::read(&answer, kind.streaming)["output"].as_array().unwrap().clone()
            }
            _ => vec![json!({"role":"model","parts":gemini::read(&answer, kind.streaming).0})],
        };
        let got = setup.take_got().into_iter().map(|got| {
            let body: Value = serde_json::from_str(&got.body).unwrap();
            body[member].as_array().unwrap().clone()
        });
        (got.collect(), shown)
    }

    /// A list as a client writes it this time.
    fn written(&mut self, kind: Kind, list: &[Value]) -> Value {
        let mut list = list.to_vec();
        let last = list.len() - 1;
        for (at, item) in list.iter_mut().enumerate() {
            if kind.api == Api::Anthropic && item["content"].is_string() && self.dice.one_in(2) {
                item["content"] = json!([{"type":"text","text":item["content"]}]);
            }
            if kind.api == Api::Anthropic && at == last && item["content"].is_array() {
                item["content"][0]["cache_control"] = json!({"type":"ephemeral"});
            }
            let calls = item.get_mut("tool_calls").and_then(Value::as_array_mut);
            for call in calls.into_iter().flatten() {
                // In another order, and the number as JavaScript writes it.
                let arguments: Value =
                    serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
                let text = format!("{{ \"timeout\": 10, \"command\": {} }}", arguments["command"]);
                call["function"]["arguments"] = json!(text);
            }
        }
        Value::from(list)
    }

    /// No word of another project is in a request.
    fn check_privacy(&self, kind: Kind, list: &[Value]) {
        let text = Value::from(list).to_string();
        for number in numbers(&text, "number ").into_iter().chain(numbers(&text, "project ")) {
            assert_eq!(number, kind.project, "{kind:?}: {text}");
        }
    }

    /// The request is what was said before, and what the client added.
    fn check(&mut self, node: &Node, news: &[Value], got: &[Value]) {
        let got = plain(got);
        self.put_back += usize::from(Value::from(got.clone()).to_string().contains("headroom_retrieve"));
        assert!(
            self.is_said(node.kind, &node.steps, &plain(news), &got, false),
            "{:?}\nclient {}\ngot {}\n+ {}",
            node.kind,
            Value::from(node.client.clone()),
            Value::from(got.clone()),
            Value::from(news)
        );
    }

    /// Whether the items are what these steps and then the news brought, turn by turn.
    fn is_said(&self, kind: Kind, steps: &[Step], news: &[Value], items: &[Value], mixed: bool) -> bool {
        let added = steps.first().map_or(news, |step| &step.news);
        // Results of ours are items of their own, or stand before those of the client.
        let apart = usize::from(mixed && matches!(kind.api, Api::OpenAiChat | Api::OpenAiResponses));
        let Some((own, items)) = items.split_at_checked(added.len() + apart) else { return false };
        let (own, answers) = without_ours(kind.api, own);
        let answered = answers.len() == usize::from(mixed);
        if own != added || !answered || !answers.iter().all(|answer| answer.contains(&secret(kind.project))) {
            return false;
        }
        let Some((step, steps)) = steps.split_first() else { return items.is_empty() };
        let turns = &self.turns[&step.known];
        turns.iter().any(|turn| {
            let rest = items.strip_prefix(&*turn.items);
            rest.is_some_and(|rest| self.is_said(kind, steps, news, rest, turn.mixed))
        })
    }
}

fn run(seed: u64, conversations: usize) -> World {
    let mut world = World::new(seed);
    while world.projects < conversations {
        block_on(world.step());
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn no_turn_of_one_conversation_stands_in_another(seed in any::<u64>()) {
        run(seed, 6);
    }
}

/// `HEADROOM_CONVERSATIONS` says how many there are.
#[test]
fn conversations_that_look_alike_stay_apart() {
    let count = std::env::var("HEADROOM_CONVERSATIONS").ok().and_then(|count| count.parse().ok());
    let (mut put_back, mut requests) = (0, 0);
    let count: usize = count.unwrap_or(120);
    for (seed, first) in (0..count).step_by(100).enumerate() {
        let world = run(0x9e37_79b9 + seed as u64, (count - first).min(100));
        put_back += world.put_back;
        requests += world.nodes.len();
    }
    assert!(put_back * 4 > requests, "what is hidden is put back: {put_back} of {requests}");
    println!("{count} conversations, {requests} requests, {put_back} with what was hidden");
}
