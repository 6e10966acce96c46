//! How a command can fail, and the exit code for it.

use std::fmt;
use std::process::ExitCode;

use rr_store::{OpenError, StoreError};

use crate::config::source::ConfigError;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration cannot be used: 78, as sysexits.h has it.
    Configuration(ConfigError),
    /// The arguments make no sense together: 2, as for everything that the argument parser refuses.
    Usage(String),
    /// Anything else: 1.
    Trouble(anyhow::Error),
    /// The command has said what is wrong itself: 1.
    Reported,
    /// What was verified is not right, and the command has said what: 3.
    Differs,
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Configuration(_) => 78,
            Failure::Usage(_) => 2,
            Failure::Trouble(_) | Failure::Reported => 1,
            Failure::Differs => 3,
        })
    }

    /// Trouble without a deeper cause.
    pub(crate) fn trouble(text: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Failure {
        Failure::Trouble(anyhow::Error::msg(text))
    }

    /// What to do about a database that cannot be used.
    pub(crate) fn advice(&self) -> &'static str {
        const ELSE: &str = "look at the line above";
        let Failure::Trouble(error) = self else { return ELSE };
        let opening = error.downcast_ref::<OpenError>().map(OpenError::advice);
        let using = error.downcast_ref::<StoreError>().map(StoreError::advice);
        opening.or(using).unwrap_or(ELSE)
    }

    /// What to tell, one line for each cause. A cause that repeats its effect's text is left out.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Failure::Configuration(error) => vec![format!("configuration: {error}")],
            Failure::Usage(text) => vec![text.clone()],
            Failure::Reported | Failure::Differs => Vec::new(),
            Failure::Trouble(error) => {
                let mut lines: Vec<String> = Vec::new();
                for cause in error.chain() {
                    let text = cause.to_string().replace('\n', " ");
                    if !lines.iter().any(|line| line.contains(&text)) {
                        lines.push(text);
                    }
                }
                lines
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Configuration(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Trouble(error.into())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        Failure::Trouble(error.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Trouble(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_with_its_causes_once_each() {
        let error = anyhow::anyhow!("disk full").context("cannot write").context("import stopped");
        assert_eq!(
            Failure::Trouble(error).lines(),
            ["import stopped", "cannot write", "disk full"]
        );
        let repeated = anyhow::anyhow!("no such file").context("x cannot be read: no such file");
        assert_eq!(Failure::Trouble(repeated).lines(), ["x cannot be read: no such file"]);
    }
}
