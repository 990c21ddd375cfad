//! Puts changed texts into copies of the messages that hold them. Everything else stays the same object.

use std::{collections::HashMap, ops::Range};

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList, PyString, PyTuple},
};

use super::encode::{Leaf, Unreadable, dump, members};

/// Replaces the strings of one message.
pub(super) struct Rebuild<'a> {
    leaves: &'a [Leaf],
    edits: &'a HashMap<usize, String>,
    /// The leaves of this message that were not met yet.
    left: Range<usize>,
}

type Changed<'py> = Result<Option<Bound<'py, PyAny>>, Unreadable>;

/// A key or an index.
type Path<'py> = Vec<Bound<'py, PyAny>>;

impl<'a> Rebuild<'a> {
    /// `edits` are the new texts by the number of their leaf, `own` the leaves of the message.
    pub(super) fn new(leaves: &'a [Leaf], edits: &'a HashMap<usize, String>, own: Range<usize>) -> Self {
        Self { leaves, edits, left: own }
    }

    /// Returns the message with its new texts.
    pub(super) fn message<'py>(
        mut self,
        message: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>, Unreadable> {
        let changed = self.any(message)?;
        if !self.left.is_empty() {
            return Err(changed_meanwhile());
        }
        Ok(changed.unwrap_or_else(|| message.clone()))
    }

    fn any<'py>(&mut self, value: &Bound<'py, PyAny>) -> Changed<'py> {
        if let Ok(text) = value.cast::<PyString>() {
            return self.text(text);
        }
        if let Ok(dict) = value.cast::<PyDict>() {
            return self.dict(dict);
        }
        if let Ok(list) = value.cast::<PyList>() {
            return self.list(list);
        }
        if let Ok(tuple) = value.cast::<PyTuple>() {
            let items = tuple.iter().map(|item| Ok(self.any(&item)?.unwrap_or(item)));
            let items = items.collect::<Result<Vec<_>, Unreadable>>()?;
            let same = items.iter().zip(tuple.iter()).all(|(new, old)| new.is(&old));
            let copy = || PyTuple::new(value.py(), items).map(Bound::into_any).map_err(cannot_copy);
            return if same { Ok(None) } else { copy().map(Some) };
        }
        match dump(value) {
            Ok(Some(dumped)) => self.model(value, &dumped),
            _ => Ok(None),
        }
    }

    fn text<'py>(&mut self, text: &Bound<'py, PyString>) -> Changed<'py> {
        let at = self.left.next().ok_or_else(changed_meanwhile)?;
        let Some(new) = self.edits.get(&at) else { return Ok(None) };
        let py = text.py();
        let old = self.leaves.get(at).map(|leaf| leaf.text.bind(py));
        // The caller may change the message while the engine works on the text that it was.
        if !old.is_some_and(|old| old.is(text) || old.as_any().eq(text).unwrap_or(false)) {
            return Err(changed_meanwhile());
        }
        Ok(Some(PyString::new(py, new).into_any()))
    }

    fn dict<'py>(&mut self, dict: &Bound<'py, PyDict>) -> Changed<'py> {
        let mut copy: Option<Bound<'py, PyAny>> = None;
        for (key, value) in members(dict)? {
            if let Some(new) = self.any(&value)? {
                let copy = get_or_copy(&mut copy, dict)?;
                copy.set_item(key, new).map_err(cannot_copy)?;
            }
        }
        Ok(copy)
    }

    fn list<'py>(&mut self, list: &Bound<'py, PyList>) -> Changed<'py> {
        let mut copy: Option<Bound<'py, PyAny>> = None;
        let mut at = 0;
        while let Ok(item) = list.get_item(at) {
            if let Some(new) = self.any(&item)? {
                get_or_copy(&mut copy, list)?.set_item(at, new).map_err(cannot_copy)?;
            }
            at += 1;
        }
        Ok(copy)
    }

    /// Replaces texts of an object by the path that they have in what it sends.
    fn model<'py>(&mut self, model: &Bound<'py, PyAny>, dumped: &Bound<'py, PyDict>) -> Changed<'py> {
        let (mut found, mut path) = (Vec::new(), Vec::new());
        self.find(dumped.as_any(), &mut path, &mut found)?;
        let mut changed = None;
        for (path, old, new) in found {
            let model = changed.as_ref().unwrap_or(model);
            changed = Some(replace(model, path, &old, &new).map_err(cannot_copy)?);
        }
        Ok(changed)
    }

    fn find<'py>(
        &mut self,
        value: &Bound<'py, PyAny>,
        path: &mut Path<'py>,
        found: &mut Vec<(Path<'py>, Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    ) -> Result<(), Unreadable> {
        if let Ok(text) = value.cast::<PyString>() {
            if let Some(new) = self.text(text)? {
                found.push((path.clone(), value.clone(), new));
            }
        } else if let Ok(dict) = value.cast::<PyDict>() {
            for (key, value) in members(dict)? {
                path.push(key);
                self.find(&value, path, found)?;
                path.pop();
            }
        } else if let Ok(list) = value.cast::<PyList>() {
            for (at, item) in list.iter().enumerate() {
                path.push(at.into_pyobject(value.py()).map_err(|_| changed_meanwhile())?.into_any());
                self.find(&item, path, found)?;
                path.pop();
            }
        }
        Ok(())
    }
}

fn get_or_copy<'c, 'py>(
    copy: &'c mut Option<Bound<'py, PyAny>>,
    original: &Bound<'py, PyAny>,
) -> Result<&'c mut Bound<'py, PyAny>, Unreadable> {
    if copy.is_none() {
        *copy = Some(shallow_copy(original).map_err(cannot_copy)?);
    }
    copy.as_mut().ok_or_else(changed_meanwhile)
}

/// Copies a container, with its own type.
fn shallow_copy<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static COPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    if value.is_exact_instance_of::<PyDict>() || value.is_exact_instance_of::<PyList>() {
        return value.call_method0("copy");
    }
    let copy = COPY.get_or_try_init(py, || Ok::<_, PyErr>(py.import("copy")?.getattr("copy")?.unbind()))?;
    copy.bind(py).call1((value,))
}

fn replace<'py>(
    model: &Bound<'py, PyAny>,
    path: Path<'py>,
    old: &Bound<'py, PyAny>,
    new: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = model.py();
    py.import("headroom._objects")?.call_method1("replace_text", (model, path, old, new))
}

fn changed_meanwhile() -> Unreadable {
    Unreadable("the message was changed while it was compressed".to_owned())
}

fn cannot_copy<E>(_: E) -> Unreadable {
    Unreadable("a copy with another text cannot be made".to_owned())
}
