//! [`EndpointHeader`]: a header that an endpoint requires with every request, such as a bearer token, and the
//! place of its value.
//!
//! The value itself is never in a setting: it is read from a file or from an environment variable, once, at
//! start. It is never shown.

use super::redaction::{shortened, shortened_reason};
use super::{Config, ConfigError};
use crate::sources::EndpointUrl;
use core::fmt;
use hyper::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest value that is read, in bytes.
const MAX_VALUE_BYTES: u64 = 16 * 1024;

/// What the program sets itself.
const OWN: [HeaderName; 5] = [ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];

/// A header of the endpoints at an origin, written `https://host:port name=file:path` or
/// `… name=env:VARIABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHeader {
    origin: EndpointUrl,
    name: HeaderName,
    value: Place,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Variable(String),
}

/// Why a text is not such a setting. It is not repeated: somebody may have written the value itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderSettingError {
    /// A part of it is missing or malformed.
    #[error(
        "it is not of the form \"https://host:port name=file:path\" or \"https://host:port name=env:VARIABLE\""
    )]
    Form,
    /// The program sets it.
    #[error("the header {0} is set by the program itself")]
    Own(HeaderName),
}

impl FromStr for EndpointHeader {
    type Err = HeaderSettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = HeaderSettingError::Form;
        let (origin, header) = text.trim().split_once(' ').ok_or(form.clone())?;
        let (name, value) = header.trim().split_once('=').ok_or(form.clone())?;
        let origin = origin.parse().map_err(|_not_a_url| form.clone())?;
        let name: HeaderName = name.parse().map_err(|_not_a_name| form.clone())?;
        if OWN.contains(&name) {
            return Err(HeaderSettingError::Own(name));
        }
        let value = match value.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Place::File(path.into()),
            Some(("env", variable)) if !variable.is_empty() => Place::Variable(variable.to_owned()),
            _ => return Err(form),
        };
        Ok(Self { origin, name, value })
    }
}

impl fmt::Display for EndpointHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}=", self.origin, self.name)?;
        match &self.value {
            Place::File(path) => write!(f, "file:{}", path.display()),
            Place::Variable(name) => write!(f, "env:{name}"),
        }
    }
}

impl EndpointHeader {
    fn read(&self) -> Result<HeaderValue, String> {
        let text = match &self.value {
            Place::File(path) => read_file(path)?,
            Place::Variable(name) => std::env::var(name).map_err(|_unset| format!("{name} is not set"))?,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err("its value is empty".to_owned());
        }
        let mut value = HeaderValue::from_str(text)
            .map_err(|_invalid| "its value has a character that no header may have".to_owned())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let most = MAX_VALUE_BYTES.saturating_add(1);
    file.take(most).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_VALUE_BYTES {
        return Err(format!("the file has more than {MAX_VALUE_BYTES} bytes"));
    }
    Ok(text)
}

impl Config {
    /// Reads the headers that the settings name, and gives them to their endpoints.
    ///
    /// # Errors
    /// If a value cannot be read, or no endpoint is at its origin.
    pub fn with_headers(mut self) -> Result<Self, ConfigError> {
        for header in self.sources.headers.clone() {
            let bad = |reason: String| ConfigError::Value {
                key: "sources.headers".to_owned(),
                value: shortened(&header.0.to_string()),
                reason: shortened_reason(&reason),
                fix: super::explain::fix_of("sources.headers"),
            };
            let value = header.0.read().map_err(bad)?;
            let mut given = 0_usize;
            for url in self.endpoints() {
                if url.has_origin_of(&header.0.origin) {
                    url.add_header(header.0.name.clone(), value.clone());
                    given = given.saturating_add(1);
                }
            }
            if given == 0 {
                return Err(bad("no endpoint is at that scheme, host and port".to_owned()));
            }
        }
        Ok(self)
    }

    /// Every endpoint that is asked.
    fn endpoints(&mut self) -> impl Iterator<Item = &mut EndpointUrl> {
        let of_chains = self.chains.values_mut().flat_map(|chain| {
            let nodes = chain.rollup_node.urls_mut().iter_mut();
            let claimants = chain.claimants.iter_mut();
            chain.execution.iter_mut().chain(nodes).chain(chain.follow_upstream.as_mut()).chain(claimants)
        });
        let opinions = self.opinions.supernodes.iter_mut().chain(&mut self.opinions.filters);
        self.l1.execution.as_mut().into_iter().chain(of_chains).chain(opinions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::file("https://node.example authorization=file:/run/secrets/node")]
    #[case::variable("https://node.example:8545 x-api-key=env:NODE_KEY")]
    fn it_is_shown_as_it_is_written(#[case] text: &str) {
        assert_eq!(text.parse::<EndpointHeader>().unwrap().to_string(), text);
    }

    #[rstest]
    #[case::the_value_itself("https://node.example authorization=hunter2")]
    #[case::no_origin("authorization=file:/hunter2")]
    #[case::no_url("node.example authorization=env:hunter2")]
    #[case::no_name("https://node.example a b=env:hunter2")]
    #[case::nowhere("https://node.example a=file:")]
    #[case::of_the_program("https://node.example Content-Type=env:hunter2")]
    fn anything_else_is_refused_and_not_repeated(#[case] text: &str) {
        let error = text.parse::<EndpointHeader>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    /// A sound configuration with this header, whose value is in a file that holds this.
    fn config(header: &str, value: &str) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("secret");
        std::fs::write(&secret, value).unwrap();
        let file = directory.path().join("crosscheck.toml");
        let header = header.replace("FILE", secret.to_str().unwrap());
        let text = format!(
            "[sources]\nheaders = [\"{header}\"]\n[chains.901]\nexecution = [\"http://10.0.0.1:9545/key\"]\n\
             block_time = 2\ninterop_time = 0\ndependency_set = [901]\n\
             [opinions]\nsupernodes = [\"http://10.0.0.2:1\"]\nfilters = [\"http://10.0.0.3:1\"]\n"
        );
        std::fs::write(&file, text).unwrap();
        Config::load(&file)?.with_headers()
    }

    #[test]
    fn the_value_is_read_and_not_shown() {
        let config = config("http://10.0.0.1:9545 authorization=file:FILE", "Bearer hunter2\n").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!toml::to_string(&config).unwrap().contains("hunter2"));
    }

    #[rstest]
    #[case::execution("http://10.0.0.1:9545")]
    #[case::supernode("http://10.0.0.2:1")]
    #[case::filter("http://10.0.0.3:1")]
    fn every_kind_of_endpoint_is_sent_headers(#[case] origin: &str) {
        assert!(config(&format!("{origin} authorization=file:FILE"), "Bearer hunter2").is_ok());
    }

    #[rstest]
    #[case::nothing_is_asked_there(
        "http://10.0.0.1:9546 authorization=file:FILE",
        "hunter2",
        "no endpoint is at that scheme"
    )]
    #[case::empty("http://10.0.0.1:9545 authorization=file:FILE", "\n", "empty")]
    #[case::no_header("http://10.0.0.1:9545 authorization=file:FILE", "hunter2\u{7}", "no header may have")]
    #[case::no_file("http://10.0.0.1:9545 authorization=file:/nowhere", "", "No such file")]
    #[case::no_variable("http://10.0.0.1:9545 authorization=env:CROSSCHECK_TEST_UNSET", "", "is not set")]
    #[case::the_value_itself("http://10.0.0.1:9545 authorization=hunter2", "", "sources.headers")]
    fn what_cannot_be_sent_is_refused(#[case] header: &str, #[case] value: &str, #[case] says: &str) {
        let error = config(header, value).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("sources.headers"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
