//! [`LogConfig`], [`RpcConfig`], [`HttpConfig`]: what is logged, and where the program's own servers listen.

use super::form::{boolean, choice, socket, text};
use super::section::section;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};

/// The layout of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people, in colour on a terminal.
    Auto,
    /// For people, without colour.
    Human,
    /// One JSON object a line.
    Json,
}

section! {
    /// The log, which goes to standard error.
    pub struct LogConfig at "log.", per_chain: false {
        /// The format of the log.
        format: LogFormat = LogFormat::Auto, choice(&[
            ("auto", "for people, in colour on a terminal"),
            ("human", "for people, without colour"),
            ("json", "one object per line"),
        ]);

        /// What is logged. At debug and trace only Crosscheck's own messages are logged, unless the filter
        /// names a library: "debug,hyper=debug". Network libraries log errors only, unless the filter names
        /// them: "info,libp2p=warn,discv5=warn". Their warnings are counted.
        level: String = "info".to_owned(), text("a level (error, warn, info, debug, trace) or a filter")
            .example("\"info,crosscheck::audit=debug\"");
    }
}

section! {
    /// The JSON-RPC server.
    pub struct RpcConfig at "rpc.", per_chain: false {
        /// The address of the JSON-RPC server. Port 0 picks a free port and logs it.
        addr: SocketAddr = (Ipv4Addr::LOCALHOST, 9645).into(), socket();

        /// Whether methods that change something are served. These are admin_setFailsafeEnabled, and the
        /// opp2p_* methods that block, protect and connect peers. They need no password: set this to true
        /// only if nobody else can reach rpc.addr.
        admin: bool = false, boolean();
    }
}

section! {
    /// The server of health and metrics.
    pub struct HttpConfig at "http.", per_chain: false {
        /// The address of /healthz, /readyz and /metrics.
        addr: SocketAddr = (Ipv4Addr::LOCALHOST, 7300).into(), socket().limited("different from rpc.addr");
    }
}
