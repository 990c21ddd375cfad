//! Writes Python values as JSON, as `json.dumps(value, ensure_ascii=False, separators=(",", ":"))` does, and remembers where
//! each string is.

use std::ops::Range;

use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};

/// Deeper values are not written. Requests are nested a dozen levels; the engine reads 512.
const MAX_DEPTH: usize = 100;
/// Members with strings that no model reads as text.
const NOT_TEXT: [&str; 12] = [
    "data",
    "encrypted_content",
    "file_data",
    "id",
    "image_url",
    "media_type",
    "mimeType",
    "role",
    "signature",
    "thoughtSignature",
    "type",
    "url",
];

/// A string value of the messages.
pub(super) struct Leaf {
    /// Its content in the body, without quotes.
    pub(super) place: Range<usize>,
    pub(super) text: Py<PyString>,
    /// Whether the model reads it as text.
    pub(super) is_text: bool,
}

/// Why a value cannot be written. Holds no content.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

impl Unreadable {
    fn because(error: &PyErr, py: Python<'_>, what: &str) -> Self {
        Self(format!("{what} raised {}", name_of(error.get_type(py).as_any())))
    }
}

/// A key and its value.
type Member<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Writes values one after the other.
#[derive(Default)]
pub(super) struct Encoder {
    pub(super) body: Vec<u8>,
    pub(super) leaves: Vec<Leaf>,
}

impl Encoder {
    /// Writes a value, or nothing if it cannot be written.
    pub(super) fn value(&mut self, value: &Bound<'_, PyAny>) -> Result<(), Unreadable> {
        let (bytes, leaves) = (self.body.len(), self.leaves.len());
        self.any(value, 0, true).inspect_err(|_| {
            self.body.truncate(bytes);
            self.leaves.truncate(leaves);
        })
    }

    /// Writes a value, or `null` if it cannot be written.
    pub(super) fn value_or_null(&mut self, value: &Bound<'_, PyAny>) {
        if self.value(value).is_err() {
            self.raw("null");
        }
    }

    /// Writes the items of a list, each or `null`.
    pub(super) fn list_or_null(&mut self, list: &Bound<'_, PyAny>) {
        let Ok(items) = list.try_iter() else { return self.raw("null") };
        self.raw("[");
        for (at, item) in items.map_while(Result::ok).enumerate() {
            if at > 0 {
                self.raw(",");
            }
            self.value_or_null(&item);
        }
        self.raw("]");
    }

    /// Writes a part of the frame.
    pub(super) fn raw(&mut self, json: &str) {
        self.body.extend_from_slice(json.as_bytes());
    }

    fn any(&mut self, value: &Bound<'_, PyAny>, depth: usize, is_text: bool) -> Result<(), Unreadable> {
        if let Ok(text) = value.cast::<PyString>() {
            let start = self.body.len() + 1;
            self.string(text)?;
            let place = start..self.body.len() - 1;
            self.leaves.push(Leaf { place, text: text.clone().unbind(), is_text });
            return Ok(());
        }
        if depth >= MAX_DEPTH {
            return Err(Unreadable(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        if let Ok(dict) = value.cast::<PyDict>() {
            return self.dict(dict, depth, is_text);
        }
        if let Ok(list) = value.cast::<PyList>() {
            return self.array((0..).map_while(|at| list.get_item(at).ok()), depth, is_text);
        }
        if let Ok(tuple) = value.cast::<PyTuple>() {
            return self.array(tuple.iter(), depth, is_text);
        }
        if value.is_none() {
            self.body.extend_from_slice(b"null");
            return Ok(());
        }
        if let Ok(flag) = value.cast::<PyBool>() {
            self.body.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
            return Ok(());
        }
        if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
            let text = number(value)?;
            self.body.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        match dump(value)? {
            Some(dict) => self.dict(&dict, depth, is_text),
            None => {
                Err(Unreadable(format!("a value of type {} is not JSON", name_of(value.get_type().as_any()))))
            }
        }
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>, depth: usize, is_text: bool) -> Result<(), Unreadable> {
        self.body.push(b'{');
        for (at, (key, value)) in members(dict)?.into_iter().enumerate() {
            if at > 0 {
                self.body.push(b',');
            }
            let member_is_text = match key.cast::<PyString>() {
                Ok(key) => {
                    self.string(key)?;
                    key.to_str().is_ok_and(|key| !NOT_TEXT.contains(&key))
                }
                Err(_) => {
                    self.key(&key)?;
                    true
                }
            };
            self.body.push(b':');
            self.any(&value, depth + 1, is_text && member_is_text)?;
        }
        self.body.push(b'}');
        Ok(())
    }

    fn array<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        depth: usize,
        is_text: bool,
    ) -> Result<(), Unreadable> {
        self.body.push(b'[');
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.body.push(b',');
            }
            self.any(&item, depth + 1, is_text)?;
        }
        self.body.push(b']');
        Ok(())
    }

    /// Writes a key that is no string, as Python does.
    fn key(&mut self, key: &Bound<'_, PyAny>) -> Result<(), Unreadable> {
        let text = if key.is_none() {
            "null".to_owned()
        } else if let Ok(flag) = key.cast::<PyBool>() {
            if flag.is_true() { "true" } else { "false" }.to_owned()
        } else if key.is_instance_of::<PyInt>() || key.is_instance_of::<PyFloat>() {
            number(key)?
        } else {
            return Err(Unreadable(format!(
                "a key of type {} is not JSON",
                name_of(key.get_type().as_any())
            )));
        };
        self.body.push(b'"');
        self.body.extend_from_slice(text.as_bytes());
        self.body.push(b'"');
        Ok(())
    }

    fn string(&mut self, text: &Bound<'_, PyString>) -> Result<(), Unreadable> {
        self.body.push(b'"');
        if let Ok(text) = text.to_str() {
            escape_into(text.as_bytes(), &mut self.body);
        } else {
            // It has half of a surrogate pair, which only an escape can show.
            let escaped = escaped(text)?;
            self.body.extend_from_slice(escaped.as_bytes());
        }
        self.body.push(b'"');
        Ok(())
    }
}

/// Returns the members of a mapping at this moment: iterating while other code runs could meet a change.
pub(super) fn members<'py>(dict: &Bound<'py, PyDict>) -> Result<Vec<Member<'py>>, Unreadable> {
    if dict.is_exact_instance_of::<PyDict>() {
        let items = dict.items();
        return Ok(items.iter().filter_map(|item| item.extract().ok()).collect());
    }
    // A subclass may have its own order or values.
    let items =
        dict.call_method0("items").and_then(|items| items.try_iter()?.map(|item| item?.extract()).collect());
    items.map_err(|error| Unreadable::because(&error, dict.py(), "items()"))
}

/// Returns what an object of Pydantic or alike sends of itself, as its SDK does; `None` if it is no such object.
pub(super) fn dump<'py>(value: &Bound<'py, PyAny>) -> Result<Option<Bound<'py, PyDict>>, Unreadable> {
    static OPTIONS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let py = value.py();
    let Ok(method) = value.getattr("model_dump") else { return Ok(None) };
    let options = OPTIONS.get_or_try_init(py, || {
        let options = PyDict::new(py);
        options.set_item("mode", "json")?;
        options.set_item("by_alias", true)?;
        options.set_item("exclude_none", true)?;
        Ok::<_, PyErr>(options.unbind())
    });
    let dumped = options.and_then(|options| method.call((), Some(options.bind(py))));
    let dumped = dumped.map_err(|error| Unreadable::because(&error, py, "model_dump()"))?;
    dumped.cast_into::<PyDict>().map(Some).map_err(|_| Unreadable("model_dump() returned no dict".to_owned()))
}

/// Writes a number as Python does.
fn number(value: &Bound<'_, PyAny>) -> Result<String, Unreadable> {
    let py = value.py();
    if value.is_instance_of::<PyInt>() {
        if let Ok(small) = value.extract::<i64>() {
            return Ok(small.to_string());
        }
    } else if !value.extract::<f64>().is_ok_and(f64::is_finite) {
        return Err(Unreadable("a number that is not finite is not JSON".to_owned()));
    }
    // A subclass, such as an enumeration, may have a `__repr__` of its own.
    let class =
        if value.is_instance_of::<PyInt>() { py.get_type::<PyInt>() } else { py.get_type::<PyFloat>() };
    let text = class.call_method1("__repr__", (value,)).and_then(|text| text.extract::<String>());
    text.map_err(|error| Unreadable::because(&error, py, "a number"))
}

/// Escapes a string that is no valid Unicode, without quotes.
fn escaped(text: &Bound<'_, PyString>) -> Result<String, Unreadable> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = text.py();
    let escape = || -> PyResult<String> {
        let dumps =
            DUMPS.get_or_try_init(py, || Ok::<_, PyErr>(py.import("json")?.getattr("dumps")?.unbind()))?;
        let quoted: String = dumps.call1(py, (text,))?.extract(py)?;
        Ok(quoted.trim_matches('"').to_owned())
    };
    escape().map_err(|error| Unreadable::because(&error, py, "a string"))
}

fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        if *byte >= 0x20 && !matches!(byte, b'"' | b'\\') {
            continue;
        }
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend([byte >> 4, byte & 15].iter().filter_map(|digit| HEX.get(usize::from(*digit))));
            }
        }
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
}

fn name_of(class: &Bound<'_, PyAny>) -> String {
    class.getattr("__name__").and_then(|name| name.extract()).unwrap_or_else(|_| "?".to_owned())
}
