//! [`advice`]: what to do about an endpoint of which no usable answer came, by what the transport said of it.
//!
//! Never asks anything, and never says whether the endpoint is to blame.

/// What the transport says, and what to do about it. The first row that fits counts.
const ROWS: [(&str, &str); 11] = [
    ("rejected `401", REFUSED),
    ("rejected `403", REFUSED),
    ("rejected `407", REFUSED),
    ("rejected `404", "nothing is served there: check the path in its URL"),
    ("rejected `429", "it is over its rate limit: raise the limit, or add another endpoint"),
    ("rejected `30", "it redirects, and redirects are not followed: write the URL that it redirects to"),
    ("InvalidContentType", "it answers without TLS: write http:// in its URL"),
    (
        "invalid peer certificate",
        "its certificate is not trusted: set the environment variable SSL_CERT_FILE to a file with the certificate of its authority",
    ),
    (
        "Malformed request",
        "it answered, but not in JSON-RPC: check the path in its URL, and what proxy is in front of it",
    ),
    ("timed out", "check whether it is overloaded, or raise sources.timeout"),
    ("dns error", "check the host in its URL, and this machine's name servers"),
];

const REFUSED: &str =
    "it requires credentials: check the user, password or key in its URL, and sources.headers";

/// What to do, given what the transport said.
pub(super) fn advice(reason: &str) -> &'static str {
    let row = ROWS.iter().find(|(said, _)| reason.contains(said));
    row.map_or("check that it runs and is reachable", |(_, advice)| advice)
}
