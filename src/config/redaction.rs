//! Values as messages may show them: without the credentials, paths, queries and headers that carry an
//! endpoint's keys, and not longer than a line or two.

use toml::Value;

/// The longest text shown, in characters.
const MAX_SHOWN: usize = 120;

/// The longest reason shown, in characters. It may quote a text.
const MAX_REASON: usize = 300;

/// What is shown in place of a value that may be a secret as a whole.
pub(super) const NOT_SHOWN: &str = "(not shown)";

/// A setting as a message may show it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Table(_) => "(a section)".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            shortened(&format!("[{}]", items.join(", ")))
        }
        Value::String(text) => format!("{:?}", shown_text(text)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value.to_string(),
    }
}

/// A text as a message may show it: of a URL only the scheme, the host and the port, and of a header only
/// what precedes its value. A text that looks like a URL whose scheme was forgotten is shown as one.
pub(crate) fn shown_text(text: &str) -> String {
    match before_header_value(text) {
        Some(before) => shortened(&format!("{}…", without_path(before).trim_end_matches('…'))),
        None => shortened(&without_path(text)),
    }
}

/// What precedes the value of a header: of `host name=value`, and of `name: value`. `None`: the text is not
/// like a header.
fn before_header_value(text: &str) -> Option<&str> {
    let first_word = text.find(char::is_whitespace)?;
    let after_sign = |(at, sign): (usize, &str)| at.checked_add(sign.len());
    let assigned = text.match_indices('=').find(|(at, _)| *at > first_word);
    let named = text.match_indices(':').find(|(at, sign)| {
        let rest = after_sign((*at, sign)).and_then(|end| text.get(end..));
        rest.is_some_and(|rest| rest.starts_with(char::is_whitespace))
    });
    let end = assigned.into_iter().chain(named).filter_map(after_sign).min()?;
    text.get(..end)
}

/// A text without what follows the port of a URL, and without its credentials.
fn without_path(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let is_url = !scheme.is_empty() || is_without_scheme(text);
    let authority = if is_url { rest.split(['/', '?', '#', ' ']).next().unwrap_or(rest) } else { rest };
    let (hidden, host) = authority.rsplit_once('@').map_or(("", authority), |(_, host)| ("…@", host));
    let has_more = is_url && rest.len() > authority.len().saturating_add(1);
    format!("{scheme}{hidden}{host}{}", if has_more { "/…" } else { "" })
}

/// Whether a text is a host with a path, a query or credentials. A file's path, a multiaddress and a subnet
/// are not.
fn is_without_scheme(text: &str) -> bool {
    let Some((host, rest)) = text.split_once(['/', '?']) else { return false };
    let is_host = host.contains(['.', ':', '@']) && !host.starts_with(['.', '~']) && !host.contains(' ');
    let is_prefix_length = (1..=3).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit());
    is_host && !is_prefix_length
}

/// A text that is cut where a message would become too long.
pub(super) fn shortened(text: &str) -> String {
    cut(text, MAX_SHOWN)
}

/// A reason that may quote a text of any length, cut likewise.
pub(super) fn shortened_reason(reason: &str) -> String {
    cut(reason, MAX_REASON)
}

fn cut(text: &str, most: usize) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain_text("12 bananas", "12 bananas")]
    #[case::host_and_port("http://10.0.0.1:8545", "http://10.0.0.1:8545")]
    #[case::bare_slash("http://10.0.0.1:8545/", "http://10.0.0.1:8545")]
    #[case::credentials("ws://user:secret@host:8545", "ws://…@host:8545")]
    #[case::path("ftp://host/v2/secret", "ftp://host/…")]
    #[case::query("ws://host?key=secret", "ws://host/…")]
    #[case::header("https://host authorization=secret", "https://host/…")]
    #[case::header_without_a_scheme("host authorization=secret", "host authorization=…")]
    #[case::header_with_a_scheme_of_its_own("host authorization=Bearer secret", "host authorization=…")]
    #[case::header_with_space_before_its_value("host authorization = secret", "host authorization =…")]
    #[case::header_of_http("authorization: Bearer secret", "authorization:…")]
    #[case::header_of_a_host_and_port("host:8545 x-api-key=secret=", "host:8545 x-api-key=…")]
    #[case::bundle("zephyr=bundle.json", "zephyr=bundle.json")]
    #[case::filter("info,libp2p=warn", "info,libp2p=warn")]
    #[case::at_sign_in_password("ws://user:sec@ret@host/x", "ws://…@host/…")]
    #[case::no_scheme("user:secret@host:8545", "…@host:8545")]
    #[case::no_scheme_but_a_path("mainnet.example.com/v2/secret", "mainnet.example.com/…")]
    #[case::no_scheme_but_a_port("localhost:8545/secret", "localhost:8545/…")]
    #[case::no_scheme_but_a_query("mainnet.example.com?key=secret", "mainnet.example.com/…")]
    #[case::no_scheme_but_all_of_it("user:secret@host/secret", "…@host/…")]
    #[case::file("/etc/crosscheck/secret.toml", "/etc/crosscheck/secret.toml")]
    #[case::file_of_here("./config/here.toml", "./config/here.toml")]
    #[case::file_below("data/ledger.sqlite", "data/ledger.sqlite")]
    #[case::subnet("203.0.113.0/24", "203.0.113.0/24")]
    #[case::subnet_of_ipv6("2001:db8::/32", "2001:db8::/32")]
    #[case::multiaddress("/ip4/127.0.0.1/tcp/9222", "/ip4/127.0.0.1/tcp/9222")]
    fn of_a_url_only_the_origin_is_shown(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown_text(text), expected);
    }

    #[test]
    fn a_list_is_shown_without_its_secrets() {
        let list = Value::Array(vec!["https://host/secret".into(), 5.into()]);
        assert_eq!(shown(&list), "[\"https://host/…\", 5]");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(shown_text(&"é".repeat(500)).chars().count(), MAX_SHOWN + 1);
    }
}
