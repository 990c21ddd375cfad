//! Builds an object from the cells of a row.

/// A step from an object or array to a value in it.
#[derive(Clone, PartialEq)]
pub(super) enum DecodedStep {
    Key(String),
    Element,
}

enum Tree {
    Leaf(String),
    Object(Vec<(String, Tree)>),
    Array(Box<Tree>),
}

/// Builds an object from its leaves: neighbours with the same start of a path share objects and arrays.
pub(super) fn object(cells: &[(Vec<DecodedStep>, String)]) -> String {
    let mut row = Tree::Object(Vec::new());
    for (steps, value) in cells {
        insert(&mut row, steps, value);
    }
    let mut out = String::new();
    write(&row, &mut out);
    out
}

fn insert(tree: &mut Tree, steps: &[DecodedStep], value: &str) {
    let Some((step, below)) = steps.split_first() else {
        *tree = Tree::Leaf(value.into());
        return;
    };
    match (tree, step) {
        (Tree::Array(inner), DecodedStep::Element) => insert(inner, below, value),
        (Tree::Object(members), DecodedStep::Key(key)) => {
            let shared =
                members.last().is_some_and(|(last, tree)| last == key && !matches!(tree, Tree::Leaf(_)));
            if !shared {
                let empty = match below.first() {
                    Some(DecodedStep::Element) => Tree::Array(Box::new(Tree::Object(Vec::new()))),
                    _ => Tree::Object(Vec::new()),
                };
                members.push((key.clone(), empty));
            }
            insert(&mut members.last_mut().unwrap().1, below, value);
        }
        _ => panic!("paths contradict each other"),
    }
}

fn write(tree: &Tree, out: &mut String) {
    match tree {
        Tree::Leaf(value) => out.push_str(value),
        Tree::Array(inner) => {
            out.push('[');
            write(inner, out);
            out.push(']');
        }
        Tree::Object(members) => {
            out.push('{');
            for (n, (key, value)) in members.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(key);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}
