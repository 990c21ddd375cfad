//! Selects the blocks of a page that are its content.
//!
//! The main element is the innermost one that holds most of the sentences. Frames around the content, recognised by
//! element or name, are omitted, and so are lists of links between sentences. A page with few sentences is no article
//! but an index, a table or an application: there everything that a browser shows stays.

use super::page::{Frame, HtmlBlock, HtmlBlockKind, Page};

use crate::tuning::tuning;

/// Totals over the blocks in an element and its descendants, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    text: usize,
    linked: usize,
    links: usize,
    sentences: usize,
}

/// Returns whether each block stays.
pub(super) fn choose(page: &Page<'_>) -> Vec<bool> {
    let framed = framed(page);
    let is_framed = |block: &HtmlBlock| framed.get(block.node).copied().unwrap_or(false);
    let weights = weights(page, |block| !is_framed(block));
    let total = weights.first().map_or(0, |root| root.sentences);
    let shown = page.blocks.iter().filter(|block| block.kind != HtmlBlockKind::Field);
    let text: usize = shown.map(HtmlBlock::len).sum();
    if total < tuning().html.min_article || total * tuning().html.bytes_per_sentence < text {
        return vec![true; page.blocks.len()];
    }
    let in_main = in_main(page, &weights);
    let is_list: Vec<bool> = weights
        .iter()
        .map(|w| {
            w.sentences == 0
                && w.links >= tuning().html.min_links
                && w.linked * 100 >= w.text * tuning().html.linked_share
        })
        .collect();
    let at = |flags: &[bool], node: usize| flags.get(node).copied().unwrap_or(false);
    let listed: usize = page
        .blocks
        .iter()
        .filter(|block| at(&in_main, block.node) && at(&is_list, block.node) && !is_framed(block))
        .map(HtmlBlock::len)
        .sum();
    // If there are more links than sentences, the links are the content.
    let is_index = listed > total;
    let stays = |block: &HtmlBlock| match block.kind {
        HtmlBlockKind::Field => false,
        HtmlBlockKind::Heading(1) => !in_frame_element(page, block.node),
        _ if is_framed(block) => false,
        _ if at(&in_main, block.node) => is_index || !at(&is_list, block.node),
        _ => sentences(block) > 0,
    };
    let mut kept: Vec<bool> = page.blocks.iter().map(stays).collect();
    let is_outside = |block: &HtmlBlock| {
        block.kind != HtmlBlockKind::Field && !is_framed(block) && !at(&in_main, block.node)
    };
    keep_groups(page, &mut kept, is_outside);
    drop_empty_headings(page, &mut kept);
    kept
}

/// Returns the bytes of sentences in a block.
fn sentences(block: &HtmlBlock) -> usize {
    let least = match block.kind {
        HtmlBlockKind::Field | HtmlBlockKind::Heading(_) | HtmlBlockKind::Tag => return 0,
        HtmlBlockKind::Preformatted | HtmlBlockKind::Row { .. } => tuning().html.row_bytes,
        HtmlBlockKind::Paragraph
        | HtmlBlockKind::Item { .. }
        | HtmlBlockKind::Term { .. }
        | HtmlBlockKind::Definition { .. } => tuning().html.sentence_bytes,
    };
    if block.len() >= least && block.linked * tuning().html.bytes_per_linked < block.len() {
        block.len()
    } else {
        0
    }
}

fn weights(page: &Page<'_>, counts: impl Fn(&HtmlBlock) -> bool) -> Vec<Weight> {
    let mut weights = vec![Weight::default(); page.nodes.len()];
    for block in page.blocks.iter().filter(|block| counts(block)) {
        if let Some(weight) = weights.get_mut(block.node) {
            weight.text += block.len();
            weight.linked += block.linked;
            weight.links += block.links.len();
            weight.sentences += sentences(block);
        }
    }
    for (node, parent) in page.nodes.iter().map(|node| node.parent).enumerate().skip(1).rev() {
        let inner = weights.get(node).copied().unwrap_or_default();
        if let Some(weight) = weights.get_mut(parent) {
            weight.text += inner.text;
            weight.linked += inner.linked;
            weight.links += inner.links;
            weight.sentences += inner.sentences;
        }
    }
    weights
}

/// Returns whether each element is a frame around the content, or within one.
fn framed(page: &Page<'_>) -> Vec<bool> {
    let weights = weights(page, |_| true);
    let total = weights.first().map_or(0, |root| root.sentences);
    let mut framed: Vec<bool> = Vec::with_capacity(page.nodes.len());
    for (node, weight) in page.nodes.iter().zip(&weights) {
        let own = match node.frame {
            Frame::No => false,
            Frame::Named => weight.sentences * 100 < total * tuning().html.no_frame_share || total == 0,
            Frame::Yes => true,
        };
        let parent = framed.get(node.parent).copied().unwrap_or(false);
        framed.push(own || parent);
    }
    framed
}

/// Whether an element is, or is within, an element for frames.
fn in_frame_element(page: &Page<'_>, node: usize) -> bool {
    let mut at = node;
    while let Some(node) = page.nodes.get(at) {
        if node.frame == Frame::Yes {
            return true;
        }
        if at == 0 {
            break;
        }
        at = node.parent;
    }
    false
}

/// Returns whether each element is the main one, or within it.
fn in_main(page: &Page<'_>, weights: &[Weight]) -> Vec<bool> {
    let total = weights.first().map_or(0, |root| root.sentences);
    // Elements come before their descendants, so the last one that is heavy enough is the innermost.
    let is_heavy = |weight: &Weight| weight.sentences * 100 >= total * tuning().html.main_share;
    let main = weights.iter().rposition(is_heavy).unwrap_or(0);
    let mut inside: Vec<bool> = Vec::with_capacity(page.nodes.len());
    for (at, node) in page.nodes.iter().enumerate() {
        let parent = at > 0 && inside.get(node.parent).copied().unwrap_or(false);
        inside.push(at == main || parent);
    }
    inside
}

/// Keeps the whole of each list and table outside the main element of which a part stays: none loses a row.
fn keep_groups(page: &Page<'_>, kept: &mut [bool], is_outside: impl Fn(&HtmlBlock) -> bool) {
    let groups = page.blocks.iter().map(|block| block.group).max().unwrap_or(0);
    let mut is_kept = vec![false; groups + 1];
    for (block, _) in page.blocks.iter().zip(&*kept).filter(|(block, kept)| **kept && is_outside(block)) {
        if let Some(is_kept) = is_kept.get_mut(block.group).filter(|_| block.group > 0) {
            *is_kept = true;
        }
    }
    for (block, kept) in page.blocks.iter().zip(kept).filter(|(block, _)| is_outside(block)) {
        *kept |= is_kept.get(block.group).copied().unwrap_or(false);
    }
}

/// Drops headings without content below.
fn drop_empty_headings(page: &Page<'_>, kept: &mut [bool]) {
    // The next heading that stays, and whether any content stays before it.
    let (mut next, mut content) = (0, false);
    for (block, kept) in page.blocks.iter().zip(kept).rev() {
        match block.kind {
            HtmlBlockKind::Heading(level) => {
                *kept &= level == 1 || content || next > level;
                (next, content) = (if *kept { level } else { next }, false);
            }
            _ => content |= *kept,
        }
    }
}
