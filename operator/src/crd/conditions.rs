//! The names in the status that people and `kubectl wait` rely on.

use std::fmt;

/// What a condition is about. True is good, except for those that say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionType {
    /// All that was asked for is there.
    Ready,
    /// What was asked for can be had.
    SpecValid,
    /// The Secrets are there, with their keys.
    DependenciesReady,
    /// The tables are those of the image.
    Migrated,
    /// The products that were asked for are there.
    Seeded,
    /// Pods serve.
    Available,
    /// The size of the pools follows from what was measured.
    Tuned,
    /// Pods hold no more connections than there are for them.
    WithinBudget,
    /// True is bad: more connections no longer serve more.
    DatabaseSaturated,
    /// True: nothing is changed.
    Paused,
}

/// Why a condition is as it is; one list, so that dashboards can rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is as it should be.
    AsAsked,
    /// The object cannot be read.
    Malformed,
    /// A rule of the schema, or one of the operator, is broken.
    InvalidSpec,
    /// A setting is accepted in this release only.
    DeprecatedSetting,
    /// The database's connections are too few for so many pods.
    BudgetTooSmall,
    /// There is no such Secret.
    SecretNotFound,
    /// The Secret lacks the key.
    SecretKeyMissing,
    /// What the Secret holds is no URL of a database server.
    SecretInvalid,
    /// An object of a name we need belongs to somebody else.
    ForeignObject,
    /// The API server refuses an object.
    Rejected,
    /// The Gateway API is not installed.
    GatewayApiMissing,
    /// The migration Job is under way.
    MigrationRunning,
    /// The migration Job has failed.
    MigrationFailed,
    /// The migration Job took too long.
    MigrationDeadlineExceeded,
    /// The process itself does it, on the embedded database.
    Embedded,
    /// The seed Job is under way.
    SeedRunning,
    /// The seed Job has failed.
    SeedFailed,
    /// It waits for the tables.
    WaitingForMigration,
    /// It waits for the products.
    WaitingForSeed,
    /// No products were asked for.
    NotRequested,
    /// Pods are being replaced, or have not started yet.
    RolloutInProgress,
    /// A pod does not start.
    PodError,
    /// No pods are wanted.
    Stopped,
    /// Nothing is to be changed.
    Paused,
    /// Everything is changed as asked.
    Active,
    /// Not known yet.
    Pending,
    /// Too little was measured so far.
    Observing,
    /// Measurements are missing or old.
    StaleMetrics,
    /// Nothing is decided while pods come and go.
    Frozen,
    /// Tuning is switched off.
    Off,
    /// Pods have not yet given back what they are to give back.
    ShrinkPending,
    /// Somebody else uses up the database's connections.
    ForeignConnections,
    /// More connections no longer serve more.
    Saturated,
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Reason {
    /// A reason by its name, as conditions have it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.to_string() == name)
    }

    /// All of them.
    pub const ALL: [Self; 33] = [
        Self::AsAsked,
        Self::Malformed,
        Self::InvalidSpec,
        Self::DeprecatedSetting,
        Self::BudgetTooSmall,
        Self::SecretNotFound,
        Self::SecretKeyMissing,
        Self::SecretInvalid,
        Self::ForeignObject,
        Self::Rejected,
        Self::GatewayApiMissing,
        Self::MigrationRunning,
        Self::MigrationFailed,
        Self::MigrationDeadlineExceeded,
        Self::Embedded,
        Self::SeedRunning,
        Self::SeedFailed,
        Self::WaitingForMigration,
        Self::WaitingForSeed,
        Self::NotRequested,
        Self::RolloutInProgress,
        Self::PodError,
        Self::Stopped,
        Self::Paused,
        Self::Active,
        Self::Pending,
        Self::Observing,
        Self::StaleMetrics,
        Self::Frozen,
        Self::Off,
        Self::ShrinkPending,
        Self::ForeignConnections,
        Self::Saturated,
    ];
}
