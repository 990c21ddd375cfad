//! Decides which requests are let in.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, Method, Request, Response, StatusCode,
    header::{self, HeaderValue},
    uri::Authority,
};

use super::{
    Provider,
    answer::{self, ResponseBody},
};
use crate::{config::Origins, secret::Secret};

/// The header for the token of clients that use `authorization` for something else.
const TOKEN: HeaderName = HeaderName::from_static("x-headroom-token");

/// The access that a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A route of the proxy that discloses nothing, or has its own authentication.
    Open,
    /// A route of the proxy that needs the token.
    Guarded,
    /// A request to a provider.
    Forwarded,
}

/// Checks requests.
#[derive(Debug)]
pub(crate) struct Auth {
    /// `None`, which nothing matches, if there is no folder for a token.
    secret: Option<Secret>,
    /// Whether other machines can reach the proxy. If so, every request needs the token.
    reachable: bool,
    /// Origins of web pages that may have requests forwarded.
    origins: Origins,
}

/// Schemes of the pages of desktop programs. No browser gives one to a web page, and such a program has all of the
/// user's rights anyway.
const DESKTOP_SCHEMES: [&[u8]; 4] = [b"vscode-file://", b"vscode-webview://", b"app://", b"tauri://"];

/// Methods that are forwarded. TRACE would echo a request's credentials to its sender.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A tunnel to a host that the request names.
    Connect,
    /// TRACE, whose response repeats the request with its credentials.
    Trace,
    /// A name that is not this machine's: DNS rebinding by a web page.
    Host,
    /// A WebSocket; clients fall back to plain HTTP.
    WebSocket,
    /// A web page of another origin requests a route of the proxy.
    Origin,
    /// A web page of another origin sends a request for which the user, or this machine, pays.
    Page,
    /// The token is missing or wrong.
    Token,
    /// The proxy has no token to compare with.
    NoToken,
    /// The proxy's token on its way to a provider.
    Astray,
}

impl Auth {
    pub(crate) const fn new(secret: Option<Secret>, reachable: bool) -> Self {
        Self { secret, reachable, origins: Origins::none() }
    }

    /// Allows these web pages to have requests forwarded.
    pub(crate) fn allow_origins(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    /// Whether a request shows the token in the header that is meant for it.
    pub(crate) fn has_token(&self, headers: &HeaderMap) -> bool {
        headers.get(TOKEN).is_some_and(|value| self.matches(value.as_bytes()))
    }

    /// Returns why a request is refused, if it is.
    pub(crate) fn refusal<B>(&self, request: &Request<B>, access: Access) -> Option<Refusal> {
        let headers = request.headers();
        if request.method() == Method::CONNECT {
            return Some(Refusal::Connect);
        }
        if request.method() == Method::TRACE {
            return Some(Refusal::Trace);
        }
        // Other machines know this one by any name. There the token keeps web pages out.
        if !self.reachable && !is_own_host(request) {
            return Some(Refusal::Host);
        }
        if is_websocket(headers) {
            return Some(Refusal::WebSocket);
        }
        let named = self.has_token(headers);
        let bearer = bearer(headers).is_some_and(|value| self.matches(value));
        match access {
            Access::Forwarded if self.is_foreign_page(headers) => Some(Refusal::Page),
            Access::Forwarded if named || !self.reachable => {
                self.shows_token(request).then_some(Refusal::Astray)
            }
            Access::Open | Access::Guarded if is_cross_site(headers) => Some(Refusal::Origin),
            Access::Open => None,
            Access::Guarded if named || bearer => None,
            _ if self.secret.is_none() => Some(Refusal::NoToken),
            _ => Some(Refusal::Token),
        }
    }

    /// Whether a browser sent this for a web page that is neither the proxy's own nor allowed.
    ///
    /// Clients that are not browsers send neither header; `Sec-Fetch-Mode` alone, which Node's `fetch` sends, says
    /// nothing. Every page can have the origin `null`, from a sandboxed frame.
    fn is_foreign_page(&self, headers: &HeaderMap) -> bool {
        let is_let_in = |origin: &HeaderValue| {
            let origin = origin.as_bytes();
            is_own_origin(origin, headers)
                || self.origins.contains(origin)
                || DESKTOP_SCHEMES.iter().any(|scheme| origin.starts_with(scheme))
        };
        let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
        match origins.peek() {
            // `Origin` says more than `Sec-Fetch-Site`, which is `cross-site` for every allowed page.
            Some(_) => !origins.all(is_let_in),
            None => is_fetched_across_sites(headers),
        }
    }

    /// Whether the proxy's token is where a provider would get it: in any header but `x-headroom-token`, or in the
    /// query.
    fn shows_token<B>(&self, request: &Request<B>) -> bool {
        let others = request.headers().iter().filter(|(name, _)| **name != TOKEN);
        let is_shown = |value: &HeaderValue| {
            let value = value.as_bytes().trim_ascii();
            // Splits at schemes and separators, as in a list or a cookie.
            let mut pieces = value.split(|byte| b" \t,;=\"".contains(byte));
            self.matches(value) || pieces.any(|piece| self.matches(piece))
        };
        let query = request.uri().query().unwrap_or_default().as_bytes();
        others.into_iter().any(|(_, value)| is_shown(value))
            || form_urlencoded::parse(query).any(|(_, value)| self.matches(value.as_bytes()))
    }

    fn matches(&self, given: &[u8]) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.matches(given))
    }
}

impl Refusal {
    pub(crate) fn response(self, provider: Provider) -> Response<ResponseBody> {
        let (status, message) = match self {
            Self::Connect => (
                StatusCode::METHOD_NOT_ALLOWED,
                "headroom: this is a reverse proxy; set it as the client's base URL, not as its HTTP proxy",
            ),
            Self::Trace => (StatusCode::METHOD_NOT_ALLOWED, "headroom: TRACE is not forwarded"),
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "headroom: the Host header names another machine; use localhost or the address that the proxy \
                 listens on",
            ),
            Self::WebSocket => (
                StatusCode::UPGRADE_REQUIRED,
                "headroom: WebSocket is not supported; use HTTP on the same path",
            ),
            Self::Origin => {
                (StatusCode::FORBIDDEN, "headroom: web pages of other origins have no access to this route")
            }
            Self::Page => (
                StatusCode::FORBIDDEN,
                "headroom: a web page sent this request (its origin is in the Origin header), and pages may not send \
                 requests through the proxy; if you trust that page, start the proxy with --allow-origins ORIGIN, or set \
                 HEADROOM_ALLOW_ORIGINS or allow_origins",
            ),
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                "headroom: this needs the token of the user who runs the proxy, as `x-headroom-token: TOKEN` or, on \
                 the proxy's own routes, as `authorization: Bearer TOKEN`. It is in the file `token` in $HEADROOM_HOME, \
                 $XDG_DATA_HOME/headroom or ~/.headroom",
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "headroom: the proxy has no folder for a token, so this route is closed; start it with HEADROOM_HOME \
                 or HOME set",
            ),
            Self::Astray => (
                StatusCode::NOT_FOUND,
                "headroom: the proxy has no such route, and its token is not for a provider; to reach a \
                 provider, send that provider's key",
            ),
        };
        let mut response = answer::failure(provider, status, message);
        let headers = response.headers_mut();
        match self {
            Self::Connect | Self::Trace => headers.insert(header::ALLOW, HeaderValue::from_static(METHODS)),
            // RFC 9110 requires the protocol that the client should use.
            Self::WebSocket => headers.insert(header::UPGRADE, HeaderValue::from_static("HTTP/1.1")),
            Self::Token | Self::NoToken => headers
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"headroom\"")),
            _ => None,
        };
        response
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Whether every host name in the request is this machine's.
fn is_own_host<B>(request: &Request<B>) -> bool {
    let own = |authority: &Authority| {
        let host = authority.host();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        (ip.is_ok_and(|ip| ip.is_loopback()) || host.eq_ignore_ascii_case("localhost"))
            && !authority.as_str().contains('@')
    };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.as_bytes().try_into().ok());
    let target = request.uri().authority();
    hosts.next().is_none() && host.as_ref().is_some_and(own) && target.is_none_or(own)
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let upgrades = headers.get_all(header::UPGRADE).iter();
    upgrades
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("websocket"))
}

/// Whether a browser marks the request as sent by a page of another site.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get_all(header::ORIGIN).iter().any(|origin| !is_own_origin(origin.as_bytes(), headers))
        || is_fetched_across_sites(headers)
}

/// Whether the origin is that of the pages that the proxy serves.
fn is_own_origin(origin: &[u8], headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map_or(&[][..], HeaderValue::as_bytes);
    origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://")) == Some(host)
}

/// Browsers send this with every request, including those without an origin, such as images and links.
fn is_fetched_across_sites(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter().map(HeaderValue::as_bytes);
    sites.any(|site| site != b"same-origin" && site != b"none")
}
