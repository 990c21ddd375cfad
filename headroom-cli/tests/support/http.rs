//! HTTP/1.1 by hand, so that tests see what is on the wire and when.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use super::PATIENCE;

/// A request or a response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// `GET / HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body has the end that its head announces.
    pub(crate) complete: bool,
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// The path and query of a request.
    pub(crate) fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One end of a connection.
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect_timeout(&address, PATIENCE).unwrap())
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { reader: BufReader::new(stream) }
    }

    /// Waits longer than tests do, for a machine that has much else to do.
    pub(crate) fn patiently(self, time: Duration) -> Self {
        let stream = self.reader.get_ref();
        stream.set_read_timeout(Some(time)).unwrap();
        stream.set_write_timeout(Some(time)).unwrap();
        self
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes.as_ref())
    }

    /// Writes one chunk of a chunked body.
    pub(crate) fn write_chunk(&mut self, data: &str) -> io::Result<()> {
        self.write(format!("{:x}\r\n{data}\r\n", data.len()))
    }

    pub(crate) fn read_head(&mut self) -> io::Result<Message> {
        let mut message = Message { start: self.line()?, ..Message::default() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { return Ok(message) };
            message.headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// Reads one chunk of a chunked body; an empty one is the end.
    pub(crate) fn read_chunk(&mut self) -> io::Result<Vec<u8>> {
        let length = usize::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
        let mut data = vec![0; length + 2];
        self.reader.read_exact(&mut data)?;
        data.truncate(length);
        Ok(data)
    }

    /// Reads this many bytes.
    pub(crate) fn read_exact(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut data = vec![0; length];
        self.reader.read_exact(&mut data)?;
        Ok(data)
    }

    /// Reads a message, as much of it as there is.
    pub(crate) fn read(&mut self) -> io::Result<Message> {
        let mut message = self.read_head()?;
        let chunked = message.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        if chunked {
            message.complete = loop {
                match self.read_chunk() {
                    Ok(chunk) if chunk.is_empty() => break true,
                    Ok(chunk) => message.body.extend(chunk),
                    Err(_) => break false,
                }
            };
        } else if let Some(length) = message.header("content-length") {
            let length: u64 = length.parse().map_err(io::Error::other)?;
            let read = (&mut self.reader).take(length).read_to_end(&mut message.body);
            message.complete = read.is_ok() && message.body.len() as u64 == length;
        } else {
            message.complete = true;
        }
        Ok(message)
    }

    /// Passes on what comes, both ways, until one side ends.
    pub(crate) fn join(&mut self, mut other: TcpStream) -> io::Result<()> {
        let (mut back, mut out) = (other.try_clone()?, self.reader.get_ref().try_clone()?);
        let returning = thread::spawn(move || {
            let _ = io::copy(&mut back, &mut out);
            let _ = out.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut self.reader, &mut other);
        let _ = other.shutdown(Shutdown::Both);
        let _ = returning.join();
        Ok(())
    }

    /// Ends this side, and listens on.
    pub(crate) fn close_writing(&self) -> io::Result<()> {
        self.reader.get_ref().shutdown(Shutdown::Write)
    }

    /// Whether the other side ends the connection.
    pub(crate) fn is_ended(&mut self) -> bool {
        match self.reader.read(&mut [0]) {
            Ok(length) => length == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// A request with a JSON body; `headers` are lines with their ends.
pub(crate) fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    request
}

/// An answer with a JSON body.
pub(crate) fn ok(body: &str) -> String {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
    format!("{head}: {}\r\n\r\n{body}", body.len())
}

/// Sends this and reads the answer.
pub(crate) fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Message {
    let mut connection = Connection::open(address);
    // The answer to a body that is not wanted may come before all of it is sent.
    let _ = connection.write(request);
    connection.read().unwrap()
}

/// A server that answers as it is told.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    requests: Receiver<Message>,
}

impl Upstream {
    /// Answers every request with these bytes.
    pub(crate) fn answering(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::start(move |connection| {
            let request = connection.read()?;
            connection.write(&response)?;
            Ok(request)
        })
    }

    /// Lets this read a request and answer it, again and again, on every connection.
    pub(crate) fn start(
        serve: impl Fn(&mut Connection) -> io::Result<Message> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (serve, sender) = (Arc::clone(&serve), sender.clone());
                thread::spawn(move || {
                    let mut connection = Connection::new(stream);
                    while let Ok(request) = serve(&mut connection) {
                        if sender.send(request).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// The next request that came.
    pub(crate) fn request(&self) -> Message {
        self.requests.recv_timeout(PATIENCE).expect("no request came")
    }

    /// The next request, if one comes in time.
    pub(crate) fn request_within(&self, time: Duration) -> Option<Message> {
        self.requests.recv_timeout(time).ok()
    }

    /// Whether none came.
    pub(crate) fn is_untouched(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}
