//! What is to be logged, as people write it: `info,farmlokal_catalog=debug`.

use std::fmt;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// A level for everything, and others for modules.
#[derive(Debug, Clone, PartialEq)]
pub struct Directives {
    text: String,
    targets: Targets,
    most: LevelFilter,
}

/// A text that does not say what to log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a level (off, error, warn, info, debug, trace), or some with commas between them, of modules as in \
         info,farmlokal_catalog=debug; {0:?} is none"
)]
pub struct DirectiveError(String);

impl Directives {
    pub(super) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The most that is logged of anything.
    pub(super) fn most(&self) -> LevelFilter {
        self.most
    }
}

impl FromStr for Directives {
    type Err = DirectiveError;

    fn from_str(text: &str) -> Result<Self, DirectiveError> {
        let (mut targets, mut most) = (Targets::new(), LevelFilter::OFF);
        for part in text.split(',').map(str::trim) {
            let wrong = || DirectiveError(part.chars().take(64).collect());
            let (module, level) = part.split_once('=').map_or((None, part), |(module, level)| (Some(module), level));
            let level = level_of(level).ok_or_else(wrong)?;
            most = most.max(level);
            targets = match module {
                None => targets.with_default(level),
                Some(module) if is_path(module) => targets.with_target(module, level),
                Some(_) => return Err(wrong()),
            };
        }
        Ok(Self { text: text.to_owned(), targets, most })
    }
}

impl From<LevelFilter> for Directives {
    fn from(level: LevelFilter) -> Self {
        Self { text: level.to_string(), targets: Targets::new().with_default(level), most: level }
    }
}

impl fmt::Display for Directives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// By name only: `LevelFilter` would take numbers too.
fn level_of(name: &str) -> Option<LevelFilter> {
    if name.is_empty() || name.bytes().any(|byte| !byte.is_ascii_alphabetic()) { None } else { name.parse().ok() }
}

fn is_path(module: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    !module.is_empty() && module.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_are_by_module() {
        let directives: Directives = "info, farmlokal_catalog=debug,farmlokal::api=off".parse().unwrap();
        for (target, level, expected) in [
            ("farmlokal::app", Level::INFO, true),
            ("farmlokal::app", Level::DEBUG, false),
            ("farmlokal_catalog::store", Level::DEBUG, true),
            ("farmlokal::api::trace", Level::ERROR, false),
        ] {
            assert_eq!(directives.targets().would_enable(target, &level), expected, "{target} {level}");
        }
        assert_eq!(directives.most(), LevelFilter::DEBUG);
        assert_eq!(directives.to_string(), "info, farmlokal_catalog=debug,farmlokal::api=off", "as it was written");
    }

    #[test]
    fn what_is_no_level_is_named() {
        for (text, part) in [
            ("", ""),
            ("loud", "loud"),
            ("3", "3"),
            ("info,", ""),
            ("info,farmlokal=", "farmlokal="),
            ("info,farmlokal=loud", "farmlokal=loud"),
            ("info,farm lokal=info", "farm lokal=info"),
            ("info,=info", "=info"),
        ] {
            assert_eq!(text.parse::<Directives>(), Err(DirectiveError(part.to_owned())), "{text}");
        }
    }
}
