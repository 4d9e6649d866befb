//! [`OpinionsConfig`]: whose answers the program's own are compared with.

use super::DurationSetting;
use super::form::{duration, list};
use super::section::section;
use super::values::{mins, secs};
use crate::sources::EndpointUrl;

section! {
    /// Second opinions: other programs whose answers are compared with Crosscheck's own. A difference that is
    /// there again when both are asked again is an event with both answers, a warning and a metric. It is not
    /// a verdict, and does not affect readiness.
    pub struct OpinionsConfig at "opinions.", per_chain: false {
        /// The op-supernodes whose super root (superroot_atTimestamp) at the timestamp up to which every
        /// chain is final is compared. Write the address without a chain id. A plain op-node verifies no
        /// messages: its super roots are not opinions.
        supernodes: Vec<EndpointUrl> = Vec::new(), list("different http:// or https:// URLs")
            .example("[\"http://10.0.0.3:7000/\"]");

        /// The interop filters (op-interop-filter, or a proxyd in front of some) whose answers to access
        /// lists are compared: those of up to 8 messages in each interval that were decided lately.
        filters: Vec<EndpointUrl> = Vec::new(), list("different http:// or https:// URLs")
            .example("[\"http://10.0.0.4:8545/\"]");

        /// How often each of them is asked.
        interval: DurationSetting = DurationSetting(mins(1)), duration(secs(1)..=mins(60))
            .if_below("the endpoints would be asked without a pause")
            .if_above("differences would be noticed too late");
    }
}
