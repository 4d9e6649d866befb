//! Values as messages may show them: without the credentials, paths and queries that carry an endpoint's keys.

use toml::Value;

/// The longest text shown.
const MAX_SHOWN: usize = 120;

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

/// A text as a message may show it: of a URL only the scheme, the host and the port. A text that looks
/// like a URL whose scheme was forgotten is shown as one.
pub(crate) fn shown_text(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let is_url = !scheme.is_empty() || is_without_scheme(text);
    let authority = if is_url { rest.split(['/', '?', '#', ' ']).next().unwrap_or(rest) } else { rest };
    let (hidden, host) = authority.rsplit_once('@').map_or(("", authority), |(_, host)| ("…@", host));
    let has_more = is_url && rest.len() > authority.len().saturating_add(1);
    shortened(&format!("{scheme}{hidden}{host}{}", if has_more { "/…" } else { "" }))
}

/// Whether a text is a host with a path, a query or credentials. A file's path, a multiaddress and a subnet are not.
fn is_without_scheme(text: &str) -> bool {
    let Some((host, rest)) = text.split_once(['/', '?']) else { return false };
    let is_host = host.contains(['.', ':', '@']) && !host.starts_with(['.', '~']) && !host.contains(' ');
    let is_prefix_length = (1..=3).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit());
    is_host && !is_prefix_length
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(MAX_SHOWN).collect();
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
