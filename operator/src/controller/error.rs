//! Why a round ended early.

use super::apply::ApplyError;
use super::reconcile::PATIENCE;

/// Why a round ended early. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// What there is could not be read.
    #[error("what there is could not be read: {0}")]
    Dereference(#[source] kube::Error),
    /// The objects could not be applied.
    #[error("the objects could not be applied: {0}")]
    Apply(#[from] ApplyError),
    /// The status could not be written.
    #[error("the status could not be written: {0}")]
    Status(#[source] kube::Error),
    /// It took too long.
    #[error("it took longer than {PATIENCE:?}; the API server is slow or away")]
    Slow,
}

impl ReconcileError {
    /// The step and what kind of failure it was, for metrics: `Apply/Conflict`.
    #[must_use]
    pub fn category(&self) -> String {
        let step = match self {
            Self::Dereference(_) => "Dereference",
            Self::Apply(_) => "Apply",
            Self::Status(_) => "Status",
            Self::Slow => "Round",
        };
        let kind = match self.kube() {
            Some(kube::Error::Api(status)) => match status.code {
                409 => "Conflict",
                429 => "Throttled",
                403 => "Forbidden",
                _ => "Refused",
            },
            Some(_) => "Unreachable",
            None if matches!(self, Self::Slow) => "Slow",
            None => "Json",
        };
        format!("{step}/{kind}")
    }

    /// The HTTP status of the API server's answer, 0 where there was none; `None` when it was not the API server.
    #[must_use]
    pub fn api_status(&self) -> Option<u16> {
        match (self, self.kube()) {
            (_, Some(kube::Error::Api(status))) => Some(status.code),
            (_, Some(_)) | (Self::Slow, _) => Some(0),
            _ => None,
        }
    }

    fn kube(&self) -> Option<&kube::Error> {
        match self {
            Self::Dereference(error) | Self::Status(error) | Self::Apply(ApplyError::Kube(error)) => Some(error),
            Self::Apply(ApplyError::Json(_)) | Self::Slow => None,
        }
    }
}
