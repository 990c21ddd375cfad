//! Finds the tool definitions that leave a request because the user lists them.
//!
//! A definition leaves only if nothing else in the head names the tool: no system prompt, no other definition that stays,
//! no choice of tools, no text before the model's first answer. So the model is never told of a tool that it does not have,
//! and the answer is the same for every request of a conversation.

use std::{collections::BTreeSet, ops::Range};

use rustc_hash::FxHashMap;

use headroom_json::TapeValue;

use super::answered;
use crate::{Api, KeptTool};

/// Members of a tool that hold its definition.
const NESTS: [&str; 2] = ["function", "toolSpec"];
/// Members of a tool that hold several definitions.
const GROUPS: [&str; 3] = ["functionDeclarations", "function_declarations", "tools"];
/// Members that a group has besides its definitions, and that are nothing without them.
const OF_GROUP: [&str; 3] = ["type", "name", "description"];

/// A definition that the user lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed<'a> {
    pub(crate) name: &'a str,
    pub(crate) raw: &'a str,
    /// Why it stays; `None` if it leaves.
    pub(crate) kept: Option<KeptTool>,
}

/// The definitions that the user lists, and the bytes that leave with them.
#[derive(Debug, Default)]
pub(crate) struct Drop<'a> {
    pub(crate) listed: Vec<Listed<'a>>,
    /// Sorted, without overlap.
    pub(crate) cuts: Vec<Range<usize>>,
}

/// A definition in the request.
struct Definition<'a, 't> {
    name: &'a str,
    value: TapeValue<'a, 't>,
    /// The list that it stands in: that of the request, or that of a group.
    list: usize,
    listed: bool,
    kept: Option<KeptTool>,
}

impl Definition<'_, '_> {
    fn leaves(&self) -> bool {
        self.listed && self.kept.is_none()
    }
}

/// Finds the definitions of these names. A name that ends with `*` stands for all that begin so.
pub(crate) fn find<'a>(
    api: Api,
    body: &'a str,
    root: TapeValue<'a, '_>,
    names: &BTreeSet<String>,
) -> Drop<'a> {
    let Some(tools) = tools(root) else { return Drop::default() };
    let mut lists = vec![tools];
    let mut definitions = Vec::new();
    for tool in tools.items() {
        read(tool, &mut lists, &mut definitions);
    }
    let is_listed = |name: &str| {
        names.iter().any(|listed| match listed.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == listed,
        })
    };
    for definition in &mut definitions {
        definition.listed = is_listed(definition.name);
        definition.kept = of_itself(definition.value);
    }
    if !definitions.iter().any(Definition::leaves) {
        return Drop { listed: listed(&definitions), cuts: Vec::new() };
    }
    keep_named(api, body, root, &mut definitions);
    let cuts = cuts(tools, &lists, &mut definitions);
    Drop { listed: listed(&definitions), cuts }
}

fn listed<'a>(definitions: &[Definition<'a, '_>]) -> Vec<Listed<'a>> {
    let listed = definitions.iter().filter(|definition| definition.listed);
    listed.map(|one| Listed { name: one.name, raw: one.value.raw(), kept: one.kept }).collect()
}

/// Returns the list of tools of a request.
fn tools<'a, 't>(root: TapeValue<'a, 't>) -> Option<TapeValue<'a, 't>> {
    let [tools, config] = root.fields(["tools", "toolConfig"]).ok()?;
    let tools = tools.or_else(|| config?.fields(["tools"]).ok()?[0])?;
    tools.is_array().then_some(tools)
}

/// Adds the definitions of a tool.
fn read<'a, 't>(
    tool: TapeValue<'a, 't>,
    lists: &mut Vec<TapeValue<'a, 't>>,
    definitions: &mut Vec<Definition<'a, 't>>,
) {
    let group = tool.members().find(|(key, value)| GROUPS.contains(&key.raw) && value.is_array());
    let mut add = |value: TapeValue<'a, 't>, list| {
        if let Some(name) = name(value) {
            definitions.push(Definition { name, value, list, listed: false, kept: None });
        }
    };
    match group {
        Some((_, list)) => {
            lists.push(list);
            list.items().for_each(|definition| add(definition, lists.len() - 1));
        }
        None => add(tool, 0),
    }
}

/// Returns the name of a definition.
fn name<'a>(definition: TapeValue<'a, '_>) -> Option<&'a str> {
    let nested = definition.members().find(|(key, value)| NESTS.contains(&key.raw) && value.is_object());
    let [name] = nested.map_or(definition, |(_, value)| value).fields(["name"]).ok()?;
    name?.text().map(|name| name.raw).filter(|name| !name.is_empty())
}

/// Returns why a definition stays whatever names it.
fn of_itself(definition: TapeValue<'_, '_>) -> Option<KeptTool> {
    match definition.fields(["cache_control", "defer_loading"]) {
        Ok([Some(control), _]) if !control.is_null() => Some(KeptTool::CacheBreakpoint),
        Ok([_, Some(deferred)]) if deferred.is_true() => Some(KeptTool::Deferred),
        Ok(_) => None,
        Err(_) => Some(KeptTool::Unreadable),
    }
}

/// Keeps the definitions whose tools are named by what stays.
fn keep_named(api: Api, body: &str, root: TapeValue<'_, '_>, definitions: &mut [Definition<'_, '_>]) {
    let mut named: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut odd = Vec::new();
    for (at, definition) in definitions.iter().enumerate().filter(|(_, definition)| definition.leaves()) {
        for word in [Some(definition.name), own_name(definition.name)].into_iter().flatten() {
            if word.bytes().all(is_word) {
                named.entry(word).or_default().push(at);
            } else {
                odd.push((word, at));
            }
        }
    }
    let mut texts = Vec::new();
    let mut from = 0;
    let leaving = definitions.iter().filter(|definition| definition.leaves());
    let mut left_out: Vec<Range<usize>> = leaving.map(|one| one.value.start()..one.value.end()).collect();
    left_out.extend(answered(api, root));
    left_out.sort_by_key(|range| range.start);
    for range in left_out {
        texts.extend(body.get(from..range.start));
        from = from.max(range.end);
    }
    texts.extend(body.get(from..));
    while let Some(text) = texts.pop() {
        let odd = odd.iter().filter(|(word, _)| text.contains(word)).map(|(_, at)| *at);
        let found = words(text).filter_map(|word| named.get(word)).flatten().copied().chain(odd);
        for at in found {
            // What stays may name others.
            if let Some(definition) = definitions.get_mut(at).filter(|definition| definition.leaves()) {
                definition.kept = Some(KeptTool::Named);
                texts.push(definition.value.raw());
            }
        }
    }
}

/// Returns the name of a tool of an MCP server without the server's, if it is no common word.
fn own_name(name: &str) -> Option<&str> {
    let (_, own) = name.rsplit_once("__")?;
    let is_telling = |byte: u8| byte == b'_' || byte.is_ascii_digit() || byte.is_ascii_uppercase();
    own.bytes().skip(1).any(is_telling).then_some(own)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns the words of JSON text. A backslash and the letter after it belong to none.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match bytes.get(at)? {
                b'\\' => at += if bytes.get(at + 1) == Some(&b'u') { 6 } else { 2 },
                byte if is_word(*byte) => {
                    let length = bytes.iter().skip(at).take_while(|byte| is_word(**byte)).count();
                    at += length;
                    return text.get(at - length..at);
                }
                _ => at += 1,
            }
        }
    })
}

/// Returns the bytes that leave. A list does not lose its last definition, unless it leaves with its group.
fn cuts(
    tools: TapeValue<'_, '_>,
    lists: &[TapeValue<'_, '_>],
    definitions: &mut [Definition<'_, '_>],
) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    // The groups that leave whole.
    let mut whole = Vec::new();
    for (number, list) in lists.iter().enumerate().skip(1) {
        let own = || definitions.iter().filter(|definition| definition.list == number);
        let leaves = own().filter(|definition| definition.leaves()).count();
        let group = tools.items().find(|tool| tool.start() < list.start() && list.end() <= tool.end());
        let is_all = leaves > 0 && leaves == list.items().count();
        let is_only_group = group.is_some_and(|group| {
            group.members().all(|(key, _)| GROUPS.contains(&key.raw) || OF_GROUP.contains(&key.raw))
        });
        if is_all && is_only_group {
            whole.extend(group.map(|group| group.start()));
        } else if is_all || leaves > 0 && !list.is_dense() {
            let own = definitions.iter_mut().filter(|definition| definition.list == number);
            own.filter(|one| one.leaves()).for_each(|one| one.kept = Some(KeptTool::Last));
        } else {
            let leaving: Vec<usize> = own().filter(|one| one.leaves()).map(|one| one.value.start()).collect();
            cut(*list, &leaving, &mut cuts);
        }
    }
    let own = definitions.iter().filter(|definition| definition.list == 0 && definition.leaves());
    let mut leaving: Vec<usize> = own.map(|definition| definition.value.start()).collect();
    leaving.extend(whole);
    if !tools.is_dense() || leaving.len() == tools.items().count() {
        definitions.iter_mut().filter(|one| one.leaves()).for_each(|one| one.kept = Some(KeptTool::Last));
        return Vec::new();
    }
    cut(tools, &leaving, &mut cuts);
    cuts.sort_by_key(|range| range.start);
    cuts
}

/// Adds the bytes of the items of a list that begin at these places, each with one comma.
fn cut(list: TapeValue<'_, '_>, leaving: &[usize], cuts: &mut Vec<Range<usize>>) {
    let mut before: Option<usize> = None;
    let mut items = list.items().peekable();
    while let Some(item) = items.next() {
        if !leaving.contains(&item.start()) {
            before = Some(item.end());
            continue;
        }
        let mut end = item.end();
        while let Some(next) = items.next_if(|next| leaving.contains(&next.start())) {
            end = next.end();
        }
        cuts.extend(match (items.peek(), before) {
            (Some(next), _) => Some(item.start()..next.start()),
            (None, Some(before)) => Some(before..end),
            (None, None) => None,
        });
    }
}

#[cfg(test)]
mod tests;
