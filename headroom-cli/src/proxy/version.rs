//! Converts requests of HTTP/2 to the form of HTTP/1.1.

use http::{
    Request, Version,
    header::{COOKIE, HOST, HeaderValue},
};

/// Gives a request of HTTP/2 the head that it would have in HTTP/1.1: the authority as `host` ([RFC 9113], section
/// 8.3.1), and the cookies in one line (8.2.3).
///
/// A `host` that the client sent as well is kept, so that both are checked.
///
/// [RFC 9113]: https://www.rfc-editor.org/rfc/rfc9113
pub(super) fn as_http1<B>(request: &mut Request<B>) {
    if request.version() != Version::HTTP_2 {
        return;
    }
    let host = request.uri().authority().and_then(|name| HeaderValue::try_from(name.as_str()).ok());
    let headers = request.headers_mut();
    if let Some(host) = host.filter(|host| headers.get(HOST) != Some(host)) {
        headers.append(HOST, host);
    }
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(cookies) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(COOKIE, cookies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_cookies_are_where_http1_has_them() {
        let mut request = Request::get("http://localhost:1/v1/models").version(Version::HTTP_2);
        for cookie in ["a=1", "b=2"] {
            request = request.header(COOKIE, cookie);
        }
        let mut request = request.body(()).unwrap();
        as_http1(&mut request);
        assert_eq!(request.headers()[HOST], "localhost:1");
        assert_eq!(request.headers().get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn a_second_name_stays_to_be_looked_at() {
        let of = |host: &str| {
            let request = Request::get("http://localhost/").version(Version::HTTP_2).header(HOST, host);
            let mut request = request.body(()).unwrap();
            as_http1(&mut request);
            request.headers().get_all(HOST).iter().count()
        };
        assert_eq!((of("localhost"), of("evil.example")), (1, 2));
    }

    #[test]
    fn http1_is_left_alone() {
        let mut request = Request::get("http://localhost/").header(COOKIE, "a").header(COOKIE, "b");
        request = request.version(Version::HTTP_11);
        let mut request = request.body(()).unwrap();
        as_http1(&mut request);
        assert!(!request.headers().contains_key(HOST));
        assert_eq!(request.headers().get_all(COOKIE).iter().count(), 2);
    }
}
