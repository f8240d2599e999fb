//! How a call can fail, and what follows from it.

use std::time::Duration;

/// Why a call brought nothing. Says nothing of what was sent, and repeats nothing of what came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It was not made: the breaker is open.
    #[error("it is left alone after several failures")]
    Open {
        /// For how long.
        retry_after: Duration,
    },
    /// It took too long.
    #[error("it did not answer in time")]
    Timeout,
    /// There was no connection, or it broke off.
    #[error("it cannot be reached, or broke off")]
    Unreachable,
    /// Its certificate is signed by nobody whom the system trusts, or wrong in another way.
    #[error("its certificate is not one that this system trusts")]
    Untrusted,
    /// The answer is a failure by its status.
    #[error("it answered {status}")]
    Status {
        /// The status.
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It does not take a token that is new.
    #[error("it does not take our token")]
    Unauthorized,
    /// The answer is longer than it may be.
    #[error("its answer has more than {0} bytes")]
    TooLarge(usize),
    /// The answer is not what was asked for.
    #[error("its answer is not right: {0}")]
    Garbled(&'static str),
    /// There was no token to ask with.
    #[error("no token: {0}")]
    Token(Box<Self>),
}

impl Failure {
    /// The failure that an answer of `status` is.
    pub fn of_status(status: http::StatusCode, retry_after: Option<Duration>) -> Self {
        Self::Status { status: status.as_u16(), retry_after }
    }

    /// Whether the same call may well work a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout | Self::Unreachable => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Token(cause) => cause.is_transient(),
            Self::Open { .. } | Self::Untrusted | Self::Unauthorized | Self::TooLarge(_) | Self::Garbled(_) => false,
        }
    }

    /// Whether the other side is in trouble, rather than the question: only that opens a breaker. A token
    /// that is not taken or not given counts too, or each call would ask for another one.
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            Self::Token(_) => true,
            Self::Open { .. } => false,
            Self::Timeout
            | Self::Unreachable
            | Self::Untrusted
            | Self::Unauthorized
            | Self::TooLarge(_)
            | Self::Garbled(_) => true,
        }
    }

    /// When the other side wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Open { retry_after } => Some(*retry_after),
            Self::Token(cause) => cause.retry_after(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_sorted_by_what_helps() {
        let status = |status| Failure::Status { status, retry_after: None };
        for (failure, transient, trouble) in [
            (Failure::Timeout, true, true),
            (Failure::Unreachable, true, true),
            (Failure::Untrusted, false, true),
            (status(500), true, true),
            (status(501), false, true),
            (status(503), true, true),
            (status(429), true, false),
            (status(404), false, false),
            (status(302), false, false),
            (Failure::Unauthorized, false, true),
            (Failure::TooLarge(1), false, true),
            (Failure::Garbled("x"), false, true),
            (Failure::Token(Box::new(status(401))), false, true),
            (Failure::Token(Box::new(Failure::Timeout)), true, true),
            (Failure::Open { retry_after: Duration::ZERO }, false, false),
        ] {
            assert_eq!((failure.is_transient(), failure.is_trouble()), (transient, trouble), "{failure:?}");
        }
    }
}
